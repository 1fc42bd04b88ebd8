/*
 * Written by hand on purpose. p-queue (9.3) gives the place of a cancelled request to the next one at once, while the request may still be
 * at the gateway: with a limit of 1 two were seen to run. And a request that leaves the queue is one look-up here, whatever waits.
 */

/** Lets at most `limit` requests run at one gateway; the others wait in the order they came. */
export class RequestQueue {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get inFlight(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** Runs when there is room. Rejects with the signal's reason, having run nothing, when it fires while waiting. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#running < this.#limit) this.#running += 1;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(admit);
        reject(signal.reason as Error);
      };
      this.#waiting.add(admit);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
