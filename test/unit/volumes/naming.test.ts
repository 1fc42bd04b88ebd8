import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import {
  arrayNameFor,
  volumeNameOf,
  isOurs,
  isProvisionalOf,
  markerName,
  parseMarker,
  provisionalName,
  validateVolumeName,
} from '../../../src/volumes/naming.ts';
import type { VolumeId } from '../../../src/array/ids.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';

const named = (name: string): VolumeName => validateVolumeName(name);
const volumeId = '72ce476b00000002' as VolumeId;
const guid = 'A9F4C2B1-0000-4C3B-9D7E-1234567890AB';
const policies = ['never', 'disconnected', 'idle', 'always'] as const;

const first = fc.constantFrom(...Array.from('abcXYZ019'));
const rest = fc.constantFrom(...Array.from('abcdefABCDEF0123456789_.+=:@,%#-'));
const anyName = (maxLength: number) =>
  fc
    .tuple(first, fc.string({ unit: rest, maxLength: maxLength - 1 }))
    .map(([head, tail]) => (head + tail).replaceAll(/\.{2,}/g, '.'))
    .map((name) => name as VolumeName);
const anyPrefix = fc.oneof(fc.constant(''), fc.constant('docker-'), anyName(16));

describe('validateVolumeName', () => {
  it.each(['db', 'a', '0', 'Db_1.2', 'mysql,size=10:x@y', 'a'.repeat(255), 'a+b%c#d-'])(
    'takes %j',
    (name) => {
      expect(validateVolumeName(name)).toBe(name);
    },
  );

  it.each([
    ['', 'is empty'],
    ['a'.repeat(300), 'has 300 characters'],
    ['../x', 'contains "/"'],
    ['..', 'begins with "."'],
    ['a..b', 'contains ".."'],
    ['a/b', 'contains "/"'],
    ['a\0b', String.raw`contains "\u0000"`],
    ['a\nb', String.raw`contains "\n"`],
    ['db\n', String.raw`contains "\n"`],
    ['a b', 'contains " "'],
    [' db', 'contains " "'],
    ['-x', 'begins with "-"'],
    ['.x', 'begins with "."'],
    ['~new.12345678.12345678', 'contains "~"'],
    ['a~b', 'contains "~"'],
    ['käse', 'contains "ä"'],
    ['a😀', 'contains "😀"'],
    ['a\ud800', String.raw`contains "\ud800"`],
    ['a;b', 'contains ";"'],
    ['a$b', 'contains "$"'],
    ['a\\b', String.raw`contains "\\"`],
  ])('refuses %j because it %s', (name, why) => {
    expect(() => validateVolumeName(name)).toThrow(InvalidRequestError);
    expect(() => validateVolumeName(name)).toThrow(why);
    expect(() => validateVolumeName(name)).toThrow(/use at most 255 letters/);
  });

  it('answers anything with the same name or one line of at most 220 characters', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), anyName(300)), (raw) => {
        try {
          return validateVolumeName(raw) === raw;
        } catch (error) {
          if (!(error instanceof InvalidRequestError)) throw error;
          return error.message.length <= 220 && !error.message.includes('\n');
        }
      }),
    );
  });
});

