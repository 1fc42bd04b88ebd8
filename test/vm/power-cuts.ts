import { open, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { readWriteLog, redo, type LoggedWrite } from './write-log.ts';

/** A disk as it may be after the power went at one moment. */
export interface CutDisk {
  /** Raw. */
  readonly file: string;
  /** Marks that had been made by then, in their order. */
  readonly marks: readonly string[];
  /** For messages: after how many entries of the log. */
  readonly after: number;
}

/**
 * Goes through a log of dm-log-writes and makes, for each of the given moments, a disk of what a power cut may have left then: all
 * that was flushed, and of what came later some writes, some not, and one in half. `random`: 0 to 1, the same numbers for the same disks.
 */
export class PowerCuts {
  readonly #directory: string;
  readonly #log: string;
  readonly #sizeBytes: number;
  readonly #random: () => number;
  readonly writes: readonly LoggedWrite[];

  private constructor(
    place: { readonly directory: string; readonly log: string; readonly sizeBytes: number },
    writes: readonly LoggedWrite[],
    random: () => number,
  ) {
    this.#directory = place.directory;
    this.#log = place.log;
    this.#sizeBytes = place.sizeBytes;
    this.writes = writes;
    this.#random = random;
  }

  static async read(
    place: { readonly directory: string; readonly log: string; readonly sizeBytes: number },
    random: () => number,
  ): Promise<PowerCuts> {
    return new PowerCuts(place, await readWriteLog(place.log), random);
  }

  /** Index of the entry right after a mark. Throws where there is no such mark. */
  afterMark(mark: string): number {
    const index = this.writes.findIndex((write) => write.mark === mark);
    if (index < 0) throw new Error(`the log has no mark "${mark}"`);
    return index + 1;
  }

  /** So many moments from `first` on, always with the last one. */
  moments(first: number, count: number): number[] {
    const span = this.writes.length - first;
    const chosen = Array.from({ length: count - 1 }, () => first + Math.floor(this.#random() * span));
    return [...new Set([...chosen, this.writes.length])].sort((a, b) => a - b);
  }

  /** `moments`: ascending. The file is another one each time it is asked for, and the caller may write to it. */
  async *at(moments: readonly number[]): AsyncGenerator<CutDisk> {
    const flushed = path.join(this.#directory, 'flushed.img');
    const cut = path.join(this.#directory, 'cut.img');
    await writeFile(flushed, '');
    await truncate(flushed, this.#sizeBytes);
    const log = await open(this.#log);
    try {
      let done = 0;
      for (const moment of moments) {
        const before = this.writes.slice(0, moment);
        const last = before.findLastIndex(({ isFlush }) => isFlush) + 1;
        done = await this.#redoAll(flushed, log, { from: done, to: Math.max(done, last) });
        // A new file: mount would take a loop device that still has the last one, with what it remembers of it.
        await execa('cp', ['--sparse=always', '--remove-destination', flushed, cut]);
        await this.#tear(cut, log, before.slice(done));
        const marks = before.flatMap(({ mark }) => mark ?? []);
        yield { file: cut, marks, after: moment };
      }
    } finally {
      await log.close();
    }
  }

  async #redoAll(
    file: string,
    log: Awaited<ReturnType<typeof open>>,
    { from, to }: { readonly from: number; readonly to: number },
  ): Promise<number> {
    const disk = await open(file, 'r+');
    try {
      for (const write of this.writes.slice(from, to)) await redo({ log, disk }, write);
    } finally {
      await disk.close();
    }
    return to;
  }

  /** What was still on its way: each write is there, is not, or is there in part; what promised to be durable is there. */
  async #tear(
    file: string,
    log: Awaited<ReturnType<typeof open>>,
    writes: readonly LoggedWrite[],
  ): Promise<void> {
    const disk = await open(file, 'r+');
    try {
      for (const write of writes) {
        const chance = this.#random();
        const part = write.isDurable || chance < 0.4 ? 1 : chance < 0.8 ? 0 : this.#random();
        await redo({ log, disk }, write, part);
      }
    } finally {
      await disk.close();
    }
  }
}
