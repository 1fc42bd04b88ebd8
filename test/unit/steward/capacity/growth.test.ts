import { describe, expect, test } from 'vitest';
import { planGrowth, type GrowthMemory } from '../../../../src/steward/capacity/growth.ts';
import { parsePolicy } from '../../../../src/steward/policy-file.ts';
import type { GrowthPolicy } from '../../../../src/steward/policy.ts';
import type { ClusterReading, PoolCapacity } from '../../../../src/array/pool.ts';
import { clusterOf, device, poolAt, sds, TIB } from './cluster.ts';

const FRESH: GrowthMemory = { coolDownLeftMs: 0, failedDisks: new Set() };
const path = (number: number): string => `/dev/disk/by-id/spare-${number}`;

function growth(change: Partial<GrowthPolicy> = {}): GrowthPolicy {
  const devices = [1, 2, 3].map((number) => ({ sds: `sds${number}`, path: path(number) }));
  const pool = { pool: 'sp1', grow: { above: 85, maxDevices: 9, devices } };
  const grow = parsePolicy(JSON.stringify({ version: 1, pools: [pool] }), 'p').pools[0]?.grow;
  if (grow === undefined) throw new Error('no growth');
  return { ...grow, ...change };
}

function planFor(
  percent: number,
  change: {
    capacity?: Partial<PoolCapacity>;
    cluster?: Partial<ClusterReading>;
    policy?: Partial<GrowthPolicy>;
    memory?: Partial<GrowthMemory>;
  } = {},
) {
  const pool = poolAt(percent, change.capacity);
  return planGrowth(pool, clusterOf(pool, change.cluster), growth(change.policy), {
    ...FRESH,
    ...change.memory,
  });
}

test('below the limit nothing is wanted', () => {
  expect(planFor(84.9)).toEqual({ kind: 'idle' });
});

test('at the limit the next declared disk is wanted, under a name that both stewards would give it', () => {
  const plan = planFor(85);
  expect(plan).toMatchObject({ kind: 'add', device: { path: path(1), sdsId: 'sds-1', poolId: 'pool-1' } });
  expect(plan).toEqual(planFor(85));
  if (plan.kind === 'add') expect(plan.device.name).toMatch(/^steward-[0-9a-f]{16}$/);
});

test('the fault unit with the least capacity comes first', () => {
  const devices = [device(1), device(1, { paths: ['/dev/disk/by-id/x'] }), device(2), device(3)];
  expect(planFor(90, { cluster: { devices } })).toMatchObject({ device: { path: path(2) } });
  const inSets = [sds(1, { faultSetId: 'a' }), sds(2, { faultSetId: 'b' }), sds(3, { faultSetId: 'b' })];
  const plan = planFor(90, { cluster: { sdss: inSets } });
  expect(plan).toMatchObject({ device: { path: path(1) } });
});

test('a disk that the array has already, under its path or our name, is not added again', () => {
  const byPath = device(1, { paths: ['/dev/sdk', path(1)] });
  expect(planFor(90, { cluster: { devices: [byPath, device(2), device(3)] } })).toMatchObject({
    device: { path: path(2) },
  });
  const first = planFor(90);
  if (first.kind !== 'add') throw new Error(first.kind);
  const byName = device(1, { name: first.device.name, paths: ['/dev/sdk'] });
  expect(planFor(90, { cluster: { devices: [byName, device(2), device(3)] } })).toMatchObject({
    device: { path: path(2) },
  });
});

describe('nothing is added', () => {
  const troubled = (why: string) => [sds(1), sds(2), sds(3, { trouble: why })];
  test.each([
    ['while data is degraded', { capacity: { degradedKiB: TIB } }, 'degraded'],
    ['while data has failed', { capacity: { failedKiB: 1 } }, 'failed'],
    ['while an SDS is in maintenance', { capacity: { inMaintenanceKiB: 1 } }, 'maintenance'],
    ['during a rebuild', { capacity: { rebuildKiB: TIB, degradedKiB: TIB } }, 'rebuild'],
    ['during a rebalance', { capacity: { rebalanceKiB: TIB } }, 'rebalanced'],
    ['when numbers contradict', { capacity: { unusedKiB: 9 * TIB } }, 'contradict'],
    ['when an SDS of the pool is away', { cluster: { sdss: troubled('Disconnected') } }, 'Disconnected'],
    ['when a device is in trouble', { cluster: { devices: [device(1, { trouble: 'Error' })] } }, 'Error'],
    ['while cooling down', { memory: { coolDownLeftMs: 1500 } }, 'cooling down for 2 s'],
    ['at most devices', { policy: { maxDevices: 3 } }, 'as many devices as maxDevices allows'],
    ['past the most capacity', { policy: { maxCapacity: 15 * TIB } }, 'would exceed its maxCapacity'],
    ['without a declared disk', { policy: { devices: [] } }, 'all are in use'],
  ])('%s', (_, change, why) => {
    const plan = planFor(99, change);
    expect(plan.kind).toBe('blocked');
    if (plan.kind === 'blocked') expect(plan.why).toContain(why);
  });

  test('when rebalancing is switched off', () => {
    const pool = { ...poolAt(99), rebalanceEnabled: false };
    expect(planGrowth(pool, clusterOf(pool), growth(), FRESH)).toMatchObject({ kind: 'blocked' });
  });
});

test('disks that cannot be added now are passed over, and each is said with its reason', () => {
  const failedDisks = new Set([`sds-1 ${path(1)}`]);
  expect(planFor(90, { memory: { failedDisks } })).toMatchObject({ device: { path: path(2) } });
  const wrong = [
    { sds: 'sds9', path: path(1) },
    { sds: 'sds2', path: path(2) },
  ];
  const sdss = [sds(1), sds(2, { domainId: 'pd-2' }), sds(3)];
  const plan = planFor(90, { policy: { devices: wrong }, cluster: { sdss } });
  if (plan.kind !== 'blocked') throw new Error(plan.kind);
  expect(plan.why).toContain('no SDS "sds9"');
  expect(plan.why).toContain('another protection domain');
});

test('a provider is asked only when no declared disk is left', () => {
  const provider = { url: 'http://x', secretFile: '/s', timeout: 1000, attempts: 1 };
  expect(planFor(90, { policy: { provider } }).kind).toBe('add');
  expect(planFor(90, { policy: { provider, devices: [] } })).toMatchObject({ kind: 'ask' });
});
