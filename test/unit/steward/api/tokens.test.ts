import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../../src/errors.ts';
import { NamePattern } from '../../../../src/steward/api/name-pattern.ts';
import { TokenFile } from '../../../../src/runtime/token-file.ts';
import { Tokens } from '../../../../src/steward/api/tokens.ts';
import { newSecret } from '../../../../lab/secrets/used.ts';
import { silent } from '../page/scene.ts';

const ONE = newSecret('token', '-of-one');
const TWO = newSecret('token', '-of-two');
const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
const one = { name: 'one', token: ONE, role: 'operator', volumes: 'a*' };
const two = { name: 'two', sha256: hash(TWO).toUpperCase(), role: 'viewer', volumes: ['b', 'c-?'] };

function tokens(list: readonly object[] = [one, two], mode = 0o600): Tokens {
  return new Tokens(JSON.stringify({ version: 1, tokens: list }), { file: '/etc/tokens.yml', mode });
}

function mistake(list: readonly object[], mode?: number): string {
  try {
    tokens(list, mode);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
}

describe('NamePattern', () => {
  it.each([
    ['orders', 'orders', true],
    ['orders', 'orders2', false],
    ['orders', 'my-orders', false],
    ['orders-*', 'orders-', true],
    ['orders-*', 'orders', false],
    ['*-log', 'orders-log', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['a+', 'aa', false],
    ['a|b', 'a', false],
    ['*', '', true],
    ['ORDERS', 'orders', false],
    ['a*', 'b\na', false],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'aXcYb', false],
    ['*?', 'a', true],
    ['*?', '', false],
    ['a**', 'a', true],
  ])('%s: %s %s', (pattern, name, isMatch) => {
    expect(new NamePattern([pattern]).matches(name)).toBe(isMatch);
  });

  // A regular expression would not end within the time that a test has.
  it('takes no time for a name that nearly fits', () => {
    const pattern = new NamePattern([`${'*a'.repeat(100)}*b`]);
    expect(pattern.matches('a'.repeat(255))).toBe(false);
  });
});

describe('Tokens', () => {
  it('knows a token by itself or by its hash, and no other', () => {
    const known = tokens();
    expect(known.find(ONE)).toMatchObject({ name: 'one', role: 'operator', perMinute: 600 });
    expect(known.find(TWO)).toMatchObject({ name: 'two', role: 'viewer' });
    for (const other of ['', hash(TWO), hash(ONE), ONE.slice(1), `${ONE}x`, ONE.toUpperCase()])
      expect(known.find(other)).toBeUndefined();
    expect(JSON.stringify(known.find(ONE))).not.toContain(ONE);
  });

  it('grants no pool that is not named', () => {
    expect(tokens().find(ONE)?.pools.matches('sp1')).toBe(false);
  });

  it.each([
    ['both forms', { ...one, sha256: hash(ONE) }, 'tokens[0]: needs either token or sha256'],
    ['neither form', { ...one, token: undefined }, 'tokens[0]: needs either token or sha256'],
    ['a short token', { ...one, token: 'x'.repeat(31) }, 'tokens[0].token: is shorter than 32 characters'],
    ['no volumes', { ...one, volumes: undefined }, 'tokens[0].volumes: must be a name or a list of names'],
    ['an unknown role', { ...one, role: 'root' }, 'tokens[0].role: must be viewer or operator'],
    ['a misspelt field', { ...one, volume: 'a' }, 'tokens[0]: unknown key "volume"; did you mean volumes?'],
  ])('refuses %s', (_, token, says) => {
    const message = mistake([token]);
    expect(message).toContain(says);
    expect(message).not.toContain(ONE);
  });

  it('refuses one name or one token twice, also in both forms', () => {
    expect(mistake([one, { ...two, name: 'one' }])).toContain('a name twice');
    expect(mistake([one, { ...two, sha256: hash(ONE) }])).toContain('a token twice');
  });

  it.each([
    [0o644, [one], 'can be read by others (mode 0644)'],
    [0o640, [one], 'can be read by others (mode 0640)'],
    [0o644, [two], ''],
    [0o664, [two], 'can be changed by others (mode 0664)'],
    [0o602, [two], 'can be changed by others (mode 0602)'],
    [0o400, [one], ''],
  ])('looks at who may open the file: mode %i', (mode, list, says) => {
    const message = mistake(list, mode);
    if (says === '') expect(message).toBe('');
    else expect(message).toContain(says);
  });
});

describe('TokenFile', () => {
  const text = (list: readonly object[]): string => JSON.stringify({ version: 1, tokens: list });

  it('reads it again when it has changed, and lets nobody in while it has mistakes or is gone', async () => {
    let now = { text: text([one]), mode: 0o600, mark: '1' };
    let failure: Error | undefined;
    const errors: string[] = [];
    const file = new TokenFile({
      file: '/etc/tokens.yml',
      source: { read: () => (failure === undefined ? Promise.resolve(now) : Promise.reject(failure)) },
      parse: (written, of) => new Tokens(written, of),
      log: { ...silent, error: (_, message) => void errors.push(message) },
      words: { noneHolds: 'none', readAgain: 'again' },
    });
    expect((await file.current()).find(ONE)?.name).toBe('one');
    now = { text: text([two]), mode: 0o600, mark: '2' };
    expect((await file.current()).find(ONE)).toBeUndefined();
    now = { text: 'tokens: [', mode: 0o600, mark: '3' };
    await expect(file.current()).rejects.toThrow(ConfigError);
    await expect(file.current()).rejects.toThrow(ConfigError);
    expect(errors).toHaveLength(1);
    failure = Object.assign(new Error('gone'), { code: 'ENOENT' });
    await expect(file.current()).rejects.toThrow('ENOENT');
    failure = undefined;
    now = { text: text([two]), mode: 0o600, mark: '4' };
    expect((await file.current()).find(TWO)?.name).toBe('two');
  });
});
