import { Gauge, type Registry } from 'prom-client';
import type { StewardSnapshot } from '../../steward/steward.ts';
import type { ReadinessCheck } from './readiness.ts';

/** Adds the gauges of what the steward sees of the array as a whole, and of how well it sees. */
export function watchSight(
  registry: Registry,
  snapshot: () => StewardSnapshot,
  { intervalMs }: { readonly intervalMs: number },
): void {
  const gauge = (name: string, help: string, valueOf: (seen: StewardSnapshot) => number): void => {
    new Gauge({
      name: `scaleio_steward_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(valueOf(snapshot()));
      },
    });
  };
  gauge('acts', '1 when the policy lets the steward change the array, 0 in a dry run', ({ acts }) =>
    acts ? 1 : 0,
  );
  gauge('array_reachable', '1 when the array was read in the last round, else 0', ({ reachable }) =>
    reachable ? 1 : 0,
  );
  gauge(
    'last_reading_timestamp_seconds',
    'When the array was last read; 0: not since the start',
    ({ readAt }) => (readAt === null ? 0 : Date.parse(readAt) / 1000),
  );
  gauge('interval_seconds', 'Time between two rounds, as the policy says', () => intervalMs / 1000);
  gauge(
    'policy_problems',
    'Pools that the policy names and the array does not have, or has twice',
    ({ problems }) => problems.length,
  );
  watchParts(registry, snapshot);
}

function watchParts(registry: Registry, snapshot: () => StewardSnapshot): void {
  const count = (
    name: string,
    help: string,
    partsOf: (seen: StewardSnapshot) => readonly { readonly trouble: string | undefined }[],
  ): void => {
    new Gauge({
      name: `scaleio_array_${name}`,
      help,
      labelNames: ['system', 'condition'],
      registers: [registry],
      collect() {
        const seen = snapshot();
        const { systemId: system } = seen;
        this.reset();
        if (system === null) return;
        const troubled = partsOf(seen).filter(({ trouble }) => trouble !== undefined).length;
        this.set({ system, condition: 'ok' }, partsOf(seen).length - troubled);
        this.set({ system, condition: 'trouble' }, troubled);
      },
    });
  };
  count('sdss', 'Servers (SDSs) of the array by condition: ok, trouble', ({ sdss }) => sdss);
  count('devices', 'Devices of the array by condition: ok, trouble', ({ devices }) => devices);
}

/** Ready while the array is read, round for round. `lateMs`: a reading older than that is of a round that hangs. */
export function arrayCheck(snapshot: () => StewardSnapshot, lateMs: number): ReadinessCheck {
  return {
    name: 'array',
    look: () => {
      const { reachable, failure, ageMs } = snapshot();
      if (failure !== null) return { ready: false, reason: failure };
      if (!reachable || ageMs === null) return { ready: false, reason: 'not read yet' };
      return { ready: ageMs <= lateMs, reason: `read ${Math.round(ageMs / 1000)} s ago` };
    },
  };
}
