/** Patience with something that may take long once it has begun, but must begin in time. */
export class StartDeadline {
  readonly #late = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** `ms`: how long the beginning is waited for. */
  constructor(ms: number) {
    this.#timer = setTimeout(() => {
      this.#late.abort(new DOMException(`nothing came within ${ms / 1000} s`, 'TimeoutError'));
    }, ms);
    this.#timer.unref();
  }

  /** Fires with a TimeoutError when it has not begun in time. */
  get signal(): AbortSignal {
    return this.#late.signal;
  }

  /** It has begun, or nobody waits any more. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
