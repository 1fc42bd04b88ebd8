import AsyncLock from 'async-lock';
import { CancelledError } from '../../errors.ts';
import { formatDuration } from '../../units/duration.ts';
import type { Clock } from '../../runtime/clock.ts';

/** One volume that is being worked on. */
export interface LockHolder {
  readonly name: string;
  /** What was asked for: "Mount". */
  readonly task: string;
  readonly heldMs: number;
  /** How many wait for it. */
  readonly waiting: number;
}

interface Holder {
  readonly task: string;
  readonly sinceMs: number;
}

/**
 * Lets one piece of work at a time touch a volume, in the order of asking; volumes do not wait for each other. Keeps
 * nothing about volumes that nobody works on. Not reentrant: work must not ask for its own volume again.
 */
export class VolumeLock {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #queues = new AsyncLock({ maxPending: Infinity });
  readonly #holders = new Map<string, Holder>();
  readonly #waiting = new Map<string, number>();

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  /**
   * Runs the work when the volume is free, and settles as it does. If the signal fires before its turn came, rejects at
   * once with CancelledError that says who has the volume; the work never starts then. Once it runs, the signal is the
   * work's own affair.
   */
  run<T>(name: string, task: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const request = { name, task };
    if (signal.aborted) return Promise.reject(this.#cancelled(request));
    return new Promise<T>((resolve, reject) => {
      let isWaiting = true;
      const stopWaiting = (): void => {
        isWaiting = false;
        this.#count(name, -1);
        signal.removeEventListener('abort', abandon);
      };
      const abandon = (): void => {
        stopWaiting();
        reject(this.#cancelled(request));
      };
      const takeTurn = async (): Promise<void> => {
        if (!isWaiting) return;
        stopWaiting();
        await this.#hold(request, work).then(resolve, reject);
      };
      this.#count(name, 1);
      signal.addEventListener('abort', abandon);
      this.#queues.acquire(name, () => takeTurn()).catch(reject);
    });
  }

  /** Who works on which volume now, longest first. */
  holders(): LockHolder[] {
    const now = this.#clock.elapsed();
    return [...this.#holders]
      .map(([name, { task, sinceMs }]) => {
        return { name, task, heldMs: now - sinceMs, waiting: this.#waiting.get(name) ?? 0 };
      })
      .sort((one, other) => other.heldMs - one.heldMs);
  }

  async #hold<T>(request: { name: string; task: string }, work: () => Promise<T>): Promise<T> {
    this.#holders.set(request.name, { task: request.task, sinceMs: this.#clock.elapsed() });
    try {
      return await work();
    } finally {
      this.#holders.delete(request.name);
    }
  }

  #count(name: string, change: 1 | -1): void {
    const count = (this.#waiting.get(name) ?? 0) + change;
    if (count === 0) this.#waiting.delete(name);
    else this.#waiting.set(name, count);
  }

  #cancelled(request: { name: string; task: string }): CancelledError {
    const { name, task } = request;
    const holder = this.#holders.get(name);
    const context = { volume: name, task };
    if (holder === undefined) {
      return new CancelledError(`${task} of volume "${name}" was cancelled before it began: try again`, {
        context,
      });
    }
    const heldMs = this.#clock.elapsed() - holder.sinceMs;
    return new CancelledError(
      `${task} of volume "${name}" gave up waiting for ${holder.task}, which has run for ${formatDuration(heldMs)}: try again when it is done`,
      { context: { ...context, holder: holder.task, heldMs } },
    );
  }
}
