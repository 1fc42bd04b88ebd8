import type { ServerResponse } from 'node:http';

import { CancelledError } from '../../errors.ts';
import type { CallContext } from '../volume-driver.ts';

/** Milliseconds. */
export interface CallLimits {
  /** When the driver is told to stop. */
  readonly deadlineMs: number;
  /** How much longer it may take to stop before the call is answered without it. */
  readonly graceMs: number;
}

/**
 * One call's time and its client. Made when the request is read; `close` belongs to its end, whatever the end. The
 * listener on the response stays, because a client can still hang up while the answer is being written.
 */
export class Call {
  readonly context: CallContext;
  readonly #deadline = new AbortController();
  readonly #clientGone = new AbortController();
  readonly #limits: CallLimits;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(response: ServerResponse, limits: CallLimits, requestId: string) {
    this.#limits = limits;
    this.context = { signal: this.#deadline.signal, clientGone: this.#clientGone.signal, requestId };
    // The request's own 'close' comes as soon as its body is read; only the response's tells of the connection.
    let isAnswered = false;
    response.once('finish', () => {
      isAnswered = true;
    });
    response.once('close', () => {
      if (!isAnswered) this.#loseClient('the client hung up before the answer');
    });
  }

  /** True when nobody is left to answer. */
  get isClientGone(): boolean {
    return this.#clientGone.signal.aborted;
  }

  /**
   * What the work comes to, but never later than deadline and grace: work that does not heed its signal is left behind
   * with CancelledError, and counts as work whose client is gone.
   */
  run<T>(name: string, work: (context: CallContext) => Promise<T>): Promise<T> {
    const { deadlineMs, graceMs } = this.#limits;
    const late = new CancelledError(`${name} did not finish within ${deadlineMs / 1000} s; try again`);
    const overdue = new Promise<never>((_, reject) => {
      this.#after(deadlineMs, () => {
        this.#deadline.abort(late);
      });
      this.#after(deadlineMs + graceMs, () => {
        this.#loseClient('the call was answered as failed before it ended');
        reject(late);
      });
    });
    return Promise.race([work(this.context), overdue]);
  }

  close(): void {
    this.#timers.forEach(clearTimeout);
  }

  #after(delayMs: number, act: () => void): void {
    this.#timers.push(setTimeout(act, delayMs));
  }

  #loseClient(why: string): void {
    if (!this.isClientGone) this.#clientGone.abort(new CancelledError(why));
  }
}
