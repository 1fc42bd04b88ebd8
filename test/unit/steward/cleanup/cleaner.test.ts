import { describe, expect, test } from 'vitest';
import { CancelledError, ConfigError, GatewayRejectedError } from '../../../../src/errors.ts';
import { markerName, provisionalName } from '../../../../src/volumes/naming.ts';
import type { FamilyId } from '../../../../src/array/ids.ts';
import {
  away,
  DAY,
  GUID,
  HOUR,
  id,
  mapping,
  MINUTE,
  NAME,
  scene,
  sdc,
  hostId,
  START,
  volume,
} from './scene.ts';

/** Rounds until an hour has been watched, ten minutes apart. */
const ENOUGH = 7;

describe('an unfinished volume of a host that is away', () => {
  test('is removed when it has been seen so for an hour, with one record', async () => {
    const { array, rounds, audit, states } = scene([volume(1)]);
    await rounds(ENOUGH - 1);
    expect([array.changes, states()]).toEqual([[], ['watched']]);
    await rounds(1);
    expect(array.changes).toEqual([`remove ${id(1)}`]);
    expect(audit.last).toMatchObject([
      {
        action: 'remove-volume',
        target: `volume "${NAME}" (${id(1)})`,
        outcome: 'done',
        why: 'made 49 h ago by SDC "node-1", which is away, and never finished; remove it',
      },
    ]);
    await rounds(2);
    expect(states()).toEqual([]);
  });

  test('is removed only after `confirm` looks, however long the first two were apart', async () => {
    const { array, clock, rounds } = scene([volume(1)]);
    await rounds(1);
    clock.advance(10 * HOUR);
    await rounds(1);
    expect(array.changes).toEqual([]);
    await rounds(1);
    expect(array.changes).toHaveLength(1);
  });

  test('is looked at only so often', async () => {
    const { array, cleaner, clock } = scene([volume(1)]);
    for (let minute = 0; minute < 59; minute += 1) {
      await cleaner.round(AbortSignal.timeout(5000));
      clock.advance(MINUTE);
    }
    expect(array.changes).toEqual([]);
    expect(cleaner.status.findings[0]?.why).toContain('seen so 6 of 3 times, for 50 min of 60 min');
  });

  test('is taken from its maker first, where it is still mapped to it', async () => {
    const { array, rounds } = scene([volume(1, { attachments: [mapping(hostId(1))] })]);
    await rounds(ENOUGH);
    expect(array.changes).toEqual([`unmap ${id(1)} ${hostId(1)}`, `remove ${id(1)}`]);
  });

  test('goes before its failover marker, so that a marker never outlives what it is for by much', async () => {
    const familyId = 'v' as FamilyId;
    const marker = volume(2, { name: markerName('never', id(1)), familyId, kind: 'snapshot' });
    const { array, rounds, outcomes } = scene([volume(1, { familyId }), marker]);
    await rounds(ENOUGH);
    expect(array.changes).toEqual([`remove ${id(1)}`, `remove ${id(2)}`]);
    expect(outcomes()).toEqual(['remove-volume done']);
  });

  test('waits anew when its host was there in between', async () => {
    const { array, rounds, states } = scene([volume(1)]);
    await rounds(5);
    array.hosts = [sdc(1, { state: 'connected' }), sdc(2)];
    await rounds(1);
    expect(states()).toEqual(['kept']);
    array.hosts = [sdc(1), sdc(2)];
    await rounds(ENOUGH - 1);
    expect(array.changes).toEqual([]);
    await rounds(1);
    expect(array.changes).toHaveLength(1);
  });

  test('waits anew with a new steward, which has seen nothing', async () => {
    const { array, rounds, steward } = scene([volume(1)]);
    await rounds(ENOUGH - 1);
    const { cleaner: next } = steward();
    await rounds(ENOUGH - 1, next);
    expect(array.changes).toEqual([]);
    await rounds(1, next);
    expect(array.changes).toHaveLength(1);
  });
});

