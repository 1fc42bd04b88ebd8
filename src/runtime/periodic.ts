import type { Clock } from './clock.ts';

export interface PeriodicParts {
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  /** One turn. The signal fires at stop(), and when the turn has used its time. */
  readonly turn: (signal: AbortSignal) => Promise<void> | void;
  /** From the end of a turn to the next, ms; asked at each end. Undefined: that turn was the last. */
  readonly pauseMs: () => number | undefined;
  /** Before the first turn, ms; default 0. */
  readonly firstMs?: number;
  /** For one turn, ms; default: as long as it takes. */
  readonly limitMs?: number;
  /** Gets what a turn throws, unless it was being stopped. The next comes all the same: no bug of one turn ends the rest. */
  readonly onError: (error: unknown) => void;
  /** Runs each turn and its onError, so that both log under one id; default: as they are. */
  readonly around?: (work: () => Promise<void>) => Promise<void>;
}

/**
 * Something that is done again and again until it is stopped: one turn at a time, with a pause from the end of each to the beginning
 * of the next, which can be cut short.
 */
export class Periodic {
  readonly #parts: PeriodicParts;
  readonly #stopped = new AbortController();
  #hastened = new AbortController();
  /** When the next turn is due, by the clock's elapsed(); Infinity while nobody knows. */
  #dueMs = Infinity;
  #running: Promise<void> | undefined;

  constructor(parts: PeriodicParts) {
    this.#parts = parts;
  }

  /** Begins; further calls change nothing, also after stop(). */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Lets the next turn come after `ms` at the latest. During a turn it is the next one that comes so soon. */
  within(ms: number): void {
    const dueMs = this.#parts.clock.elapsed() + ms;
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    this.#hastened.abort();
  }

  /** Resolves when the turn under way, which is told by its signal, has ended; no other follows. Rejects only as a broken clock does. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { around = asItIs, firstMs = 0, pauseMs } = this.#parts;
    for (let next: number | undefined = firstMs; next !== undefined; next = pauseMs()) {
      await this.#rest(next);
      if (this.#stopped.signal.aborted) return;
      this.#dueMs = Infinity;
      await around(() => this.#turn());
    }
  }

  async #turn(): Promise<void> {
    const { turn, limitMs, onError } = this.#parts;
    const stopped = this.#stopped.signal;
    const limit = limitMs === undefined ? [] : [AbortSignal.timeout(limitMs)];
    try {
      await turn(AbortSignal.any([stopped, ...limit]));
    } catch (error) {
      if (!stopped.aborted) onError(error);
    }
  }

  /** Until `ms` are over, less when it was hastened, or stopped. */
  async #rest(ms: number): Promise<void> {
    const { clock } = this.#parts;
    this.#dueMs = Math.min(this.#dueMs, clock.elapsed() + ms);
    while (!this.#stopped.signal.aborted) {
      this.#hastened = new AbortController();
      const leftMs = this.#dueMs - clock.elapsed();
      const cut = AbortSignal.any([this.#stopped.signal, this.#hastened.signal]);
      if (leftMs <= 0 || (await slept(clock, leftMs, cut))) return;
    }
  }
}

/** False when the signal ended it. */
async function slept(clock: Pick<Clock, 'sleep'>, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

function asItIs(work: () => Promise<void>): Promise<void> {
  return work();
}

/** A random number from 0 to 1, to keep apart what would happen on all hosts at once. */
export function randomShare(clock: Pick<Clock, 'randomHex'>): number {
  return Number.parseInt(clock.randomHex(4), 16) / 0xffff;
}

/** `ms`, longer or shorter by a random part of it that is at most `spread` (0.1: ±10 %). */
export function spreadOut(ms: number, spread: number, clock: Pick<Clock, 'randomHex'>): number {
  return ms * (1 + spread * (2 * randomShare(clock) - 1));
}
