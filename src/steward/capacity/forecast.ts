/** Use of a pool at one moment of the steward's own clock. */
export interface UseSample {
  readonly elapsedMs: number;
  readonly usedKiB: number;
}

/** When a pool will be full, as far as its past says. */
export type Forecast =
  | { readonly kind: 'unknown'; readonly why: string }
  /** Use does not grow, or so little that chance explains it. */
  | { readonly kind: 'steady' }
  | { readonly kind: 'full'; readonly inMs: number; readonly kibPerDay: number };

const DAY_MS = 86_400_000;
/** More than that far ahead a line through some hours says nothing. */
const LONGEST_MS = 3 * 365 * DAY_MS;
const MOST_SAMPLES = 240;
const FEWEST_SAMPLES = 10;
/** A line is believed for so many times the length that it was seen over. */
const REACH = 100;
/** Share of all pairs of samples that must agree that use grows. */
const AGREEMENT = 0.75;

/**
 * Learns how fast a pool fills. The estimate is the median of the slopes between all pairs of samples (Theil and Sen), so
 * that a removed volume or a burst does not bend it; where the pairs do not agree, it says that it does not know.
 */
export class Forecaster {
  #samples: UseSample[] = [];
  readonly #leastMs: number;

  /** `leastMs`: time that must be covered before anything is said. */
  constructor(leastMs: number) {
    this.#leastMs = leastMs;
  }

  add(sample: UseSample): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && sample.elapsedMs <= last.elapsedMs) return;
    this.#samples.push(sample);
    // Every second sample goes, so the past reaches back twice as far each time.
    if (this.#samples.length > MOST_SAMPLES)
      this.#samples = this.#samples.filter((_, index) => index % 2 === 1 || index > MOST_SAMPLES / 2);
  }

  /** What is kept of the past, oldest first; the further back, the fewer. */
  get history(): readonly UseSample[] {
    return [...this.#samples];
  }

  forecast(unusedKiB: number): Forecast {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const spanMs = first === undefined || last === undefined ? 0 : last.elapsedMs - first.elapsedMs;
    if (this.#samples.length < FEWEST_SAMPLES || spanMs < this.#leastMs)
      return { kind: 'unknown', why: 'has not been watched for long enough' };
    const slopes = slopesOf(this.#samples);
    const growing = slopes.filter((slope) => slope > 0).length / slopes.length;
    const slope = median(slopes);
    if (slope <= 0) return { kind: 'steady' };
    if (growing < AGREEMENT) return { kind: 'unknown', why: 'goes up and down' };
    const inMs = unusedKiB / slope;
    if (inMs > LONGEST_MS) return { kind: 'steady' };
    if (inMs > spanMs * REACH) return { kind: 'unknown', why: 'has not been watched for long enough' };
    return { kind: 'full', inMs, kibPerDay: slope * DAY_MS };
  }
}

/** KiB per ms between each two samples. */
function slopesOf(samples: readonly UseSample[]): number[] {
  const slopes: number[] = [];
  for (const [index, earlier] of samples.entries()) {
    for (const later of samples.slice(index + 1)) {
      slopes.push((later.usedKiB - earlier.usedKiB) / (later.elapsedMs - earlier.elapsedMs));
    }
  }
  return slopes.sort((a, b) => a - b);
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  return ((sorted[middle] ?? 0) + (sorted[Math.ceil(sorted.length / 2) - 1] ?? 0)) / 2;
}
