import { Counter, type Registry } from 'prom-client';
import type { FenceLog, FenceRecord } from '../../volumes/ports.ts';
import { FAILOVER_POLICIES } from '../../volumes/volume.ts';
import type { TakeoverMetrics } from './takeovers.ts';

/** What may come of a fence, in words. */
const OUTCOMES: Readonly<Record<FenceRecord['outcome'], string>> = {
  taken: 'taken',
  late: 'late (mapped again at once)',
  failed: 'failed',
  unknown: 'unknown (no gateway said whether it happened)',
};
/** Policies under which a volume is taken, and by whom; by "never" none is. */
const POLICIES: readonly FenceRecord['policy'][] = [
  ...FAILOVER_POLICIES.filter((policy) => policy !== 'never'),
  'forced',
];

/** The plugin's fence log, and what an operator forces beside it. */
export interface CountedFenceLog extends FenceLog {
  /** Records of another process on this host that came since the last call; never rejects. */
  newOfOthers(): Promise<readonly FenceRecord[]>;
}

/** The same fence log, counted; what is forced on this host is looked up at each scrape. */
export function countFences(
  registry: Registry,
  fences: CountedFenceLog,
  takeovers: TakeoverMetrics,
): FenceLog {
  const lookAtOthers = oneAtATime(async () => {
    for (const { policy, outcome } of await fences.newOfOthers()) total.inc({ policy, outcome });
  });
  const total = new Counter({
    name: 'scaleio_fences_total',
    help: `Volumes taken from another host, by failover policy (forced: by hand on this host) and outcome: ${Object.values(OUTCOMES).join(', ')}`,
    labelNames: ['policy', 'outcome'],
    registers: [registry],
    collect: lookAtOthers,
  });
  for (const policy of POLICIES)
    for (const outcome of Object.keys(OUTCOMES)) total.inc({ policy, outcome }, 0);
  return {
    recentOf: (volumeId, windowMs) => fences.recentOf(volumeId, windowMs),
    latest: (volumeId) => fences.latest(volumeId),
    record: (fence) => {
      fences.record(fence);
      total.inc({ policy: fence.policy, outcome: fence.outcome });
      if (fence.outcome === 'taken') takeovers.hasTaken();
    },
  };
}

/** Two scrapes at once wait for one look. */
function oneAtATime(look: () => Promise<void>): () => Promise<void> {
  let looking: Promise<void> | undefined;
  return () =>
    (looking ??= look().finally(() => {
      looking = undefined;
    }));
}
