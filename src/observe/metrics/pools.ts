import { Gauge, type Registry } from 'prom-client';
import { doneOf } from '../../steward/capacity/progress.ts';
import type { PoolStatus } from '../../steward/capacity/pool-watch.ts';
import type { PoolCapacity } from '../../array/pool.ts';
import type { StewardSnapshot } from '../../steward/steward.ts';

const POOL = ['system', 'domain', 'pool'] as const;
type PoolLabels = Readonly<Record<(typeof POOL)[number], string>>;

/** Adds a gauge whose labels are the pool's and more; `show` sets what there is to show of one pool. */
type AddGauge = (
  name: string,
  help: string,
  more: readonly string[],
  show: (pool: PoolStatus, set: (value: number, more?: Readonly<Record<string, string>>) => void) => void,
) => void;

const LEVELS: readonly PoolStatus['level'][] = ['ok', 'warn', 'critical', 'unknown'];

/** What the array counts, by metric: help, and where it stands. */
const BYTES: Readonly<Record<string, readonly [string, keyof PoolCapacity]>> = {
  capacity: ['Bytes that a storage pool has in all, the spare too; raw: both copies counted', 'limitKiB'],
  spare: ['Bytes of a storage pool that are kept free for a failure', 'spareKiB'],
  used: ['Bytes of a storage pool that are used', 'usedKiB'],
  unused: ['Bytes of a storage pool that may still be used', 'unusedKiB'],
  thin_committed: ['Size of the thin volumes of a pool, whether written or not, raw', 'thinCommittedKiB'],
  failed: ['Used bytes that have no healthy copy and cannot be read now', 'failedKiB'],
  degraded: ['Used bytes that have one healthy copy', 'degradedKiB'],
  in_maintenance: ['Bytes on servers that are in maintenance', 'inMaintenanceKiB'],
  unreachable: ['Bytes that cannot be reached, because their server or device is away', 'unreachableKiB'],
  rebuild: ['Bytes still to be copied to have two copies again', 'rebuildKiB'],
  rebalance: ['Bytes still to be moved until the devices are used evenly', 'rebalanceKiB'],
};

/**
 * Adds the gauges of the array's storage pools as the steward last read them: all of the array, and none that it no longer has.
 */
export function watchPools(registry: Registry, snapshot: () => StewardSnapshot): void {
  const gauge: AddGauge = (name, help, more, show) => {
    new Gauge({
      name: `scaleio_pool_${name}`,
      help,
      labelNames: [...POOL, ...more],
      registers: [registry],
      collect() {
        this.reset();
        const { pools, systemId } = snapshot();
        for (const pool of pools)
          show(pool, (value, labels) => {
            this.set({ ...labelsOf(pool, systemId), ...labels }, value);
          });
      },
    });
  };
  for (const [name, [help, field]] of Object.entries(BYTES))
    gauge(`${name}_bytes`, help, [], ({ reading }, set) => {
      set(reading.capacity[field] * 1024);
    });
  watchFullness(gauge, snapshot);
  gauge(
    'level',
    "1 for the level that a pool of the policy has (unknown: the array's numbers contradict each other), else 0",
    ['level'],
    ({ level: has, watched }, set) => {
      if (watched !== undefined) for (const level of LEVELS) set(level === has ? 1 : 0, { level });
    },
  );
  gauge(
    'threshold_ratio',
    'Used ratio at which the policy begins a level: warn, critical',
    ['level'],
    ({ watched }, set) => {
      if (watched === undefined) return;
      set(watched.warn / 100, { level: 'warn' });
      set(watched.critical / 100, { level: 'critical' });
    },
  );
  gauge(
    'condition',
    '1 while a pool is impaired (something failed, degraded, in maintenance or unreachable), rebuilding, rebalancing; else 0',
    ['condition'],
    ({ health }, set) => {
      for (const [condition, is] of Object.entries(health)) set(is ? 1 : 0, { condition });
    },
  );
  watchProgress(gauge);
  gauge('devices', 'Devices that a pool has', [], ({ devices }, set) => {
    set(devices);
  });
  watchForecast(gauge, snapshot);
}

function watchProgress(gauge: AddGauge): void {
  gauge(
    'progress_ratio',
    'How far a rebuild or rebalance of a pool has come, of the most that was left since the steward saw it begin, 0 to 1; only while it goes on',
    ['what'],
    ({ rebuild, rebalance }, set) => {
      for (const [what, progress] of Object.entries({ rebuild, rebalance }))
        if (progress !== undefined) set(doneOf(progress), { what });
    },
  );
}

/** Nothing where the past says nothing: a number that stands for "unknown" would be taken for one. */
function watchForecast(gauge: AddGauge, snapshot: () => StewardSnapshot): void {
  gauge(
    'full_timestamp_seconds',
    'When a pool will be full if it grows as it did; only where its past says so',
    [],
    ({ forecast }, set) => {
      const { readAt } = snapshot();
      if (forecast.kind === 'full' && readAt !== null) set((Date.parse(readAt) + forecast.inMs) / 1000);
    },
  );
  gauge(
    'growth_bytes_per_second',
    'How fast the used bytes of a pool grow, by the same forecast',
    [],
    ({ forecast }, set) => {
      if (forecast.kind === 'full') set((forecast.kibPerDay * 1024) / 86_400);
    },
  );
}

function labelsOf({ reading }: PoolStatus, systemId: string | null): PoolLabels {
  return { system: systemId ?? '', domain: reading.domainName, pool: reading.name };
}

function watchFullness(gauge: AddGauge, snapshot: () => StewardSnapshot): void {
  gauge(
    'used_ratio',
    'Used part of the capacity of a pool, the spare left out, 0 to 1',
    [],
    ({ usedPercent }, set) => {
      set(usedPercent / 100);
    },
  );
  const heldOf = (id: string): { readonly volumes: number; readonly sizeKiB: number } | undefined => {
    const { trash } = snapshot();
    return trash === undefined
      ? undefined
      : (trash.find(({ poolId }) => poolId === id) ?? { volumes: 0, sizeKiB: 0 });
  };
  gauge('trash_volumes', 'Removed volumes of a pool that can still be had back', [], ({ reading }, set) => {
    const held = heldOf(reading.id);
    if (held !== undefined) set(held.volumes);
  });
  gauge(
    'trash_bytes',
    'Size of the removed volumes of a pool that can still be had back, whether written or not',
    [],
    ({ reading }, set) => {
      const held = heldOf(reading.id);
      if (held !== undefined) set(held.sizeKiB * 1024);
    },
  );
}
