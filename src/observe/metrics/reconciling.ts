import { Counter, Gauge, type Registry } from 'prom-client';
import type { Reconciler } from '../../volumes/upkeep/reconcile.ts';
import type { MetricsClock } from './metrics-clock.ts';

const RESULTS = ['finished', 'lost', 'postponed'] as const;

/** What the reconciler does, and when it last could. */
export class ReconcilingMetrics {
  readonly #rounds: Counter<'outcome'>;
  readonly #volumes: Counter<'result'>;
  readonly #succeeded: Gauge;
  readonly #clock: MetricsClock;
  readonly #unclaimed: Gauge;
  readonly #unmarked: Gauge;

  constructor(registry: Registry, times: { readonly clock: MetricsClock; readonly intervalMs: number }) {
    const registers = [registry];
    this.#clock = times.clock;
    this.#rounds = new Counter({
      name: 'scaleio_reconcile_rounds_total',
      help: 'Rounds of the reconciler by outcome: ok, failed (the array could not be asked)',
      labelNames: ['outcome'],
      registers,
    });
    this.#volumes = new Counter({
      name: 'scaleio_reconcile_volumes_total',
      help: 'Volumes by what a round did: finished, lost (cleaned up after another host took it), postponed',
      labelNames: ['result'],
      registers,
    });
    this.#succeeded = new Gauge({
      name: 'scaleio_reconcile_last_success_timestamp_seconds',
      help: 'When a round last ended well; the time of the start until one has',
      registers,
    });
    this.#unclaimed = new Gauge({
      name: 'scaleio_unclaimed_mappings',
      help: 'Volumes mapped to this host that this plugin has no record of mapping; left as they are',
      registers,
    });
    this.#unmarked = new Gauge({
      name: 'scaleio_failover_markers_missing',
      help: 'Volumes mounted on this host whose failover policy is in their label alone, since its marker on the array is gone',
      registers,
    });
    const interval = new Gauge({
      name: 'scaleio_reconcile_interval_seconds',
      help: 'The setting SCALEIO_RECONCILE_INTERVAL: time between rounds when all is well',
      registers,
    });
    interval.set(times.intervalMs / 1000);
    this.#noteSuccess();
    for (const outcome of ['ok', 'failed']) this.#rounds.inc({ outcome }, 0);
    for (const result of RESULTS) this.#volumes.inc({ result }, 0);
  }

  #noteSuccess(): void {
    this.#succeeded.set(this.#clock.now() / 1000);
  }

  /** The same reconciler, observed. */
  observe(reconciler: Pick<Reconciler, 'run'>): Pick<Reconciler, 'run'> {
    return {
      run: async (signal) => {
        try {
          const report = await reconciler.run(signal);
          this.#rounds.inc({ outcome: 'ok' });
          this.#noteSuccess();
          for (const result of RESULTS) this.#volumes.inc({ result }, report[result].length);
          this.#unclaimed.set(report.unclaimed.length);
          this.#unmarked.set(report.unmarked.length);
          return report;
        } catch (error) {
          this.#rounds.inc({ outcome: 'failed' });
          throw error;
        }
      },
    };
  }
}
