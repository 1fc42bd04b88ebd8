import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

/** Something of a program that begins and ends with it. */
export interface Part {
  /** As a sentence begins with it: "joining the storage". */
  readonly name: string;
  /** Default: it is at work since it was built. */
  readonly start?: () => Promise<void> | void;
  /** Harmless where it was never started. Default: it ends by itself. */
  readonly stop?: () => Promise<void> | void;
  /** For stop, ms; default 5 s. */
  readonly limitMs?: number;
}

const STOP_MS = 5000;

/**
 * The parts of a program in the order in which they lean on one another: each may use those before it, from its start to its stop. They start in
 * order and stop in reverse.
 */
export class Lifecycle {
  readonly #parts: readonly Part[];
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #log: Log;

  constructor(parts: readonly Part[], io: { readonly clock: Pick<Clock, 'sleep'>; readonly log: Log }) {
    this.#parts = parts;
    this.#clock = io.clock;
    this.#log = io.log;
  }

  /** Rejects as the first part that cannot start does; all parts are stopped then. */
  async start(): Promise<void> {
    try {
      for (const { start } of this.#parts) await start?.();
    } catch (error) {
      await this.stop().catch((cause: unknown) => {
        this.#log.error({ error: String(cause) }, 'what had started before cannot be stopped in order');
      });
      throw error;
    }
  }

  /**
   * Stops every part, whatever becomes of the others: one that takes longer than its limit is told and left behind. Rejects, when all have
   * had their turn, with the first failure.
   */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of this.#parts.toReversed()) {
      try {
        await this.#stopPart(part);
      } catch (error) {
        this.#log.error({ part: part.name, error: String(error) }, `${part.name} cannot be stopped in order`);
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #stopPart({ name, stop, limitMs = STOP_MS }: Part): Promise<void> {
    const ended = new AbortController();
    const late = this.#clock.sleep(limitMs, ended.signal).then(
      () => 'late' as const,
      () => 'ended' as const,
    );
    try {
      const outcome = await Promise.race([Promise.resolve(stop?.()).then(() => 'ended' as const), late]);
      if (outcome === 'late')
        this.#log.warn(
          { part: name },
          `${name} has not stopped within ${limitMs / 1000} s; it is left behind`,
        );
    } finally {
      ended.abort();
      await late;
    }
  }
}

/** A part that starts and stops as `it` does. */
export function partOf(name: string, it: { start(): void; stop(): Promise<void> }): Part {
  return {
    name,
    start: () => {
      it.start();
    },
    stop: () => it.stop(),
  };
}

/** A part that exists from its start to its stop only. */
export function madeAtStart(name: string, make: () => { close(): Promise<void> }): Part {
  let made: { close(): Promise<void> } | undefined;
  return {
    name,
    start: () => {
      made = make();
    },
    stop: () => made?.close(),
  };
}