test('others, complete, young or in use, are never touched', async () => {
  const volumes = [
    volume(1, { name: 'docker-db' }),
    volume(2, { name: 'datastore' }),
    volume(3, { createdAtSeconds: (START - HOUR) / 1000 }),
    volume(4, { attachments: [mapping(hostId(2))] }),
    volume(5, { name: '~new.0123abcd.0000000a' }),
    volume(6, { name: markerName('never', id(9)), kind: 'snapshot' }),
    volume(7, { name: 'docker-x', attachments: [mapping(hostId(9))] }),
  ];
  const { array, rounds, outcomes } = scene(volumes);
  await rounds(20);
  expect(array.changes).toEqual([]);
  // Each once, however long it lasts.
  expect(outcomes()).toEqual(Array.from({ length: 3 }, () => 'remove-volume blocked'));
});

describe('clocks', () => {
  test('ours that jumps ahead makes a young volume old, but not seen for an hour', async () => {
    const { array, clock, rounds } = scene([volume(1, { createdAtSeconds: START / 1000 })]);
    clock.jump(365 * DAY);
    await rounds(ENOUGH - 1);
    expect(array.changes).toEqual([]);
  });

  test('ours that jumps back makes nothing young again that is watched already: it waits', async () => {
    const { array, clock, rounds } = scene([volume(1)]);
    await rounds(ENOUGH - 1);
    clock.jump(-30 * DAY);
    await rounds(10);
    expect(array.changes).toEqual([]);
  });
});

describe('a bad day', () => {
  test.each(['readVolumes', 'readHosts'] as const)(
    '%s fails: nothing is done, and the row begins anew',
    async (call) => {
      const { array, cleaner, rounds, warnings } = scene([volume(1)], { seenFor: 10 * MINUTE });
      await rounds(2);
      array.failing = { [call]: away() };
      await rounds(5);
      expect([cleaner.status.problem, warnings.length]).toEqual(['no gateway answers', 1]);
      expect(array.changes).toEqual([]);
      array.failing = {};
      await rounds(2);
      expect([cleaner.status.problem, array.changes]).toEqual([null, []]);
      await rounds(1);
      expect(array.changes).toHaveLength(1);
    },
  );

  test('a round that read nothing at all begins the row anew, too', async () => {
    const { array, cleaner, rounds } = scene([volume(1)], { seenFor: 10 * MINUTE });
    await rounds(2);
    cleaner.lostSight();
    await rounds(2);
    expect(array.changes).toEqual([]);
    await rounds(1);
    expect(array.changes).toHaveLength(1);
  });

  test('no SDC is listed: nothing is concluded from that', async () => {
    const dead = volume(2, { name: 'docker-db', attachments: [mapping(hostId(9))] });
    const { array, cleaner, rounds } = scene([volume(1), dead], {
      ofUnknownHosts: true,
      deadSdcMappings: true,
    });
    array.hosts = [];
    await rounds(20);
    expect(cleaner.status.problem).toContain('lists no SDC');
    expect(array.changes).toEqual([]);
  });

  test('a list that lacks what is there: the array is asked about it alone', async () => {
    const familyId = 'v' as FamilyId;
    const held = volume(1, { name: 'docker-db', attachments: [mapping(hostId(1))] });
    const marker = volume(2, { name: markerName('never', id(1)), kind: 'snapshot' });
    const unfinished = volume(3, { familyId });
    const snapshot = volume(4, { name: 'docker-snap', familyId, kind: 'snapshot' });
    const { array, rounds, audit } = scene([held, marker, unfinished, snapshot], {
      ofUnknownHosts: true,
      deadSdcMappings: true,
    });
    array.hidden = new Set([hostId(1), id(4)]);
    await rounds(ENOUGH + 3);
    array.hidden = new Set([id(1), id(4)]);
    await rounds(ENOUGH + 3);
    expect(array.changes).toEqual([]);
    const blocked = audit.last.filter(({ outcome }) => outcome === 'blocked').map(({ why }) => why);
    expect(blocked.join()).toContain('the array has that SDC');
    expect(blocked.join()).toContain('the volume that it speaks of is there');
    expect(blocked.join()).toContain('it has snapshots');
  });

  test.each(['getHost', 'volumesOfFamily', 'getVolume', 'detachVolume', 'removeVolume'] as const)(
    '%s fails: told, and tried again after an hour, not each round; others are not kept waiting',
    async (call) => {
      const name = provisionalName(GUID, '', '0000000b');
      const other = volume(2, { name });
      const { array, rounds, outcomes, states, cleaner } = scene(
        [volume(1, { attachments: [mapping(hostId(1))] }), other],
        {},
      );
      array.failing = { [call]: away() };
      await rounds(ENOUGH + 2);
      expect(outcomes().filter((outcome) => outcome === 'remove-volume failed')).toHaveLength(1);
      expect(states()).toContain(call === 'removeVolume' ? 'watched' : 'set aside');
      expect(array.changes.filter((change) => change.startsWith('remove'))).toEqual([]);
      array.failing = {};
      await rounds(ENOUGH);
      expect(array.changes).toContain(`remove ${id(1)}`);
      expect(cleaner.status.problem).toBeNull();
    },
  );

  test('one that fails does not keep the next from being removed', async () => {
    const { array, rounds } = scene([
      volume(1),
      volume(2, { name: provisionalName(GUID, 'docker-', '0b0b0b0b') }),
    ]);
    array.beforeLook = () => {
      array.failing =
        array.changes.length === 0 && array.failing.removeVolume === undefined
          ? { removeVolume: away() }
          : {};
    };
    await rounds(ENOUGH + 1);
    expect(array.changes).toEqual([`remove ${id(2)}`]);
  });

  test('a refusal of the array is told', async () => {
    const { array, rounds, audit } = scene([volume(1)]);
    array.failing = {
      removeVolume: new GatewayRejectedError('cannot remove it: volume is mapped', {
        refusal: 'still-attached',
      }),
    };
    await rounds(ENOUGH);
    expect(audit.last.at(-1)).toMatchObject({
      outcome: 'failed',
      why: expect.stringContaining('could not remove it: cannot remove it: volume is mapped') as string,
    });
  });

  test('an error that nobody expects is not swallowed', async () => {
    const { array, rounds } = scene([volume(1)]);
    array.failing = { removeVolume: new Error('a bug') };
    await expect(rounds(ENOUGH)).rejects.toThrow('a bug');
  });

  test('a round that is cut off in the middle is a bad day like any other', async () => {
    const { array, cleaner, rounds } = scene([volume(1)], { seenFor: 10 * MINUTE });
    await rounds(2);
    array.failing = { readHosts: new CancelledError('cannot list all SDCs: cancelled') };
    await cleaner.round(AbortSignal.abort());
    expect([cleaner.status.problem, array.changes]).toEqual(['cannot list all SDCs: cancelled', []]);
  });
});

