import { describe, expect, test } from 'vitest';
import { findLeftovers, type Leftover } from '../../../../src/steward/cleanup/leftovers.ts';
import { recheck } from '../../../../src/steward/cleanup/recheck.ts';
import type { FamilyId } from '../../../../src/array/ids.ts';
import type { ArrayVolume } from '../../../../src/array/volume.ts';
import { snapshotArrayName } from '../../../../src/volumes/copies/snapshot-names.ts';
import { markerName } from '../../../../src/volumes/naming.ts';
import { DAY, id, mapping, MemoryArray, PREFIX, sdc, hostId, START, volume } from './scene.ts';

const SEARCH = { prefix: PREFIX, olderThanMs: DAY, ofUnknownHosts: true, deadSdcMappings: true };
const familyId = 'v' as FamilyId;

const unfinished = volume(1, { familyId });
const itsMarker = volume(2, { name: markerName('never', id(1)), familyId, kind: 'snapshot' });
const itsOrigin = volume(5, { name: 'docker-web', familyId });
const orphan = volume(3, { name: markerName('never', id(9)), kind: 'snapshot' });
const expired = volume(5, {
  kind: 'snapshot',
  ancestorId: id(7),
  name: snapshotArrayName(id(7), { isFrozen: false, name: 'x', expiresAtSeconds: (START - DAY) / 1000 }),
});
const held = volume(4, { name: 'docker-db', attachments: [mapping(hostId(8))] });

/** What the array says of a leftover after this has happened to it. */
async function lookAfter(first: readonly ArrayVolume[], happen: (array: MemoryArray) => void) {
  const array = new MemoryArray();
  array.volumes = [...first];
  const [leftover] = findLeftovers(array, SEARCH, START);
  happen(array);
  return recheck(array, leftover as Leftover, AbortSignal.timeout(5000));
}

test.each<[string, readonly ArrayVolume[], readonly string[]]>([
  ['an unfinished volume', [unfinished], []],
  ['one that has a marker', [unfinished, itsMarker], [id(2)]],
  ['one that is mapped to its maker', [{ ...unfinished, attachments: [mapping(hostId(1))] }], []],
  ['a copy in a family', [{ ...unfinished, kind: 'snapshot', ancestorId: id(5) }, itsOrigin], []],
  ['an orphaned marker', [orphan], []],
  ['a dead mapping', [held], []],
  ['an expired snapshot', [expired], []],
])('%s that has not changed is clear', async (_, volumes, markers) => {
  expect(await lookAfter(volumes, () => undefined)).toEqual({ kind: 'clear', markers });
});

test.each<[string, readonly ArrayVolume[]]>([
  ['an unfinished volume', [unfinished]],
  ['an orphaned marker', [orphan]],
  ['a dead mapping', [held]],
  ['an expired snapshot', [expired]],
])('%s that is not there any more is gone', async (_, volumes) => {
  expect(await lookAfter(volumes, (array) => (array.volumes = []))).toEqual({ kind: 'gone' });
});

test('one that its maker has not cleared away for a week is clear although that is there', async () => {
  const forgotten = { ...unfinished, createdAtSeconds: (START - 7 * DAY) / 1000 };
  const back = (array: MemoryArray): void => {
    array.hosts = [sdc(1, { state: 'connected' })];
  };
  expect(await lookAfter([forgotten], back)).toEqual({ kind: 'clear', markers: [] });
});

describe('what is kept', () => {
  const now =
    (...volumes: ArrayVolume[]) =>
    (array: MemoryArray) => {
      array.volumes = volumes;
    };
  test.each<[string, readonly ArrayVolume[], (array: MemoryArray) => void, string]>([
    ['a snapshot was renamed', [expired], now({ ...expired, name: orphan.name }), 'another name'],
    ['a snapshot is none', [expired], now({ ...expired, kind: 'thin' }), 'it is no snapshot'],
    [
      'a snapshot is had',
      [expired],
      now({ ...expired, attachments: [mapping(hostId(1))] }),
      'has been mapped meanwhile',
    ],
    ['its maker is removed', [unfinished], (array) => (array.hosts = [sdc(2)]), 'has been removed'],
    [
      'its maker is back',
      [unfinished],
      (array) => (array.hosts = [sdc(1, { state: 'connected' })]),
      'is back',
    ],
    [
      'somebody took a snapshot',
      [unfinished],
      now(unfinished, volume(5, { name: null, familyId, kind: 'snapshot' })),
      'has snapshots',
    ],
    [
      'its marker is mapped',
      [unfinished, itsMarker],
      now(unfinished, { ...itsMarker, attachments: [mapping(hostId(2))] }),
      'marker is mapped',
    ],
    [
      'its marker is mapped to all',
      [unfinished, itsMarker],
      now(unfinished, { ...itsMarker, attachedToAll: true }),
      'marker is mapped',
    ],
    ['it is finished', [unfinished], now({ ...unfinished, name: 'docker-db' }), 'another name'],
    [
      'it is mapped',
      [unfinished],
      now({ ...unfinished, attachments: [mapping(hostId(2))] }),
      'mapped meanwhile',
    ],
    [
      'its maker mapped it after all',
      [unfinished],
      now({ ...unfinished, attachments: [mapping(hostId(1))] }),
      'mapped meanwhile',
    ],
    ['it is mapped to all', [unfinished], now({ ...unfinished, attachedToAll: true }), 'mapped meanwhile'],
    ['the volume of a marker is there', [orphan], now(orphan, volume(9, { name: null })), 'is there'],
    ['a marker is renamed', [orphan], now({ ...orphan, name: 'docker-snap' }), 'another name'],
    [
      'a marker is mapped',
      [orphan],
      now({ ...orphan, attachments: [mapping(hostId(1))] }),
      'mapped meanwhile',
    ],
    ['the SDC is there', [held], (array) => array.hosts.push(sdc(8)), 'has that SDC'],
    ['the mapped volume is renamed', [held], now({ ...held, name: 'theirs' }), 'another name'],
  ])('%s', async (_, volumes, happen, why) => {
    expect(await lookAfter(volumes, happen)).toEqual({
      kind: 'kept',
      why: expect.stringContaining(why) as string,
    });
  });
});

test('a mapping that is not there any more is gone', async () => {
  const array = (memory: MemoryArray) => (memory.volumes = [{ ...held, attachments: [mapping(hostId(1))] }]);
  expect(await lookAfter([held], array)).toEqual({ kind: 'gone' });
});
