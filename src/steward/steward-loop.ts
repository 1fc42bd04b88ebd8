import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Steward } from './steward.ts';

const SHORTEST_ROUND_LIMIT_MS = 60_000;
/** Part of the interval by which rounds are spread, so that two stewards do not stay in step. */
const SPREAD = 0.1;

/** Runs the steward's rounds until it is stopped. */
export class StewardLoop {
  readonly #steward: Pick<Steward, 'round'>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #intervalMs: number;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: { steward: Pick<Steward, 'round'>; clock: Clock; log: Log }, intervalMs: number) {
    this.#steward = parts.steward;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#running ??= this.#loop();
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopped;
    do await this.#round(signal);
    while (await this.#pause(signal));
  }

  /** False when it was stopped. */
  async #pause(stopped: AbortSignal): Promise<boolean> {
    const chance = Number.parseInt(this.#clock.randomHex(4), 16) / 0xffff;
    try {
      await this.#clock.sleep(this.#intervalMs * (1 + SPREAD * (2 * chance - 1)), stopped);
      return true;
    } catch (error) {
      if (stopped.aborted) return false;
      throw error;
    }
  }

  /** A bug of ours must not end the watch over everything else. */
  async #round(stopped: AbortSignal): Promise<void> {
    const limitMs = Math.max(this.#intervalMs, SHORTEST_ROUND_LIMIT_MS);
    try {
      await this.#steward.round(AbortSignal.any([stopped, AbortSignal.timeout(limitMs)]));
    } catch (error) {
      if (!stopped.aborted)
        this.#log.error({ error: String(error) }, 'a round of the steward failed unexpectedly');
    }
  }
}