describe('just before, the array says otherwise', () => {
  test.each<[string, (array: ReturnType<typeof scene>['array']) => void, string]>([
    [
      'it has been renamed: a Create finished after all',
      (array) => (array.volumes = [volume(1, { name: 'docker-db' })]),
      'another name',
    ],
    [
      'it has been mapped',
      (array) => (array.volumes = [volume(1, { attachments: [mapping(hostId(2))] })]),
      'mapped meanwhile',
    ],
    [
      'it has been mapped to all',
      (array) => (array.volumes = [volume(1, { attachedToAll: true })]),
      'mapped',
    ],
  ])('%s', async (_, happen, why) => {
    const { array, rounds, audit, outcomes } = scene([volume(1)]);
    await rounds(ENOUGH - 1);
    array.beforeLook = () => {
      happen(array);
    };
    await rounds(1);
    expect([array.changes, outcomes()]).toEqual([[], ['remove-volume blocked']]);
    expect(audit.last[0]?.why).toContain(why);
  });

  test('it is gone: somebody else was quicker, which is success', async () => {
    const { array, rounds, outcomes } = scene([volume(1)]);
    array.beforeLook = () => (array.volumes = []);
    await rounds(ENOUGH);
    expect([array.changes, outcomes()]).toEqual([[], ['remove-volume done']]);
  });
});

