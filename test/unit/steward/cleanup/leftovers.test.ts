import { describe, expect, test } from 'vitest';
import { findLeftovers, keyOf, type Search } from '../../../../src/steward/cleanup/leftovers.ts';
import type { ArrayHost } from '../../../../src/array/host.ts';
import { asArrayName, type FamilyId } from '../../../../src/array/ids.ts';
import type { ArrayVolume } from '../../../../src/array/volume.ts';
import { snapshotArrayName } from '../../../../src/volumes/copies/snapshot-names.ts';
import { viewName } from '../../../../src/volumes/copies/view-names.ts';
import { arrayNameFor, markerName, provisionalName } from '../../../../src/volumes/naming.ts';
import type { VolumeName } from '../../../../src/volumes/volume.ts';
import {
  DAY,
  GUID,
  HOUR,
  id,
  mapping,
  NAME,
  OTHER_GUID,
  PREFIX,
  sdc,
  hostId,
  START,
  volume,
} from './scene.ts';

const SEARCH: Search = {
  prefix: PREFIX,
  olderThanMs: DAY,
  ofUnknownHosts: false,
  deadSdcMappings: false,
};

function find(
  volumes: readonly ArrayVolume[],
  { search = {}, hosts = [sdc(1), sdc(2)] }: { search?: Partial<Search>; hosts?: readonly ArrayHost[] } = {},
) {
  return findLeftovers({ volumes, hosts }, { ...SEARCH, ...search }, START);
}

const at = (ms: number): number => ms / 1000;

describe('a view of a snapshot', () => {
  const view: Partial<ArrayVolume> = {
    name: viewName(PREFIX, id(5)),
    kind: 'snapshot',
    ancestorId: id(5),
    accessModeLimit: 'ReadOnly',
  };

  test('that no host has goes like a snapshot whose time is over', () => {
    expect(find([volume(1, view)])).toMatchObject([
      {
        kind: 'expired',
        why: 'made 48 h ago to look into a snapshot, and no host has it',
        obstacle: undefined,
      },
    ]);
  });

  test.each<[string, Partial<ArrayVolume>]>([
    ['is mapped', { attachments: [mapping(hostId(1))] }],
    ['is mapped to all', { attachedToAll: true }],
    ['is no copy', { kind: 'thin' }],
    ['is a copy of something else', { ancestorId: id(6) }],
    ['is young', { createdAtSeconds: at(START - HOUR) }],
    ['is of another prefix', { name: viewName('swarm-', id(5)) }],
  ])('stays when it %s', (_, otherwise) => {
    expect(find([volume(1, { ...view, ...otherwise })])).toEqual([]);
  });
});

describe('a volume that an engine most likely named', () => {
  const name = arrayNameFor(PREFIX, '3f'.repeat(32) as VolumeName);

  test('is listed when no host has it, and never removed', () => {
    expect(find([volume(1, { name })])).toMatchObject([
      {
        kind: 'anonymous',
        why: 'made 48 h ago, no host has it now, and its name is most likely one that an engine made up',
        obstacle: expect.stringContaining('volume remove-anonymous') as string,
      },
    ]);
  });

  test.each([
    ['is mapped', { attachments: [mapping(hostId(1))] }],
    ['is mapped to all', { attachedToAll: true }],
    ['is a snapshot', { kind: 'snapshot' }],
    ['is young', { createdAtSeconds: at(START - HOUR) }],
    ['has a name that somebody gave it', { name: `${PREFIX}orders-database-of-~abcdefghijklm`.slice(0, 31) }],
    ['has a name of hex digits that fits', { name: `${PREFIX}0123456789ab` }],
    ['has another prefix', { name: arrayNameFor('other-', '3f'.repeat(32) as VolumeName) }],
  ] as const)('is none when it %s', (_why, change) => {
    expect(find([volume(1, { name, ...change })])).toEqual([]);
  });
});

