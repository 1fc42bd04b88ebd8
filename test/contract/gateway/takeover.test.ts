import { describe, expect, test } from 'vitest';
import { VolumeInUseError } from '../../../src/errors.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { markerName } from '../../../src/volumes/naming.ts';
import type { FenceRecord } from '../../../src/volumes/ports.ts';
import { Takeover, type TakingHost } from '../../../src/volumes/takeover/takeover.ts';
import type { HostId, SystemId, VolumeId } from '../../../src/array/ids.ts';
import type { FailoverPolicy } from '../../../src/volumes/volume.ts';
import { setNvmeHost } from 'scaleio-simulator/operations';
import { newVolume, simulated, soon, twoSdcs } from './simulated.ts';

const HOLDER_GUID = '11111111-1111-1111-1111-111111111111';

/** A volume that SDC one holds, and SDC two that wants it. */
async function scene(version: '2.6' | '3.6' | '4.5', failover: FailoverPolicy = 'disconnected') {
  const { simulator, gateway, calls } = await simulated({ version });
  const { one, two } = await twoSdcs(simulator);
  const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
  await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
  const records: FenceRecord[] = [];
  const host: TakingHost = {
    array: gateway,
    clock: systemClock,
    fences: {
      record: (fence) => records.push(fence),
      recentOf: () => records,
      latest: () => Promise.resolve(records.at(-1)),
    },
    policy: {
      prefix: 'docker-',
      failover,
      heldWaitMs: 10_000,
      abandonedMountMs: 0,
      inheritedMountMs: 0,
      releaseWaitMs: 0,
      cleanupMs: 0,
      lateMs: 0,
      removeGraceMs: 0,
      refuseAbovePercent: undefined,
      takeover: { graceMs: 20, pollMs: 5, idleWindowMs: 30, moveLimit: 5, moveWindowMs: 60_000 },
    },
  };
  const free = async (): Promise<HostId[]> => {
    const volume = await gateway.getVolume(id, soon());
    if (volume === undefined) throw new Error('no volume');
    calls();
    const me = {
      systemId: simulator.systemId as SystemId,
      hostId: two,
      guid: '',
      hostName: null,
      hostAddress: null,
    };
    const firstHolders = new Set(volume.attachments.map(({ hostId }) => hostId));
    const freed = await new Takeover(host).free(volume, { name: 'db', me, firstHolders }, soon());
    return freed.attachments.map(({ hostId }) => hostId);
  };
  const holders = async (): Promise<HostId[]> =>
    ((await gateway.getVolume(id, soon()))?.attachments ?? []).map(({ hostId }) => hostId);
  return { simulator, gateway, calls, id, one, two, free, holders, records };
}

const taken = (id: VolumeId, one: HostId): unknown[] => [
  `GET /api/instances/Sdc::${one}`,
  'POST /api/types/Volume/instances/action/queryIdByKey',
  `POST /api/instances/Volume::${id}/action/removeMappedSdc`,
  `GET /api/instances/Volume::${id}`,
];

describe.each(['2.6', '3.6', '4.5'] as const)('version %s', (version) => {
  test('a volume is taken from an SDC that has lost the array, in four calls', async () => {
    const { simulator, calls, id, one, free, holders, records } = await scene(version);
    simulator.silence(HOLDER_GUID);
    expect(await free()).toEqual([]);
    expect(calls()).toEqual(taken(id, one));
    expect(await holders()).toEqual([]);
    expect(records).toMatchObject([{ from: one, outcome: 'taken' }]);
  });

  test('an SDC that is connected keeps it', async () => {
    const { one, free, holders, records } = await scene(version);
    await expect(free()).rejects.toThrow(VolumeInUseError);
    expect(await holders()).toEqual([one]);
    expect(records).toEqual([]);
  });

  test("the volume's own policy is read from its marker", async () => {
    const { gateway, id, free, holders, records } = await scene(version);
    await gateway.snapshotVolume(id, markerName('always', id), soon());
    await free();
    expect(await holders()).toEqual([]);
    expect(records).toMatchObject([{ policy: 'always' }]);
  });

  test('"idle" asks the statistics', async () => {
    const { simulator, id, one, free, holders } = await scene(version, 'idle');
    const io = { volumeId: id, readKiB: 4, reads: 1, writeKiB: 0, writes: 0, seconds: 1 };
    simulator.array.io.add(one, [io]);
    await expect(free()).rejects.toThrow('doing I/O');
    expect(await holders()).toEqual([one]);
  });
});

/** A volume that an NVMe host has and writes to, and SDC two that wants it. */
async function nvmeScene(controllers: readonly (boolean | null)[]) {
  const all = await scene('4.5');
  const { simulator, gateway, id, one } = all;
  await gateway.detachVolume(id, one, soon());
  const host = { nqn: 'nqn.2014-08.org.nvmexpress:uuid:one', name: 'nvme-one', controllers };
  const { id: hostId } = await simulator.array.perform((cluster) =>
    setNvmeHost(cluster, { ...host, volumeIds: [id] }),
  );
  return { ...all, hostId: hostId as HostId };
}

test.each([
  ['one path up', [false, true]],
  ['no path listed', []],
  ['a path of which the array says nothing', [false, null]],
])('rule 16: an NVMe host with %s keeps its volume', async (_what, controllers) => {
  const { hostId, free, holders, records } = await nvmeScene(controllers);
  await expect(free()).rejects.toThrow(/held by host nvme-one, which (is connected|may be using it)/);
  expect(await holders()).toEqual([hostId]);
  expect(records).toEqual([]);
});

test('a volume is taken from an NVMe host all of whose paths are down, and seen to be', async () => {
  const { calls, hostId, free, holders, records, id } = await nvmeScene([false, false]);
  expect(await free()).toEqual([]);
  const [sdc, never, , again] = taken(id, hostId);
  const controllers = `GET /api/instances/Host::${hostId}/relationships/NvmeController`;
  const unmap = `POST /api/instances/Volume::${id}/action/removeMappedHost`;
  expect(calls()).toEqual([sdc, controllers, never, unmap, again]);
  expect(await holders()).toEqual([]);
  expect(records).toMatchObject([{ from: hostId, outcome: 'taken' }]);
});
