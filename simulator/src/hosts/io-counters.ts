import type { VolumeIo } from '../sdc-protocol.ts';

/** A bandwidth counter as the REST API spells it. */
export interface Bwc {
  readonly numSeconds: number;
  readonly totalWeightInKb: number;
  readonly numOccured: number;
}

export interface IoRates {
  readonly read: Bwc;
  readonly write: Bwc;
}

interface Sample {
  readonly at: number;
  readonly sdcId: string;
  readonly io: VolumeIo;
}

/** Recent I/O as the agents report it. What is older than the window is forgotten, so an idle volume reads zero. */
export class IoCounters {
  readonly #elapsed: () => number;
  readonly #windowMs: number;
  #samples: Sample[] = [];

  constructor(elapsed: () => number, windowMs: number) {
    this.#elapsed = elapsed;
    this.#windowMs = windowMs;
  }

  add(sdcId: string, volumes: readonly VolumeIo[]): void {
    const at = this.#elapsed();
    this.#forget();
    for (const io of volumes) if (io.reads + io.writes > 0) this.#samples.push({ at, sdcId, io });
  }

  /** Sums over the samples that pass. */
  rates(passes: (sdcId: string, volumeId: string) => boolean): IoRates {
    this.#forget();
    let [readKiB, reads, writeKiB, writes] = [0, 0, 0, 0];
    for (const { sdcId, io } of this.#samples) {
      if (!passes(sdcId, io.volumeId)) continue;
      readKiB += io.readKiB;
      reads += io.reads;
      writeKiB += io.writeKiB;
      writes += io.writes;
    }
    return { read: this.#bwc(readKiB, reads), write: this.#bwc(writeKiB, writes) };
  }

  #bwc(kib: number, count: number): Bwc {
    if (count === 0) return { numSeconds: 0, totalWeightInKb: 0, numOccured: 0 };
    return { numSeconds: this.#windowMs / 1000, totalWeightInKb: Math.round(kib), numOccured: count };
  }

  #forget(): void {
    const oldest = this.#elapsed() - this.#windowMs;
    const first = this.#samples[0];
    if (first && first.at < oldest) this.#samples = this.#samples.filter((sample) => sample.at >= oldest);
  }
}
