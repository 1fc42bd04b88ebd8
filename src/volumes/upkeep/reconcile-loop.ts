import { isPluginError } from '../../errors.ts';
import type { Reconciler } from './reconcile.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log, Trace } from '../../runtime/log.ts';
import { Periodic } from '../../runtime/periodic.ts';
import type { HostReadiness, Journal } from '../ports.ts';
import { isDiscarded } from '../host-volume.ts';
import { isAboutHost } from '../readiness.ts';

export interface ReconcileTimes {
  /** Between rounds when all is well, ms. */
  readonly intervalMs: number;
  /** After something was left to do, ms; doubles up to the interval while it stays undone. */
  readonly soonMs: number;
  /** Budget of one round, ms. */
  readonly roundMs: number;
}

export interface ReconcileLoopParts {
  readonly reconciler: Pick<Reconciler, 'run'>;
  readonly journal: Journal;
  readonly readiness: HostReadiness;
  readonly clock: Omit<Clock, 'now'>;
  readonly log: Log;
  readonly trace: Trace;
}

/** Runs the reconciler at start, every so often, and soon after somebody left work for it. */
export class ReconcileLoop {
  readonly #reconciler: Pick<Reconciler, 'run'>;
  readonly #journal: Journal;
  readonly #readiness: HostReadiness;
  readonly #log: Log;
  readonly #times: ReconcileTimes;
  readonly #rounds: Periodic;
  /** From this round to the next, ms. */
  #pauseMs: number;

  constructor(parts: ReconcileLoopParts, times: ReconcileTimes) {
    this.#reconciler = parts.reconciler;
    this.#journal = parts.journal;
    this.#readiness = parts.readiness;
    this.#log = parts.log;
    this.#times = times;
    this.#pauseMs = times.soonMs;
    this.#rounds = new Periodic({
      clock: parts.clock,
      turn: async (signal) => {
        this.#pauseAfter(await this.#round(signal));
      },
      pauseMs: () => this.#pauseMs,
      limitMs: times.roundMs,
      onError: (error) => {
        this.#failed(error);
      },
      around: (work) => parts.trace.apart('reconcile', work),
    });
  }

  start(): void {
    this.#rounds.start();
  }

  /** Something may be left to do: look soon instead of at the next interval. */
  nudge(): void {
    if (this.#hasWork()) this.hurry();
  }

  /** Something happened that the journal does not tell of: look soon, whatever it says. */
  hurry(): void {
    // The work gets a moment to settle by itself.
    this.#pauseMs = this.#times.soonMs;
    this.#rounds.within(this.#times.soonMs);
  }

  /** Resolves when the round in progress has ended. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** True when nothing is left to do. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const report = await this.#reconciler.run(signal);
    if (report.finished.length + report.lost.length > 0) this.#log.info({ ...report }, 'reconciled');
    return report.postponed.length === 0;
  }

  #failed(cause: unknown): void {
    if (isAboutHost(cause)) this.#readiness.doubt();
    if (!isPluginError(cause)) this.#log.error({ error: String(cause) }, 'reconciling failed unexpectedly');
    else this.#log.warn({ error: cause.message }, 'cannot reconcile now; trying again later');
    this.#pauseAfter(false);
  }

  /** Ever longer while work stays undone. */
  #pauseAfter(isSettled: boolean): void {
    const { intervalMs } = this.#times;
    this.#pauseMs = isSettled && !this.#hasWork() ? intervalMs : Math.min(this.#pauseMs * 2, intervalMs);
  }

  #hasWork(): boolean {
    return this.#journal
      .all()
      .some((entry) => !isDiscarded(entry) && (entry.phase !== 'mounted' || entry.holders.length === 0));
  }
}
