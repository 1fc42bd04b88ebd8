import type { Clock } from './ports.ts';

export interface GatherTimes {
  /** Half of the silence that ends a batch, ms. */
  readonly quietMs: number;
  /** Longest a batch is held open, ms. */
  readonly maxMs: number;
}

/**
 * Gives a value for every key that it is asked, except those that it leaves to be asked again together with the others
 * while `othersWait`.
 */
type Answer<K, V> = (keys: readonly K[], othersWait: () => boolean) => Promise<ReadonlyMap<K, V>>;

const NEVER = new AbortController().signal;

interface Waiting<K, V> {
  readonly key: K;
  readonly resolve: (value: V) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Answers many look-ups that arrive together with few questions. The first is asked at once, so that one alone waits for
 * nothing; what comes while it is being answered gathers until nobody came for a while. An engine that starts asks
 * about every volume it knows at once, and its burst must not become as many gateway calls (design, budgets).
 */
export class Gather<K, V> {
  readonly #answer: Answer<K, V>;
  readonly #clock: Clock;
  readonly #times: GatherTimes;
  #waiting: Waiting<K, V>[] = [];
  #busy = false;

  constructor(answer: Answer<K, V>, clock: Clock, times: GatherTimes = { quietMs: 8, maxMs: 500 }) {
    this.#answer = answer;
    this.#clock = clock;
    this.#times = times;
  }

  /** Resolves with the key's value; rejects as the batch it went with. */
  ask(key: K): Promise<V> {
    return new Promise<V>((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (!this.#busy) {
        this.#busy = true;
        void this.#drain();
      }
    });
  }

  async #drain(): Promise<void> {
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
    const opened = this.#clock.now();
    let seen = 0;
    // Twice, because a timer may fire before requests that have already reached the socket are read.
    for (let quiet = 0; quiet < 2 && this.#clock.now() - opened < this.#times.maxMs;) {
      await this.#clock.sleep(this.#times.quietMs, NEVER);
      quiet = this.#waiting.length === seen ? quiet + 1 : 0;
      seen = this.#waiting.length;
    }
  }

  async #answerBatch(batch: readonly Waiting<K, V>[]): Promise<void> {
    try {
      const keys = [...new Set(batch.map(({ key }) => key))];
      const values = await this.#answer(keys, () => this.#waiting.length > 0);
      for (const one of batch) {
        const value = values.get(one.key);
        if (value !== undefined) one.resolve(value);
        else if (this.#waiting.length > 0) this.#waiting.push(one);
        else one.reject(new Error(`look-up left out ${String(one.key)}`));
      }
    } catch (cause) {
      for (const { reject } of batch) reject(cause);
    }
  }
}
