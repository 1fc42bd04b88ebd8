import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again every `everyMs` until the answer is neither undefined nor false, and returns it. Throws with `what` and
 * the last failure when `timeoutMs` have passed.
 */
export async function until<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  { timeoutMs = 30_000, everyMs = 50 } = {},
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, false | undefined>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await delay(everyMs);
  } while (performance.now() < end);
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: last });
}
