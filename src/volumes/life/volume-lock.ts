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

interface Request {
  readonly name: string;
  readonly task: string;
  /** Whose turn it is; the same for every name of one volume. */
  readonly key: string;
}

interface Holder {
  readonly name: string;
  readonly task: string;
  readonly sinceMs: number;
}

/**
 * Lets one piece of work at a time touch a volume, in the order of asking; volumes do not wait for each other. Keeps
 * nothing about volumes that nobody works on. Not reentrant: work must not ask for its own volume again.
 */
export class VolumeLock {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #arrayNameOf: (name: string) => string;
  readonly #queues = new AsyncLock({ maxPending: Infinity });
  readonly #holders = new Map<string, Holder>();
  readonly #waiting = new Map<string, number>();

  /** `arrayNameOf`: what the array calls a volume of this name, for work that knows a volume by that alone (runOnArrayName). */
  constructor(clock: Pick<Clock, 'elapsed'>, arrayNameOf: (name: string) => string = (name) => name) {
    this.#clock = clock;
    this.#arrayNameOf = arrayNameOf;
  }

  /**
   * Runs the work when the volume is free, and settles as it does. If the signal fires before its turn came, rejects at
   * once with CancelledError that says who has the volume; the work never starts then. Once it runs, the signal is the
   * work's own affair.
   */
  run<T>(name: string, task: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.#run({ name, task, key: this.#arrayNameOf(name) }, signal, work);
  }

  /** The same for a volume of which only the array's name is known, such as a shortened one. */
  runOnArrayName<T>(
    arrayName: string,
    task: string,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    return this.#run({ name: arrayName, task, key: arrayName }, signal, work);
  }

  #run<T>(request: Request, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { key } = request;
    if (signal.aborted) return Promise.reject(this.#cancelled(request));
    return new Promise<T>((resolve, reject) => {
      let isWaiting = true;
      const stopWaiting = (): void => {
        isWaiting = false;
        this.#count(key, -1);
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
      this.#count(key, 1);
      signal.addEventListener('abort', abandon);
      this.#queues.acquire(key, () => takeTurn()).catch(reject);
    });
  }

  /** Who works on which volume now, longest first. */
  holders(): LockHolder[] {
    const now = this.#clock.elapsed();
    return [...this.#holders]
      .map(([key, { name, task, sinceMs }]) => {
        return { name, task, heldMs: now - sinceMs, waiting: this.#waiting.get(key) ?? 0 };
      })
      .sort((one, other) => other.heldMs - one.heldMs);
  }

  async #hold<T>({ key, name, task }: Request, work: () => Promise<T>): Promise<T> {
    this.#holders.set(key, { name, task, sinceMs: this.#clock.elapsed() });
    try {
      return await work();
    } finally {
      this.#holders.delete(key);
    }
  }

  #count(key: string, change: 1 | -1): void {
    const count = (this.#waiting.get(key) ?? 0) + change;
    if (count === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, count);
  }

  #cancelled({ name, task, key }: Request): CancelledError {
    const holder = this.#holders.get(key);
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
