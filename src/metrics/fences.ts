import { Counter, type Registry } from 'prom-client';
import type { FenceLog, FenceRecord } from '../volumes/ports.ts';
import type { TakeoverMetrics } from './takeovers.ts';

/** Policies under which the plugin itself takes a volume, and what may come of it. */
const POLICIES: readonly FenceRecord['policy'][] = ['disconnected', 'idle', 'always'];
const OUTCOMES: readonly FenceRecord['outcome'][] = ['taken', 'late', 'failed'];

/** The same fence log, counted. */
export function countFences(registry: Registry, fences: FenceLog, takeovers: TakeoverMetrics): FenceLog {
  const total = new Counter({
    name: 'scaleio_fences_total',
    help: 'Volumes taken from another host, by failover policy and outcome: taken, late (a third host has it), failed',
    labelNames: ['policy', 'outcome'],
    registers: [registry],
  });
  for (const policy of POLICIES) for (const outcome of OUTCOMES) total.inc({ policy, outcome }, 0);
  return {
    of: (volumeId) => fences.of(volumeId),
    latest: (volumeId) => fences.latest(volumeId),
    record: (fence) => {
      fences.record(fence);
      total.inc({ policy: fence.policy, outcome: fence.outcome });
      if (fence.outcome === 'taken') takeovers.hasTaken();
    },
  };
}
