import { describe, expect, test } from 'vitest';
import { removeSdc } from 'scaleio-simulator/operations';
import type { SimulatorOptions } from 'scaleio-simulator';
import { markerName, provisionalName } from '../../../src/volumes/naming.ts';
import type { ArrayName, HostId, VolumeId } from '../../../src/array/ids.ts';
import { newVolume, soon, twoSdcs } from '../gateway/simulated.ts';
import { MINUTE, rounds, stewarded } from './scene.ts';

const DEAD = '11111111-1111-1111-1111-111111111111';
const ALIVE = '22222222-2222-2222-2222-222222222222';
const HOUR = 60 * MINUTE;
const CLEANUP = { every: '10m', provisionalOlderThan: '24h', seenFor: '1h' };
/** Minutes until an hour has been watched. */
const ENOUGH = 61;

/** An array with two hosts, one of which died in the middle of a Create that had a failover policy. */
async function scene(options: SimulatorOptions = {}) {
  const world = await stewarded(options);
  const { clock, gateway, simulator } = world;
  const { one: dead, two: alive } = await twoSdcs(simulator);
  const make = async (name: string): Promise<VolumeId> =>
    gateway.createVolume(await newVolume(gateway, name), soon());
  const map = (volumeId: VolumeId, hostId: HostId) =>
    gateway.attachVolume({ volumeId, hostId, readOnly: false }, soon());
  const leftover = provisionalName(DEAD, 'docker-', '0000000a');
  const id = await make(leftover);
  await gateway.snapshotVolume(id, markerName('never', id), soon());
  await map(id, dead);
  const busy = provisionalName(ALIVE, 'docker-', '0000000b');
  await map(await make(busy), alive);
  const db = await make('docker-db');
  await map(db, dead);
  await make('datastore');
  simulator.silence(DEAD);
  clock.advance(25 * HOUR);
  const names = () => [...simulator.array.cluster.state.volumes.values()].map(({ name }) => name).toSorted();
  const rest = ['datastore', 'docker-db', busy].toSorted();
  return { ...world, dead, alive, make, map, id, leftover, db, names, rest, all: names() };
}

describe.each(['2.6', '3.6', '4.5'] as const)('version %s', (version) => {
  test('what a dead host left of a Create is removed with its marker, everything else stays', async () => {
    const { clock, steward, names, rest, all, dead, db, gateway } = await scene({ version });
    const { steward: one, audit } = steward({ cleanup: CLEANUP });
    await rounds(clock, ENOUGH - 1, one);
    expect(names()).toEqual(all);
    await rounds(clock, 1, one);
    expect(names()).toEqual(rest);
    expect(audit.last.filter(({ outcome }) => outcome === 'done')).toMatchObject([
      {
        action: 'remove-volume',
        why: expect.stringContaining('which is away, and never finished') as string,
      },
    ]);
    await rounds(clock, 120, one);
    expect(names()).toEqual(rest);
    // An SDC that is only away keeps what it has: that is for the failover policy.
    expect((await gateway.getVolume(db, soon()))?.attachments.map(({ hostId }) => hostId)).toEqual([dead]);
  });
});

test('dry run, the default, says once what would be done and changes nothing', async () => {
  const { clock, steward, names, all, leftover, simulator } = await scene();
  const { steward: one, audit } = steward({ act: false, cleanup: CLEANUP });
  simulator.requests.clear();
  await rounds(clock, 3 * ENOUGH, one);
  expect(names()).toEqual(all);
  const planned = audit.last.filter(({ outcome }) => outcome === 'planned');
  expect(planned).toMatchObject([
    { action: 'remove-volume', target: expect.stringContaining(leftover) as string },
  ]);
  const actions = simulator.requests.all().filter(({ path }) => path.includes('/action/'));
  expect(actions.filter(({ path }) => !path.includes('Statistics'))).toEqual([]);
  expect(one.snapshot().cleanup).toMatchObject({
    problem: null,
    findings: [{ state: 'due' }, { state: 'kept', why: expect.stringContaining('is connected') as string }],
  });
});

test('without a section for it nothing is looked for', async () => {
  const { clock, steward, names, all, simulator } = await scene();
  const { steward: one } = steward();
  simulator.requests.clear();
  await rounds(clock, ENOUGH, one);
  expect([names(), one.snapshot().cleanup]).toEqual([all, null]);
  expect(simulator.requests.all().filter(({ path }) => /Volume|Sdc/.test(path))).toEqual([]);
});

