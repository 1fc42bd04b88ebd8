import { isPluginError } from '../../errors.ts';
import type { Reconciler } from './reconcile.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log, Trace } from '../../runtime/log.ts';
import type { HostReadiness, Journal } from '../ports.ts';
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
  readonly #clock: Omit<Clock, 'now'>;
  readonly #log: Log;
  readonly #trace: Trace;
  readonly #times: ReconcileTimes;
  readonly #stopped = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: ReconcileLoopParts, times: ReconcileTimes) {
    this.#reconciler = parts.reconciler;
    this.#journal = parts.journal;
    this.#readiness = parts.readiness;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#trace = parts.trace;
    this.#times = times;
  }

  start(): void {
    this.#running ??= this.#loop();
  }

  /** Something may be left to do: look soon instead of at the next interval. */
  nudge(): void {
    if (this.#hasWork()) this.#wake.abort();
  }

  /** Something happened that the journal does not tell of: look soon, whatever it says. */
  hurry(): void {
    this.#wake.abort();
  }

  /** Resolves when the round in progress has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    let pauseMs = this.#times.soonMs;
    while (!this.#stopped.signal.aborted) {
      const settled = await this.#trace.apart('reconcile', () => this.#round());
      pauseMs =
        settled && !this.#hasWork() ? this.#times.intervalMs : Math.min(pauseMs * 2, this.#times.intervalMs);
      if (await this.#pause(pauseMs)) pauseMs = this.#times.soonMs;
    }
  }

  /** True when woken early; even then the work gets a moment to settle by itself. */
  async #pause(ms: number): Promise<boolean> {
    this.#wake = new AbortController();
    const stopped = this.#stopped.signal;
    await this.#sleep(ms, AbortSignal.any([stopped, this.#wake.signal]));
    const woken = this.#wake.signal.aborted;
    if (woken) await this.#sleep(this.#times.soonMs, stopped);
    return woken;
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(ms, signal);
    } catch (cause) {
      if (!signal.aborted) throw cause;
    }
  }

  async #round(): Promise<boolean> {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(this.#times.roundMs)]);
    try {
      const report = await this.#reconciler.run(signal);
      if (report.finished.length + report.lost.length > 0) this.#log.info({ ...report }, 'reconciled');
      return report.postponed.length === 0;
    } catch (cause) {
      if (this.#stopped.signal.aborted) return true;
      if (isAboutHost(cause)) this.#readiness.doubt();
      if (!isPluginError(cause)) this.#log.error({ error: String(cause) }, 'reconciling failed unexpectedly');
      else this.#log.warn({ error: cause.message }, 'cannot reconcile now; trying again later');
      return false;
    }
  }

  #hasWork(): boolean {
    return this.#journal.all().some(({ phase, holders }) => phase !== 'mounted' || holders.length === 0);
  }
}