describe('a snapshot whose time is over', () => {
  const expiring = (ms: number | null, of = id(7)) =>
    snapshotArrayName(of, { isFrozen: true, name: 'x', expiresAtSeconds: ms === null ? null : at(ms) });
  const snapshot = (change: Partial<ArrayVolume> = {}): ArrayVolume =>
    volume(1, { kind: 'snapshot', ancestorId: id(7), name: expiring(START - 2 * HOUR), ...change });

  test('goes, also when its volume is gone', () => {
    const expired = { kind: 'expired', why: 'it was to be kept until 2 h ago', obstacle: undefined };
    expect(find([volume(7, { name: `${PREFIX}db` }), snapshot()])).toMatchObject([expired]);
    expect(find([snapshot()])).toMatchObject([expired]);
  });

  test.each([
    ['has time left', expiring(START + HOUR)],
    ['was to be kept for ever', expiring(null)],
    ['is of somebody else', '~policy-snapshot-1'],
  ])('is none while it %s', (_why, name) => {
    expect(find([snapshot({ name: asArrayName(name) })])).toEqual([]);
  });

  test.each([
    ['it is mapped', { attachments: [mapping(hostId(1))] }],
    ['it is mapped', { attachedToAll: true }],
    ['it is no snapshot, whatever its name says', { kind: 'thin' }],
    ['it is not of the volume that its name says', { name: expiring(START - 2 * HOUR, id(8)) }],
    ['the array does not say when it was made', { createdAtSeconds: null }],
  ] as const)('stays when %s', (obstacle, change) => {
    const found = find([volume(7, { name: `${PREFIX}db` }), snapshot(change)]);
    expect(found).toMatchObject([{ kind: 'expired', obstacle }]);
  });
});

