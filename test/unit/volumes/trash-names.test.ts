import { describe, expect, it } from 'vitest';
import { asVolumeId } from '../../../src/array/ids.ts';
import { isMarker } from '../../../src/volumes/host-volume.ts';
import { isOurs, markOfProvisional, volumeNameOf } from '../../../src/volumes/naming.ts';
import {
  goneName,
  isBeingErased,
  isInTrash,
  isTrashOf,
  trashFacts,
  trashName,
} from '../../../src/volumes/trash/trash-names.ts';

const ID = asVolumeId('72ce476b00000002');
const OTHER = asVolumeId('72ce476b00000003');
const AT = Date.parse('2026-11-28T21:15:00Z');
const LONG = 'a-volume-with-a-name-of-more-characters-than-the-array-takes';
const NAMES = ['db', 'x', 'tencharact', 'elevenchars', LONG, 'a'.repeat(255), 'with.dots.', 'a@b'];

describe('the name of a volume in the trash', () => {
  it.each(NAMES)('fits the array, and tells when %s was removed and what it was called', (name) => {
    const inTrash = trashName('docker-', name, ID, AT + 59_999);
    expect(inTrash.length).toBeLessThanOrEqual(31);
    const facts = trashFacts('docker-', inTrash);
    expect(facts?.removedAtMs).toBe(AT);
    expect(facts?.name).toBe(name.length <= 10 ? name : undefined);
    expect(facts?.shown).toBe(name.length <= 10 ? name : `${name.slice(0, 5)}…`);
    expect(isTrashOf('docker-', name, inTrash)).toBe(true);
    expect(NAMES.filter((other) => isTrashOf('docker-', other, inTrash))).toEqual([name]);
  });

  it('is none of any other family, for new plugins and old ones', () => {
    for (const name of [trashName('docker-', LONG, ID, AT), trashName('', 'db', ID, AT), goneName('', ID)]) {
      expect(isOurs('', name)).toBe(false);
      expect(isOurs('docker-', name)).toBe(false);
      expect(volumeNameOf('', name)).toBeUndefined();
      expect(isMarker(name)).toBe(false);
      expect(markOfProvisional(name)).toBeUndefined();
      expect(name.startsWith('~')).toBe(true);
      expect(name.length).toBeLessThanOrEqual(31);
    }
  });

  it('keeps prefixes, volumes, times and names apart', () => {
    const names = [
      trashName('docker-', LONG, ID, AT),
      trashName('swarm-', LONG, ID, AT),
      trashName('docker-', LONG, OTHER, AT),
      trashName('docker-', LONG, ID, AT + 60_000),
      trashName('docker-', `${LONG}2`, ID, AT),
      trashName('docker-', LONG.toUpperCase(), ID, AT),
    ];
    expect(new Set(names).size).toBe(names.length);
    expect(trashFacts('swarm-', names[0] ?? '')).toBeUndefined();
    expect(isTrashOf('swarm-', LONG, names[0] ?? '')).toBe(false);
  });

  it('that cannot be read tells no time, so that nobody erases it', () => {
    const whole = trashName('docker-', 'db', ID, AT);
    for (const broken of [whole.slice(0, 12), whole.replace('.db', '.'), `${whole.slice(0, 10)}!!!!!x`]) {
      expect(isInTrash(broken)).toBe(true);
      expect(trashFacts('docker-', broken)).toEqual({
        removedAtMs: undefined,
        name: undefined,
        shown: broken,
      });
      expect(isTrashOf('docker-', 'db', broken)).toBe(false);
    }
  });

  it('is another once it is being erased', () => {
    const gone = goneName('docker-', ID);
    expect(isBeingErased(gone)).toBe(true);
    expect(isInTrash(gone)).toBe(false);
    expect(goneName('swarm-', ID)).not.toBe(gone);
    expect(isBeingErased('~gone.0123456789abcdef')).toBe(false);
    expect(isBeingErased(trashName('docker-', 'db', ID, AT))).toBe(false);
  });
});
