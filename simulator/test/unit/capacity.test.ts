import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IoCounters } from '../../src/hosts/io-counters.ts';
import {
  deviceStatistics,
  domainStatistics,
  poolStatistics,
  sdsStatistics,
  systemStatistics,
} from '../../src/gateway/statistics.ts';
import { allocatable } from '../../src/mdm/capacity.ts';
import { createDevice, removeDevice, setSdsConnected } from '../../src/mdm/devices.ts';
import { ArrayError } from '../../src/mdm/failures.ts';
import { settleMovements } from '../../src/mdm/movements.ts';
import { changePool } from '../../src/mdm/pools.ts';
import { snapshotVolumes } from '../../src/mdm/snapshots.ts';
import { createVolume, removeVolume } from '../../src/mdm/volumes.ts';
import { testCluster, type TestCluster } from './cluster.ts';

const gib = 1024 * 1024;

test.each([
  ['csi get_storage_pool_statistics.json', 263_474_176, 117_440_512],
  ['ansible storagepool.py', 758_708_224, 369_098_752],
])("[%s] the capture's unused capacity gives the capture's allocatable capacity", (_, unused, available) => {
  expect(allocatable(unused)).toBe(available);
});

const step = fc.oneof(
  fc.record({
    kind: fc.constant('create' as const),
    pool: fc.nat(2),
    gib: fc.integer({ min: 1, max: 2000 }),
    thick: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('write' as const), volume: fc.nat(20), gib: fc.nat(900) }),
  fc.record({ kind: fc.constant('snapshot' as const), volume: fc.nat(20) }),
  fc.record({ kind: fc.constant('remove' as const), volume: fc.nat(20) }),
  fc.record({ kind: fc.constant('fill' as const), pool: fc.nat(2), gib: fc.nat(20_000) }),
  fc.record({ kind: fc.constant('add-device' as const), pool: fc.nat(2), sds: fc.nat(5) }),
  fc.record({ kind: fc.constant('remove-device' as const), device: fc.nat(12) }),
  fc.record({ kind: fc.constant('sds' as const), sds: fc.nat(5), connected: fc.boolean() }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(5000) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function pick<T>(values: Iterable<T>, position: number): T | undefined {
  const all = [...values];
  return all[position % Math.max(1, all.length)];
}

function apply(cluster: TestCluster, one: Step, number: number): void {
  const { state } = cluster;
  const volume = 'volume' in one ? pick(state.volumes.values(), one.volume) : undefined;
  const pool = 'pool' in one ? pick(state.pools.values(), one.pool) : undefined;
  const sds = 'sds' in one ? pick(state.sdss.values(), one.sds) : undefined;
  cluster.change((c) => {
    if (one.kind === 'wait') cluster.at += one.seconds * 1000;
    if (one.kind === 'create' && pool) {
      const type = one.thick ? 'ThickProvisioned' : 'ThinProvisioned';
      createVolume(c, { sizeKiB: one.gib * gib, poolId: pool.id, type });
    }
    if (one.kind === 'write' && volume)
      cluster.written.set(volume.id, Math.min(volume.sizeKiB, one.gib * gib));
    if (one.kind === 'snapshot' && volume) {
      snapshotVolumes(c, {
        definitions: [{ volumeId: volume.id }],
        accessModeLimit: 'ReadWrite',
        retentionMinutes: 0,
      });
    }
    if (one.kind === 'remove' && volume) removeVolume(c, volume.id, 'ONLY_ME');
    if (one.kind === 'fill' && pool) changePool(c, pool.id, { fillKiB: one.gib * gib });
    if (one.kind === 'add-device' && pool && sds) {
      createDevice(c, { sdsId: sds.id, poolId: pool.id, path: `/dev/x${number}`, maxKiB: 1000 * gib });
    }
    if (one.kind === 'remove-device') {
      const device = pick(state.devices.values(), one.device);
      if (device) removeDevice(c, device.id);
    }
    if (one.kind === 'sds' && sds) setSdsConnected(c, sds.id, one.connected);
  });
}

type Numbers = Record<string, number>;

function holdsTogether(cluster: TestCluster): void {
  const source = { cluster, io: new IoCounters(cluster.now, 10_000) };
  const { state } = cluster;
  cluster.change(settleMovements);
  const value = (numbers: Numbers, name: string): number => numbers[name] ?? Number.NaN;
  const pools = [...state.pools.values()].map((pool) => {
    const numbers = poolStatistics(source, pool.id) as Numbers;
    const of = (name: string): number => value(numbers, name);
    expect(of('capacityInUseInKb') + of('spareCapacityInKb') + of('unusedCapacityInKb')).toBe(
      of('capacityLimitInKb'),
    );
    expect(of('thickCapacityInUseInKb') + of('thinCapacityInUseInKb')).toBe(of('capacityInUseInKb'));
    expect(
      of('protectedCapacityInKb') + of('degradedHealthyCapacityInKb') + of('degradedFailedCapacityInKb'),
    ).toBe(of('capacityInUseInKb'));
    expect(of('capacityAvailableForVolumeAllocationInKb') % (8 * gib)).toBe(0);
    expect(of('numOfThickBaseVolumes') + of('numOfThinBaseVolumes') + of('numOfSnapshots')).toBe(
      of('numOfVolumes'),
    );
    for (const number of Object.values(numbers))
      if (typeof number === 'number') expect(number).toBeGreaterThanOrEqual(0);
    const devices = state.devices.many(state.devicesByPool.ids(pool.id));
    const onDevices = devices.map((device) =>
      value(deviceStatistics(source, device.id) as Numbers, 'capacityInUseInKb'),
    );
    expect(Math.min(0, ...onDevices)).toBe(0);
    const sdsUp = devices.some((device) => !device.removing && state.sdss.get(device.sdsId)?.connected);
    if (sdsUp) expect(onDevices.reduce((a, b) => a + b, 0)).toBe(of('capacityInUseInKb'));
    return numbers;
  });
  const system = systemStatistics(source) as Numbers;
  const domains = [...state.domains.values()].map((domain) => domainStatistics(source, domain.id) as Numbers);
  for (const name of [
    'capacityLimitInKb',
    'capacityInUseInKb',
    'unusedCapacityInKb',
    'spareCapacityInKb',
    'numOfVolumes',
  ]) {
    const sum = (parts: Numbers[]): number => parts.reduce((total, part) => total + value(part, name), 0);
    expect([value(system, name), sum(domains)]).toEqual([sum(pools), sum(pools)]);
  }
  const sdss = [...state.sdss.values()].map(
    (sds) => (sdsStatistics(source, sds.id) as Numbers)['numOfDevices'] ?? 0,
  );
  expect(sdss.reduce((a, b) => a + b, 0)).toBe(state.devices.size);
}

test('data that goes while it is on the move is on no device any more', () => {
  const cluster = testCluster();
  const [pool] = cluster.state.pools.values();
  const [device] = cluster.state.devices.values();
  const poolId = pool?.id ?? '';
  cluster.change((c) => {
    createDevice(c, { sdsId: device?.sdsId ?? '', poolId, path: '/dev/x', maxKiB: 4096 * gib });
    changePool(c, poolId, { fillKiB: 6000 * gib });
    removeDevice(c, device?.id ?? '');
  });
  holdsTogether(cluster);
  cluster.change((c) => {
    changePool(c, poolId, { fillKiB: 1 });
  });
  holdsTogether(cluster);
});

test('statistics add up at every level whatever happens', () => {
  const pools = [
    { name: 'sp1', devices: 3, deviceGiB: 4096 },
    { name: 'sp2', devices: 3, deviceGiB: 1000 },
  ];
  const domain = { sdss: 3, faultSets: [] };
  const domains = [
    { ...domain, name: 'pd1', pools },
    { ...domain, name: 'pd2', pools: pools.slice(1) },
  ];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const cluster = testCluster('3.6', domains);
      for (const [number, one] of steps.entries()) {
        try {
          apply(cluster, one, number);
        } catch (error) {
          if (!(error instanceof ArrayError)) throw error;
        }
        holdsTogether(cluster);
      }
    }),
    { numRuns: 150 },
  );
});