test('of many only one goes per look', async () => {
  const names = ['0000000a', '0000000b', '0000000c'];
  const { array, rounds } = scene(
    names.map((end, n) => volume(n + 1, { name: provisionalName(GUID, 'docker-', end) })),
  );
  await rounds(ENOUGH);
  for (const count of [1, 2, 3]) {
    expect(array.changes).toHaveLength(count);
    await rounds(1);
  }
});

test('a dry run tells each once, and changes nothing', async () => {
  const other = provisionalName(GUID, 'docker-', '0000000b');
  const { array, rounds, outcomes, audit, states } = scene([volume(1), volume(2, { name: other })], {
    act: false,
  });
  await rounds(ENOUGH + 10);
  expect(array.changes).toEqual([]);
  expect(outcomes()).toEqual(['remove-volume planned', 'remove-volume planned']);
  expect(audit.last[0]?.why).toMatch(/never finished; would remove it$/);
  expect(states()).toEqual(['due', 'due']);
});

test('what the second look keeps is looked at again after an hour, not each round', async () => {
  const { array, rounds, outcomes } = scene([volume(1)]);
  array.hidden = new Set([id(2)]);
  array.volumes.push(volume(2, { name: 'docker-snap', kind: 'snapshot', familyId: volume(1).familyId }));
  await rounds(ENOUGH + 5);
  expect(outcomes()).toEqual(['remove-volume blocked']);
  await rounds(1);
  expect(outcomes()).toEqual(['remove-volume blocked', 'remove-volume blocked']);
});

test('what was gone and is back is news again', async () => {
  const { array, rounds, outcomes } = scene([volume(1)], { act: false });
  await rounds(ENOUGH);
  const all = array.volumes;
  array.volumes = [];
  await rounds(1);
  array.volumes = all;
  await rounds(ENOUGH);
  expect(outcomes()).toEqual(['remove-volume planned', 'remove-volume planned']);
});

describe('a mapping of an SDC that is gone', () => {
  const dead = volume(1, { name: 'docker-db', attachments: [mapping(hostId(9)), mapping(hostId(1))] });

  test('is taken back when the SDC has been missed long enough, that one alone', async () => {
    const { array, rounds, audit } = scene([dead], { deadSdcMappings: true, sdcGoneFor: 2 * HOUR });
    await rounds(12);
    expect(array.changes).toEqual([]);
    await rounds(1);
    expect(array.changes).toEqual([`unmap ${id(1)} ${hostId(9)}`]);
    expect(audit.last).toMatchObject([
      { action: 'unmap', outcome: 'done', target: `volume "docker-db" (${id(1)}) at SDC "5dc9"` },
    ]);
    await rounds(20);
    expect(array.changes).toHaveLength(1);
  });

  test('begins anew when the SDC was listed in between', async () => {
    const { array, rounds } = scene([dead], { deadSdcMappings: true });
    await rounds(ENOUGH - 1);
    array.hosts = [sdc(1), sdc(2), sdc(9)];
    await rounds(1);
    array.hosts = [sdc(1), sdc(2)];
    await rounds(ENOUGH - 1);
    expect(array.changes).toEqual([]);
  });

  test('that is gone just before needs nothing', async () => {
    const { array, rounds, outcomes } = scene([dead], { deadSdcMappings: true });
    array.beforeLook = () => (array.volumes = [{ ...dead, attachments: [] }]);
    await rounds(ENOUGH);
    expect([array.changes, outcomes()]).toEqual([[], ['unmap done']]);
  });

  test('is never looked for where any volume would count as ours', () => {
    expect(() => scene([], { prefix: '', deadSdcMappings: true })).toThrow(ConfigError);
    expect(() => scene([], { prefix: '' })).not.toThrow();
  });
});

test('an orphaned marker goes alone', async () => {
  const marker = volume(1, { name: markerName('never', id(9)), kind: 'snapshot' });
  const sibling = volume(2, { name: 'docker-snap', kind: 'snapshot', familyId: marker.familyId });
  const { array, rounds } = scene([marker, sibling], { ofUnknownHosts: true });
  await rounds(ENOUGH);
  expect(array.changes).toEqual([`remove ${id(1)}`]);
});
