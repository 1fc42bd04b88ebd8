import { InvalidRequestError } from '../errors.ts';
import { quote } from './quote.ts';

/*
 * Written by hand on purpose: ms and its like take "5 mins" and a number without unit, know no "1m30s", and say of what they do not
 * understand that it is undefined, not what is wrong with it.
 */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Longest time a timer of Node can wait, about 24.8 days; longer ones would fire at once. */
export const MAX_DURATION_MS = 2 ** 31 - 1;

/**
 * Milliseconds of a time as people write it: "30s", "250ms", "5m", "1h", "1.5h", "1m30s" (as Go writes them), "2d".
 * A bare 0 is zero; any other number needs a unit. Throws InvalidRequestError for anything else, and for more than
 * 24 days.
 */
export function parseDuration(raw: string, what = 'duration'): number {
  const text = raw.trim().toLowerCase();
  if (text === '0') return 0;
  const refuse = (why: string): never => {
    throw new InvalidRequestError(`${what} ${quote(raw, 40)} ${why}; write it like 30s, 250ms, 5m or 1h`);
  };
  if (!/^(?:\d{1,15}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/.test(text)) return refuse('is not a time with a unit');
  let totalMs = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/([\d.]+)(ms|[smhd])/g)) {
    totalMs += Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  }
  if (totalMs > MAX_DURATION_MS) return refuse('is more than 24 days');
  return Math.round(totalMs);
}

/** Readable, rounded to what matters: "250 ms", "12 s", "5 min", "3 h". */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 120_000) return `${Math.round(durationMs / 1000)} s`;
  if (durationMs < 7_200_000) return `${Math.round(durationMs / 60_000)} min`;
  return `${Math.round(durationMs / 3_600_000)} h`;
}
