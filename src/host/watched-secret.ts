import { open } from 'node:fs/promises';

/** A file as it is now, and who may read and write it. */
export interface SecretText {
  readonly text: string;
  /** Permission bits. */
  readonly mode: number;
  /** Another one after every change. */
  readonly mark: string;
}

const LARGEST_BYTES = 1024 ** 2;

/** Reads a small file again only when it has changed. */
export class WatchedSecret {
  readonly #file: string;
  #last: SecretText | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Rejects with the error of node:fs, and with RangeError for more than 1 MiB. */
  async read(): Promise<SecretText> {
    const handle = await open(this.#file, 'r');
    try {
      const { ino, size, mtimeNs, ctimeNs, mode } = await handle.stat({ bigint: true });
      const mark = [ino, size, mtimeNs, ctimeNs].join(' ');
      if (this.#last?.mark === mark) return this.#last;
      if (size > LARGEST_BYTES) throw new RangeError(`it has ${size} bytes`);
      const text = await handle.readFile('utf8');
      this.#last = { text, mode: Number(mode) & 0o777, mark };
      return this.#last;
    } finally {
      await handle.close();
    }
  }
}
