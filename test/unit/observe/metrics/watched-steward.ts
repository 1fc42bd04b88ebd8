import type { PoolStatus } from '../../../../src/steward/capacity/pool-watch.ts';
import type { VolumeIo } from '../../../../src/array/copies.ts';
import type { SystemId } from '../../../../src/array/ids.ts';
import type { PoolCapacity } from '../../../../src/array/pool.ts';
import type { StewardSnapshot } from '../../../../src/steward/steward.ts';
import { healthOf, usedPercent } from '../../../../src/steward/capacity/assessment.ts';
import { StewardMetrics } from '../../../../src/observe/metrics/steward-metrics.ts';
import { poolAt } from '../../steward/capacity/cluster.ts';
import { GATEWAY } from './watched.ts';

/** A pool as the steward knows it, watched by a policy, used to so many percent. */
export function statusAt(
  percent: number,
  { capacity = {}, ...more }: Partial<PoolStatus> & { readonly capacity?: Partial<PoolCapacity> } = {},
): PoolStatus {
  const reading = poolAt(percent, capacity);
  return {
    reading,
    usedPercent: usedPercent(reading.capacity),
    level: 'ok',
    contradiction: undefined,
    health: healthOf(reading.capacity),
    forecast: { kind: 'steady' },
    history: [],
    rebuild: undefined,
    rebalance: undefined,
    devices: 3,
    watched: { warn: 80, critical: 90 },
    ...more,
  };
}

const FIRST: StewardSnapshot = {
  acts: false,
  readAt: null,
  ageMs: null,
  reachable: false,
  failure: null,
  systemId: null,
  systemName: null,
  pools: [],
  sdss: [],
  devices: [],
  problems: [],
  cleanup: null,
  audit: [],
  news: [],
};

/** The steward's metrics over a snapshot that the test replaces; nothing is read yet. */
export function stewardMetrics() {
  const state: { snapshot: StewardSnapshot; poolIo: ReadonlyMap<string, VolumeIo> } = {
    snapshot: FIRST,
    poolIo: new Map(),
  };
  const clock = { now: () => 1_000_000, elapsed: () => 1_000_000 };
  const metrics = new StewardMetrics({ version: '1.2.3', droppedLines: () => 0, clock, intervalMs: 60_000 });
  const pages = metrics.pages({
    gateways: () => [{ endpoint: GATEWAY, inFlight: 0, queued: 0, healthy: true }],
    snapshot: () => state.snapshot,
    poolIo: () => state.poolIo,
  });
  const lines = async (name: string): Promise<string[]> =>
    (await pages.registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .map((line) => line.slice(name.length).trim());
  /** The array was read and has these pools. */
  const read = (pools: readonly PoolStatus[], more: Partial<StewardSnapshot> = {}): void => {
    const said = pools.map((pool) => ({ ...pool, growth: null }));
    const readAt = '2026-01-01T00:00:00.000Z';
    const seen = { readAt, ageMs: 0, reachable: true, systemId: '72ce476b00000000' as SystemId };
    state.snapshot = { ...FIRST, ...seen, pools: said, ...more };
  };
  return { metrics, pages, state, lines, read };
}