describe('a volume that a Create never finished', () => {
  test('is one by the name that an SDC of the array gives under our prefix', () => {
    const [found, ...others] = find([volume(1)]);
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      kind: 'unfinished',
      target: `volume "${NAME}" (${id(1)})`,
      why: 'made 48 h ago by SDC "node-1", which is away, and never finished',
      makerId: hostId(1),
      obstacle: undefined,
    });
  });

  test('may still be mapped to the host that made it', () => {
    expect(find([volume(1, { attachments: [mapping(hostId(1))] })])[0]).toMatchObject({
      obstacle: undefined,
    });
  });

  test('may have its own failover marker', () => {
    const familyId = volume(1).familyId;
    const marker = volume(2, { name: markerName('never', id(1)), familyId, kind: 'snapshot' });
    expect(find([volume(1), marker])).toMatchObject([{ kind: 'unfinished', obstacle: undefined }]);
  });

  test.each([
    'docker-db',
    'datastore',
    '~new.0123abcd.0123abc',
    '~new.0123abcd.0123abcde',
    '~new.0123ABCD.0123abcd',
    '~NEW.0123abcd.0123abcd',
    'docker-~new.0123abcd.0123abcd',
    '~new.0123abcd.0123abcd ',
    '',
  ])('is none that is named "%s"', (name) => {
    expect(find([volume(1, { name })], { search: { ofUnknownHosts: true, deadSdcMappings: true } })).toEqual(
      [],
    );
  });

  test('is none without a name', () => {
    expect(find([volume(1, { name: null })], { search: { ofUnknownHosts: true } })).toEqual([]);
  });

  test.each([
    ['a moment', 0],
    ['less than the limit', DAY - 1000],
  ])('is none when made %s ago: a Create may be at it', (_, ago) => {
    expect(find([volume(1, { createdAtSeconds: at(START - ago) })])).toEqual([]);
  });

  test.each<[string, Partial<ArrayVolume>, RegExp]>([
    ['of an unknown time', { createdAtSeconds: null }, /does not say when/],
    ['of the future', { createdAtSeconds: at(START + HOUR) }, /made in the future/],
    ['that is a snapshot', { kind: 'snapshot' }, /is a snapshot/],
    ['mapped to all SDCs', { attachedToAll: true }, /mapped to all SDCs/],
    ['mapped to another host', { attachments: [mapping(hostId(2))] }, /not only to the host that made it/],
    [
      'mapped to its maker and to another host',
      { attachments: [mapping(hostId(1)), mapping(hostId(2))] },
      /not only to the host that made it/,
    ],
    ['mapped to an SDC that is not listed', { attachments: [mapping(hostId(9))] }, /not only to the host/],
    [
      'mapped to a host that is no SDC',
      { attachments: [mapping(hostId(1), { hostKind: 'nvme' })] },
      /not only to/,
    ],
    ['of an unknown family', { familyId: null }, /does not say whether it has snapshots/],
    ['of another prefix', { name: provisionalName(GUID, 'other-', '0000000a') }, /under our prefix/],
    ['of a host that is no SDC', { name: '~new.0123abcd.0000000a' }, /under our prefix/],
    [
      'of a host that is connected',
      { name: provisionalName(OTHER_GUID, PREFIX, '0a0a0a0a') },
      /is connected/,
    ],
  ])('%s stays', (_, change, obstacle) => {
    expect(find([volume(1, change)])).toMatchObject([
      { obstacle: expect.stringMatching(obstacle) as string },
    ]);
  });

  test('of a host of which the array says nothing stays (rule 16)', () => {
    expect(find([volume(1)], { hosts: [sdc(1, { state: 'unknown' }), sdc(2)] })).toMatchObject([
      { obstacle: 'the array does not say whether the host that made it is there' },
    ]);
  });

  test('that is a copy goes, whatever else is in its family, unless something was made of it', () => {
    const { familyId } = volume(1);
    const copy = volume(1, { kind: 'snapshot', ancestorId: id(2) });
    const origin = volume(2, { name: 'docker-db', familyId });
    const sibling = volume(3, { name: 'docker-copy', familyId, kind: 'snapshot', ancestorId: id(2) });
    const own = volume(4, { name: 'docker-snap', familyId, kind: 'snapshot', ancestorId: id(1) });
    expect(find([copy, origin, sibling])[0]).toMatchObject({ obstacle: undefined });
    expect(find([copy, origin, own])[0]).toMatchObject({ obstacle: 'it has snapshots' });
  });

  test.each<[string, Partial<ArrayVolume>]>([
    ['a snapshot', { name: 'docker-snap', kind: 'snapshot' }],
    ['a snapshot without name', { name: null, kind: 'snapshot' }],
    ['the marker of another volume', { name: markerName('never', id(7)), kind: 'snapshot' }],
  ])('with %s stays', (_, change) => {
    const other = volume(2, { ...change, familyId: volume(1).familyId, createdAtSeconds: at(START) });
    expect(find([volume(1), other])[0]).toMatchObject({ obstacle: 'it has snapshots' });
  });

  test.each<[string, Partial<ArrayVolume>, string | undefined]>([
    ['goes when it is a week old', {}, undefined],
    ['stays when it is younger', { createdAtSeconds: at(START - 7 * DAY + 1000) }, 'connected'],
    ['stays while it is mapped', { attachments: [mapping(hostId(2))] }, 'connected'],
  ])('of a host that is connected and has not cleared it away %s', (_, change, obstacle) => {
    const forgotten = {
      createdAtSeconds: at(START - 7 * DAY),
      name: provisionalName(OTHER_GUID, PREFIX, '0a0a0a0a'),
    };
    const [found] = find([volume(1, { ...forgotten, ...change })]);
    expect(found?.obstacle).toEqual(
      obstacle === undefined ? undefined : (expect.stringContaining(obstacle) as string),
    );
  });

  test('stays while one of two SDCs with the same mark is connected', () => {
    const twins = [sdc(1, { state: 'connected' }), sdc(3, { guid: GUID, state: 'disconnected' })];
    expect(find([volume(1)], { hosts: twins })).toMatchObject([
      { obstacle: expect.stringContaining('connected') as string },
    ]);
    expect(find([volume(1)], { hosts: twins.toReversed() })).toMatchObject([
      { obstacle: expect.stringContaining('connected') as string },
    ]);
  });

  test('of an unknown host goes only where that is allowed, and never while it is mapped', () => {
    const name = '~new.0123abcd.0000000a';
    const search = { ofUnknownHosts: true };
    expect(find([volume(1, { name })], { search })).toMatchObject([
      { obstacle: undefined, makerId: undefined },
    ]);
    expect(find([volume(1, { name, attachments: [mapping(hostId(1))] })], { search })).toMatchObject([
      { obstacle: expect.stringContaining('it is mapped') as string },
    ]);
  });
});

