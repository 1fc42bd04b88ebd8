import { EndpointFailure } from './failures.ts';

/** How long an answer may take. */
export interface Patience {
  /** For the first byte, and for each silence within the answer, ms. */
  readonly silenceMs: number;
  /** For the whole of a small answer from the request on, ms; undefined: any length. */
  readonly wholeMs: number | undefined;
  /** From the first line on, ms, before an answer must have come at SLOWEST_BYTES a second. */
  readonly startMs: number;
}

/** A list of 100,000 volumes is some 100 MB; what comes slower than this comes from a gateway that is ill. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;
const TICK_MS = 250;
/** For the whole of an answer of some kilobytes, ms. */
const SMALL_ANSWER_MS = 5000;
/** In which each gateway has been asked once, ms: who waits for gateways of which none is of use hears so within 10 s. */
const ROUND_MS = 8000;
/** However many gateways there are, a healthy one that is busy must be able to answer, ms. */
const SHORTEST_SMALL_ANSWER_MS = 3000;

/** How long the whole of a small answer of one of so many gateways may take, ms; never longer than `requestTimeoutMs`. */
export function smallAnswerMs(gateways: number, requestTimeoutMs: number): number {
  const share = Math.max(SHORTEST_SMALL_ANSWER_MS, ROUND_MS / gateways);
  return Math.min(SMALL_ANSWER_MS, share, requestTimeoutMs);
}

/**
 * Ends an answer that takes too long as a whole, however steadily it drips: each byte in time makes no answer in time. Timers alone
 * measure, so that no clock can be set under it.
 */
export class AnswerLimit {
  readonly #expired = new AbortController();
  readonly #patience: Patience;
  readonly #whole: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #ticking: NodeJS.Timeout | undefined;
  #received = 0;
  #waitedMs = 0;

  constructor(patience: Patience) {
    this.#patience = patience;
    const { wholeMs } = patience;
    if (wholeMs !== undefined)
      this.#whole = setTimeout(() => {
        this.#expire(`no answer in time (not complete within ${wholeMs / 1000} s)`);
      }, wholeMs);
    this.#whole?.unref();
  }

  /** Fires, with an EndpointFailure as its reason. */
  get signal(): AbortSignal {
    return this.#expired.signal;
  }

  /** The request is on its way. */
  asked(): void {
    this.#waitFor('no answer in time');
  }

  /** The answer has begun. */
  begin(): void {
    this.#waitFor('answer stopped half-way');
    this.#ticking = setInterval(() => {
      this.#waitedMs += TICK_MS;
      const overMs = this.#waitedMs - this.#patience.startMs;
      if (overMs > 0 && this.#received < (overMs / 1000) * SLOWEST_BYTES_PER_SECOND)
        this.#expire('answer comes too slowly');
    }, TICK_MS);
    this.#ticking.unref();
  }

  received(bytes: number): void {
    this.#received += bytes;
    this.#silence?.refresh();
  }

  /** To be called once, whatever came of it. */
  end(): void {
    clearTimeout(this.#whole);
    clearTimeout(this.#silence);
    clearInterval(this.#ticking);
  }

  #waitFor(silence: string): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#expire(silence);
    }, this.#patience.silenceMs);
    this.#silence.unref();
  }

  #expire(reason: string): void {
    this.end();
    this.#expired.abort(new EndpointFailure(reason, { mayHaveActed: true }));
  }
}
