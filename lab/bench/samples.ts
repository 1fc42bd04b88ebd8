/** Wall times of one thing done again and again, ms. */
export interface Samples {
  readonly p50: number;
  readonly p95: number;
  readonly count: number;
}

/** The value that this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function summary(values: readonly number[]): Samples {
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95), count: values.length };
}

export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** What was measured of one operation, beside its floor: the same done by hand in the same run. */
export class Series {
  readonly plugin: number[] = [];
  readonly floor: number[] = [];
  /** Of many at once: until the last was done. */
  readonly pluginWalls: number[] = [];
  readonly floorWalls: number[] = [];
  /** Gateway calls, the most of any sample. */
  calls = 0;
}

/** The series of one part of the benchmark, by what was measured. */
export class SeriesTable {
  readonly #series = new Map<string, Series>();

  of(what: string): Series {
    const found = this.#series.get(what) ?? new Series();
    this.#series.set(what, found);
    return found;
  }

  entries(): [string, Series][] {
    return [...this.#series];
  }
}
