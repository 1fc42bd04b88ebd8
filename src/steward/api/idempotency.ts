import type { Clock } from '../../runtime/clock.ts';
import { ApiRefusal } from './problem.ts';

/** What was answered to a request that changed something. */
interface Answer {
  readonly result: unknown;
}

interface Remembered {
  /** What was asked for. */
  readonly request: string;
  readonly since: number;
  /** Undefined while it is under way, and when it failed: then the next one tries again. */
  answer: Answer | undefined;
  isUnderWay: boolean;
}

const KEPT_MS = 24 * 3_600_000;
/** Of one token. */
const MOST_KEYS = 1000;

/**
 * Answers a request that comes again under the same key as it did the first time, and does nothing then. Keys are those of one token, and
 * are kept for a day, in memory: after a restart of the steward a request is done again.
 */
export class IdempotencyKeys {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #tokens = new Map<string, Map<string, Remembered>>();

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  /**
   * Does the work, or tells what came of it before. `request`: the same for the same request. Rejects as the work does, which is then
   * done anew by the next who asks; with ApiRefusal for another request under the same key, and while the first is under way.
   */
  async once(
    { token, key, request }: { readonly token: string; readonly key: string; readonly request: string },
    work: () => Promise<Answer>,
  ): Promise<{ readonly answer: Answer; readonly isReplay: boolean }> {
    const keys = this.#keysOf(token);
    const known = keys.get(key);
    if (known !== undefined && known.request !== request)
      throw new ApiRefusal(
        422,
        'KEY_REUSED',
        'another request was sent with this Idempotency-Key before; nothing was done: give each request a key of its own',
      );
    if (known?.isUnderWay === true)
      throw new ApiRefusal(
        409,
        'KEY_UNDER_WAY',
        'the request with this Idempotency-Key is still under way; ask again in a moment',
        { 'retry-after': '1' },
      );
    if (known?.answer !== undefined) return { answer: known.answer, isReplay: true };
    const entry: Remembered = { request, since: this.#clock.elapsed(), answer: undefined, isUnderWay: true };
    keys.set(key, entry);
    try {
      entry.answer = await work();
      return { answer: entry.answer, isReplay: false };
    } finally {
      entry.isUnderWay = false;
    }
  }

  #keysOf(token: string): Map<string, Remembered> {
    const keys = this.#tokens.get(token) ?? new Map<string, Remembered>();
    this.#tokens.set(token, keys);
    const oldest = this.#clock.elapsed() - KEPT_MS;
    for (const [key, { since, isUnderWay }] of keys)
      if (!isUnderWay && (since < oldest || keys.size >= MOST_KEYS)) keys.delete(key);
      else if (keys.size < MOST_KEYS) break;
    return keys;
  }
}