describe('array names', () => {
  it('uses a name that fits as it is, up to 31 characters with the prefix', () => {
    expect(arrayNameFor('docker-', named('db'))).toBe('docker-db');
    expect(arrayNameFor('docker-', named('a'.repeat(24)))).toBe(`docker-${'a'.repeat(24)}`);
    expect(arrayNameFor('', named('A'.repeat(31)))).toBe('A'.repeat(31));
  });

  it('keeps this form for longer names for ever: volumes on arrays depend on it', () => {
    expect(arrayNameFor('docker-', named('orders-production-postgresql-data'))).toBe(
      'docker-orders-pro~vmlfnmrl7jwep',
    );
    expect(arrayNameFor('', named('a'.repeat(32)))).toBe(`${'a'.repeat(17)}~hor7l5b3sjqcn`);
  });

  it('gives the same name every time, allowed by the array, ours, and back again if it was exact', () => {
    fc.assert(
      fc.property(anyPrefix, anyName(255), (prefix, name) => {
        const arrayName = arrayNameFor(prefix, name);
        expect(arrayName).toBe(arrayNameFor(prefix, name));
        expect(arrayName).toMatch(/^[!-~]{1,31}$/);
        expect(isOurs(prefix, arrayName)).toBe(true);
        expect(isProvisionalOf(guid, prefix, arrayName)).toBe(false);
        expect(parseMarker(arrayName)).toBeUndefined();
        const isExact = prefix.length + name.length <= 31;
        expect(volumeNameOf(prefix, arrayName)).toBe(isExact ? name : undefined);
      }),
    );
  });

  it('gives different names different array names: same beginnings, other case, other ends', () => {
    const near = fc.tuple(anyName(40), fc.array(fc.string({ unit: rest, maxLength: 12 }), { maxLength: 20 }));
    fc.assert(
      fc.property(anyPrefix, near, (prefix, [stem, tails]) => {
        const candidates = tails.flatMap((tail) => [stem + tail, (stem + tail).toUpperCase(), tail + stem]);
        const names = new Set(candidates.filter(isValid));
        const arrayNames = new Set([...names].map((name) => arrayNameFor(prefix, named(name))));
        return arrayNames.size === names.size;
      }),
    );
  });

  it('does not confuse 20,000 names that share their first 31 characters', () => {
    const stem = 'x'.repeat(31);
    const names = Array.from({ length: 20_000 }, (_, index) => named(`${stem}${index}`));
    expect(new Set(names.map((name) => arrayNameFor('docker-', name))).size).toBe(names.length);
  });

  it.each([
    ['docker-', 'db'],
    ['docker-', 'Docker-db'],
    ['docker-', 'docker-'],
    ['docker-', 'docker-a b'],
    ['docker-', 'docker-a..b'],
    ['docker-', 'docker-~x'],
    ['docker-', 'docker-short~vmlfnmrl7jwep'],
    ['docker-', `docker-${'a'.repeat(25)}`],
    ['docker-', provisionalName(guid, 'docker-', '0123abcd')],
    ['docker-', markerName('never', volumeId)],
    ['', provisionalName(guid, '', '0123abcd')],
    ['', markerName('disconnected', volumeId)],
    ['', '~anything'],
    ['', ''],
    ['', 'my datastore'],
  ])('with prefix %j, %j is not ours', (prefix, arrayName) => {
    expect(isOurs(prefix, arrayName)).toBe(false);
    expect(volumeNameOf(prefix, arrayName)).toBeUndefined();
  });

  it('owns a name only if a Docker name leads to it, whatever the array holds', () => {
    fc.assert(
      fc.property(anyPrefix, fc.string({ unit: 'binary-ascii', maxLength: 24 }), (prefix, tail) => {
        const name = volumeNameOf(prefix, prefix + tail);
        return name === undefined || arrayNameFor(prefix, validateVolumeName(name)) === prefix + tail;
      }),
    );
  });
});

describe('provisional names', () => {
  it('belong to one host and one prefix', () => {
    const name = provisionalName(guid, 'docker-', '89ABCDEF');
    expect(name).toMatch(/^~new\.[0-9a-f]{8}\.89abcdef$/);
    expect(isProvisionalOf(guid, 'docker-', name)).toBe(true);
    expect(isProvisionalOf(guid.toLowerCase(), 'docker-', name)).toBe(true);
    expect(isProvisionalOf(guid, 'other-', name)).toBe(false);
    expect(isProvisionalOf('another-guid', 'docker-', name)).toBe(false);
    expect(isProvisionalOf(guid, 'docker-', `${name}0`)).toBe(false);
    expect(isProvisionalOf(guid, 'docker-', name.slice(0, -1))).toBe(false);
  });
});

describe('markers', () => {
  it.each(policies)('carry the policy %s in a name that the array takes', (policy) => {
    const name = markerName(policy, volumeId);
    expect(name.length).toBeLessThanOrEqual(31);
    expect(parseMarker(name)).toEqual({ policy, volumeId });
  });

  it.each([
    '~maybe.72ce476b00000002',
    '~never.72CE476B00000002',
    '~never.72ce',
    'never.72ce476b00000002',
    '',
  ])('are not read into %j', (name) => {
    expect(parseMarker(name)).toBeUndefined();
  });
});

function isValid(name: string): boolean {
  try {
    validateVolumeName(name);
    return true;
  } catch (error) {
    if (error instanceof InvalidRequestError) return false;
    throw error;
  }
}
