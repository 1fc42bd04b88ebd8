import type { Clock } from '../../runtime/clock.ts';
import type { Trace } from '../../runtime/log.ts';

export interface BatchTimes {
  /** Wait of a lone first item for company, ms. */
  readonly firstMs: number;
  /** In a burst: half of the silence that ends a batch, ms. */
  readonly quietMs: number;
  /** In a burst: longest a batch is held open, ms. */
  readonly maxMs: number;
}

const NEVER = new AbortController().signal;

interface Waiting<K, V> {
  readonly key: K;
  /** Runs work as the call that asked. */
  readonly asAsker: <T>(work: () => T) => T;
  readonly resolve: (value: V) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Answers many look-ups that arrive together with few questions: the first batch is whoever came within a breath; while
 * it is being answered the rest gather, until nobody came for a while. A client that starts asks about every volume
 * it knows at once, and its burst must not become as many gateway calls (design, budgets).
 */
export class CallBatcher<K, V> {
  readonly #answer: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>;
  readonly #clock: Omit<Clock, 'now'>;
  readonly #trace: Trace;
  readonly #times: BatchTimes;
  readonly #isCostly: (key: K) => boolean;
  #waiting: Waiting<K, V>[] = [];
  #busy = false;

  /**
   * `answer` must give a value for every key it is asked. `isCostly`: a key that takes more than one question when it is
   * asked alone, so that it is worth waiting for company.
   */
  constructor(
    answer: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>,
    { clock, trace }: { readonly clock: Omit<Clock, 'now'>; readonly trace: Trace },
    isCostly: (key: K) => boolean,
    times: BatchTimes = { firstMs: 1, quietMs: 8, maxMs: 500 },
  ) {
    this.#answer = answer;
    this.#clock = clock;
    this.#trace = trace;
    this.#isCostly = isCostly;
    this.#times = times;
  }

  /** Resolves with the key's value; rejects as the batch it went with. */
  ask(key: K): Promise<V> {
    return new Promise<V>((resolve, reject) => {
      this.#waiting.push({ key, asAsker: this.#trace.here(), resolve, reject });
      if (!this.#busy) {
        this.#busy = true;
        void this.#drain();
      }
    });
  }

  async #drain(): Promise<void> {
    await this.#clock.sleep(this.#times.firstMs, NEVER);
    if (this.#waiting.some(({ key }) => this.#isCostly(key))) await this.#awaitQuiet();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#answerBatch(batch);
      // Whoever came meanwhile is part of a burst: let the rest of it arrive.
      if (this.#waiting.length > 0) await this.#awaitQuiet();
    }
    this.#busy = false;
  }

  async #awaitQuiet(): Promise<void> {
    const opened = this.#clock.elapsed();
    let seen = 0;
    // Twice, because a timer may fire before requests that have already reached the socket are read.
    for (let quiet = 0; quiet < 2 && this.#clock.elapsed() - opened < this.#times.maxMs;) {
      await this.#clock.sleep(this.#times.quietMs, NEVER);
      quiet = this.#waiting.length === seen ? quiet + 1 : 0;
      seen = this.#waiting.length;
    }
  }

  async #answerBatch(batch: readonly Waiting<K, V>[]): Promise<void> {
    try {
      const values = await this.#ask(batch);
      for (const { key, resolve, reject } of batch) {
        const value = values.get(key);
        if (value === undefined) reject(new Error(`look-up left out ${String(key)}`));
        else resolve(value);
      }
    } catch (cause) {
      for (const { reject } of batch) reject(cause);
    }
  }

  /** A question for one call is that call's own; one for several belongs to none of them. */
  #ask(batch: readonly Waiting<K, V>[]): Promise<ReadonlyMap<K, V>> {
    const keys = [...new Set(batch.map(({ key }) => key))];
    const ask = (): Promise<ReadonlyMap<K, V>> => this.#answer(keys);
    const [only] = batch;
    return batch.length === 1 && only !== undefined ? only.asAsker(ask) : this.#trace.apart('lookup', ask);
  }
}