test('two stewards by accident, in step: the leftover goes, and neither calls that a failure', async () => {
  const { clock, steward, names, rest } = await scene();
  const [one, other] = [steward({ cleanup: CLEANUP }), steward({ cleanup: CLEANUP })];
  await rounds(clock, 2 * ENOUGH, one.steward, other.steward);
  expect(names()).toEqual(rest);
  const records = [...one.audit.last, ...other.audit.last];
  expect(records.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(records.filter(({ outcome }) => outcome === 'done').length).toBeGreaterThan(0);
});

test('the host comes back while it is watched: its leftovers stay its own affair', async () => {
  const { clock, steward, names, all, simulator } = await scene();
  const { steward: one } = steward({ cleanup: CLEANUP });
  await rounds(clock, 55, one);
  simulator.silence(DEAD, false);
  await simulator.connectSdc({ guid: DEAD });
  await rounds(clock, 2 * ENOUGH, one);
  expect(names()).toEqual(all);
});

test('a Create that finished meanwhile is a volume like any other', async () => {
  const { clock, steward, names, gateway, id } = await scene();
  const { steward: one } = steward({ cleanup: CLEANUP });
  await rounds(clock, 55, one);
  await gateway.renameVolume(id, 'docker-new' as ArrayName, soon());
  await rounds(clock, 2 * ENOUGH, one);
  expect(names()).toContain('docker-new');
});

test('the gateway is away, then loses a reply: nothing is removed twice, and nothing is called a failure', async () => {
  const { clock, steward, names, all, rest, simulator } = await scene();
  const { steward: one, audit } = steward({ cleanup: CLEANUP });
  await rounds(clock, 55, one);
  await simulator.gateways[0]?.down();
  await rounds(clock, 200, one);
  expect(names()).toEqual(all);
  await simulator.gateways[0]?.up();
  simulator.faults.add({ kind: 'reply-lost', path: 'action/(removeVolume|removeMappedSdc)', count: 2 });
  await rounds(clock, 15, one);
  expect(names()).toEqual(all);
  await rounds(clock, 20, one);
  expect(names()).toEqual(rest);
  expect(audit.last.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
});

describe('an array that lists', () => {
  test.each([
    ['no SDCs', 'types/Sdc/instances$', []],
    ['what is no list', 'types/Sdc/instances$', { id: 'x' }],
    ['volumes without a size', 'types/Volume/instances$', [{ id: 'aa', storagePoolId: 'bb' }]],
  ])('%s is not believed', async (_, path, body) => {
    const { clock, steward, names, all, rest, simulator } = await scene();
    const { steward: one } = steward({
      cleanup: { ...CLEANUP, ofUnknownHosts: true, deadSdcMappings: true },
    });
    const rule = simulator.faults.add({ kind: 'error', path, status: 200, body });
    await rounds(clock, 3 * ENOUGH, one);
    expect(names()).toEqual(all);
    expect(one.snapshot().cleanup?.problem).not.toBeNull();
    simulator.faults.remove(rule);
    await rounds(clock, 2 * ENOUGH, one);
    expect(names()).toEqual(rest);
  });
});

describe('hosts whose SDC has been removed from the array', () => {
  const removed = async () => {
    const world = await scene();
    const { gateway, simulator, id, dead, db } = world;
    await gateway.detachVolume(id, dead, soon());
    await gateway.detachVolume(db, dead, soon());
    await simulator.array.perform((cluster) => {
      removeSdc(cluster, dead);
    });
    return world;
  };

  test('leave a volume that could be of another prefix, so it stays', async () => {
    const { clock, steward, names, all } = await removed();
    await rounds(clock, 2 * ENOUGH, steward({ cleanup: CLEANUP }).steward);
    expect(names()).toEqual(all);
  });

  test('and goes where the policy allows it, as does a marker whose volume is gone', async () => {
    const { clock, steward, names, rest, id, gateway, make } = await removed();
    const lost = await make('docker-lost');
    await gateway.snapshotVolume(lost, markerName('always', lost), soon());
    await gateway.removeVolume(lost, soon());
    clock.advance(25 * HOUR);
    const { steward: one } = steward({ cleanup: { ...CLEANUP, ofUnknownHosts: true } });
    await rounds(clock, 3 * ENOUGH, one);
    expect(names()).toEqual(rest);
    expect(await gateway.getVolume(id, soon())).toBeUndefined();
  });
});

describe('mappings of SDCs that are gone', () => {
  const cleanup = { ...CLEANUP, deadSdcMappings: true, sdcGoneFor: '1h' };

  test('cannot come about: the array does not remove an SDC that has mappings', async () => {
    const { simulator, dead } = await scene();
    const removing = simulator.array.perform((cluster) => {
      removeSdc(cluster, dead);
    });
    await expect(removing).rejects.toMatchObject({ code: 180 });
  });

  test('where one came about all the same, it is asked to take it back, and a refusal is told, once an hour', async () => {
    const { clock, steward, simulator, dead, db } = await scene();
    await simulator.array.perform((cluster) => {
      cluster.state.sdcs.delete(dead);
    });
    const { steward: one, audit } = steward({ cleanup });
    simulator.requests.clear();
    await rounds(clock, ENOUGH + 30, one);
    const sent = simulator.requests.all().filter(({ path }) => path.includes('removeMappedSdc'));
    expect(sent.map(({ path }) => path)).toEqual([expect.stringContaining(`Volume::${db}`) as string]);
    expect(audit.last.filter(({ action }) => action === 'unmap')).toMatchObject([
      { outcome: 'failed', why: expect.stringContaining('which the array does not have any more') as string },
    ]);
  });
});
