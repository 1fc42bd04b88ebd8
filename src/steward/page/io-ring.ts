import type { IoRate, VolumeIo } from '../../array/copies.ts';
import type { IoHistory } from './detail-data.ts';

/** So many samples are kept. */
export const KEPT_SAMPLES = 120;

const FIELDS = [
  'readIops',
  'writeIops',
  'readKiBps',
  'writeKiBps',
  'readLatencyUs',
  'writeLatencyUs',
] as const;

interface Series {
  /** By field and slot; NaN where nothing is known. */
  readonly values: Float32Array;
  lastCount: number;
}

/**
 * The last samples of the I/O of many things at the same moments. Of each thing it takes 3 KiB, however long it is
 * watched; what was not in any of the samples kept is forgotten.
 */
export class IoRing<Key> {
  readonly #times: number[] = Array.from({ length: KEPT_SAMPLES }, () => 0);
  readonly #series = new Map<Key, Series>();
  #count = 0;

  /** Takes a sample in; `at`: ms of a clock that cannot be set. None of anything: a gap. */
  add(at: number, sample: ReadonlyMap<Key, VolumeIo>): void {
    const slot = this.#count % KEPT_SAMPLES;
    this.#count += 1;
    this.#times[slot] = at;
    for (const [key, series] of this.#series) {
      if (this.#count - series.lastCount >= KEPT_SAMPLES && !sample.has(key)) this.#series.delete(key);
      else write(series.values, slot, undefined);
    }
    for (const [key, io] of sample) {
      const series = this.#series.get(key) ?? newSeries();
      series.lastCount = this.#count;
      write(series.values, slot, io);
      this.#series.set(key, series);
    }
  }

  /** What was kept of one, oldest first; undefined: nothing. `wallAt` makes seconds since 1970 of the time of a sample. */
  historyOf(key: Key, wallAt: (at: number) => number): IoHistory | undefined {
    const series = this.#series.get(key);
    if (series === undefined) return undefined;
    const slots = this.#slots();
    const column = (field: (typeof FIELDS)[number]): (number | null)[] =>
      slots.map((slot) => {
        const value = series.values[FIELDS.indexOf(field) * KEPT_SAMPLES + slot];
        return value === undefined || Number.isNaN(value) ? null : value;
      });
    return {
      atSeconds: slots.map((slot) => wallAt(this.#times[slot] ?? 0)),
      readIops: column('readIops'),
      writeIops: column('writeIops'),
      readKiBps: column('readKiBps'),
      writeKiBps: column('writeKiBps'),
      readLatencyUs: column('readLatencyUs'),
      writeLatencyUs: column('writeLatencyUs'),
    };
  }

  /** Oldest first. */
  #slots(): number[] {
    const length = Math.min(this.#count, KEPT_SAMPLES);
    const first = this.#count - length;
    return Array.from({ length }, (_, index) => (first + index) % KEPT_SAMPLES);
  }
}

function newSeries(): Series {
  return { values: new Float32Array(FIELDS.length * KEPT_SAMPLES).fill(Number.NaN), lastCount: 0 };
}

function write(values: Float32Array, slot: number, io: VolumeIo | undefined): void {
  const row = io === undefined ? [] : numbersOf(io);
  for (const [index] of FIELDS.entries()) values[index * KEPT_SAMPLES + slot] = row[index] ?? Number.NaN;
}

/** In the order of the fields. */
function numbersOf({ read, write: written }: VolumeIo): (number | null)[] {
  return [
    ...[read.iops, written.iops, read.kibPerSecond, written.kibPerSecond],
    ...[read.latencyMicroseconds, written.latencyMicroseconds],
  ];
}

/** The I/O of several together; latency is the mean over their operations. Null where none of them is known. */
export function sumOf(all: readonly VolumeIo[]): VolumeIo {
  return {
    read: sumOfRates(all.map(({ read }) => read)),
    write: sumOfRates(all.map(({ write: written }) => written)),
  };
}

/** The same of one direction, or of both as one. */
export function sumOfRates(rates: readonly IoRate[]): IoRate {
  const sum = (numbers: readonly (number | null)[]): number | null => {
    const known = numbers.filter((number) => number !== null);
    return known.length === 0 ? null : known.reduce((total, number) => total + number, 0);
  };
  const timed = rates.flatMap(({ iops, latencyMicroseconds }) =>
    iops === null || latencyMicroseconds === null ? [] : [{ iops, spent: iops * latencyMicroseconds }],
  );
  const operations = sum(timed.map(({ iops }) => iops)) ?? 0;
  return {
    iops: sum(rates.map(({ iops }) => iops)),
    kibPerSecond: sum(rates.map(({ kibPerSecond }) => kibPerSecond)),
    latencyMicroseconds: operations === 0 ? null : (sum(timed.map(({ spent }) => spent)) ?? 0) / operations,
  };
}
