import { Counter, type Registry } from 'prom-client';
import type { TrimTotals } from '../../volumes/upkeep/trim-loop.ts';

const NOTHING: TrimTotals = { runs: 0, failures: 0, reclaimedBytes: 0 };

/** Adds the counters of trimming. `totals`: what was done since the start, undefined where this host does not trim. */
export function watchTrimming(registry: Registry, totals: () => TrimTotals | undefined): void {
  const current = (): TrimTotals => totals() ?? NOTHING;
  new Counter({
    name: 'scaleio_trim_runs_total',
    help: 'Trims of single volumes by outcome: ok, failed. One that gave way to a call is not counted',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      const { runs, failures } = current();
      this.reset();
      this.inc({ outcome: 'ok' }, runs - failures);
      this.inc({ outcome: 'failed' }, failures);
    },
  });
  new Counter({
    name: 'scaleio_trimmed_bytes_total',
    help: 'Bytes that file systems said they gave back to the array in those trims',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(current().reclaimedBytes);
    },
  });
}