describe('a failover marker', () => {
  const name = markerName('always', id(7));
  const marker = (change: Partial<ArrayVolume> = {}): ArrayVolume =>
    volume(1, { name, kind: 'snapshot', ...change });
  const search = { ofUnknownHosts: true };

  test('is a leftover when its volume is gone', () => {
    expect(find([marker()], { search })).toMatchObject([
      {
        kind: 'marker',
        ofVolumeId: id(7),
        why: `made 48 h ago to carry the failover policy of volume "${id(7)}", which is gone`,
        obstacle: undefined,
      },
    ]);
  });

  test.each<[string, ArrayVolume[]]>([
    ['its volume is there', [marker(), volume(7, { name: 'docker-db' })]],
    ['its volume is there under any other name', [marker(), volume(7, { name: null })]],
    ['it is young', [marker({ createdAtSeconds: at(START - HOUR) })]],
  ])('is none when %s', (_, volumes) => {
    expect(find(volumes, { search }).filter(({ kind }) => kind === 'marker')).toEqual([]);
  });

  test.each<[string, Partial<ArrayVolume>, RegExp]>([
    [
      'that is no snapshot and no stand-in',
      { kind: 'thin', sizeKiB: 2 * 8 * 1024 * 1024 },
      /neither a snapshot/,
    ],
    ['that is mapped', { attachments: [mapping(hostId(1))] }, /it is mapped/],
    ['that is mapped to all', { attachedToAll: true }, /it is mapped/],
    ['of an unknown time', { createdAtSeconds: null }, /does not say when/],
  ])('%s stays', (_, change, obstacle) => {
    expect(find([marker(change)], { search })).toMatchObject([
      { obstacle: expect.stringMatching(obstacle) as string },
    ]);
  });

  test('that is a stand-in goes as a snapshot does', () => {
    const standIn = marker({ kind: 'thin', sizeKiB: 8 * 1024 * 1024 });
    expect(find([standIn], { search })).toMatchObject([{ obstacle: undefined }]);
  });

  test('stays where leftovers of unknown hosts do', () => {
    expect(find([marker()])).toMatchObject([
      { obstacle: expect.stringContaining('ofUnknownHosts') as string },
    ]);
  });
});

describe('a mapping', () => {
  const held = (to: ArrayVolume['attachments'], change: Partial<ArrayVolume> = {}): ArrayVolume =>
    volume(1, { name: 'docker-db', attachments: to, createdAtSeconds: at(START), ...change });
  const search = { deadSdcMappings: true };

  test('to an SDC that the array does not list is dead, each alone', () => {
    const volumes = [held([mapping(hostId(8)), mapping(hostId(1)), mapping(hostId(9))])];
    const found = find(volumes, { search });
    expect(found).toMatchObject([
      {
        kind: 'mapping',
        hostId: hostId(8),
        obstacle: undefined,
        target: expect.stringContaining('5dc8') as string,
      },
      { kind: 'mapping', hostId: hostId(9), obstacle: undefined },
    ]);
    expect(new Set(found.map(keyOf)).size).toBe(2);
  });

  test('names the SDC as the array last did', () => {
    const read = { volumes: [held([mapping(hostId(8))])], hosts: [sdc(1)], formerly: () => 'host8' };
    expect(findLeftovers(read, { ...SEARCH, ...search }, START)).toMatchObject([
      {
        why: expect.stringContaining(
          `"${hostId(8)}" (last known as host8), which the array does not`,
        ) as string,
      },
    ]);
  });

  test.each<[string, ArrayVolume]>([
    ['to an SDC that is away', held([mapping(hostId(1))])],
    ['to an SDC that is connected', held([mapping(hostId(2))])],
    ['to a host that is no SDC', held([mapping(hostId(9), { hostKind: 'nvme' })])],
    ['of a volume without our prefix', held([mapping(hostId(9))], { name: 'datastore' })],
    ['of a volume without a name', held([mapping(hostId(9))], { name: null })],
  ])('%s is none', (_, one) => {
    expect(find([one], { search })).toEqual([]);
  });

  test('is left alone unless the policy says otherwise', () => {
    expect(find([held([mapping(hostId(9))])])).toEqual([]);
  });
});

test('what changes about a leftover makes it another', () => {
  const key = (change: Partial<ArrayVolume>) => {
    const [found] = find([volume(1, { familyId: 'v' as FamilyId, ...change })]);
    return found === undefined ? '' : keyOf(found);
  };
  const keys = [
    key({}),
    key({ id: id(2) }),
    key({ name: provisionalName(GUID, PREFIX, '0000000b') }),
    key({ attachments: [mapping(hostId(1))] }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(key({ sizeKiB: 1 })).toBe(keys[0]);
});
