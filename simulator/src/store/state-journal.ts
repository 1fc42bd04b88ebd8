import { closeSync, fdatasync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

const syncData = promisify(fdatasync);

/**
 * Survive what: `process` hands each change to the kernel before the call goes on, which outlives kill -9; `machine`
 * also waits for the disk, one wait for all changes that came meanwhile.
 */
export type Durability = 'process' | 'machine';

/** One line: checksum of the rest, a space, JSON. */
export function sealed(entry: unknown): string {
  const json = JSON.stringify(entry);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** The entry of a sealed line, or undefined when the line is torn or damaged. */
export function unsealed(line: string): { entry: unknown } | undefined {
  const json = line.slice(9);
  if (line[8] !== ' ' || crc32(json).toString(16).padStart(8, '0') !== line.slice(0, 8)) return undefined;
  return { entry: JSON.parse(json) as unknown };
}

/** Entries of a journal up to the first torn line, and where that line begins. A missing file is empty. */
export function readJournal(path: string): { entries: unknown[]; goodBytes: number } {
  const entries: unknown[] = [];
  let goodBytes = 0;
  for (const line of linesOf(path)) {
    const read = line.complete ? unsealed(line.text) : undefined;
    if (read === undefined) break;
    entries.push(read.entry);
    goodBytes = line.end;
  }
  return { entries, goodBytes };
}

function* linesOf(path: string): Generator<{ text: string; end: number; complete: boolean }> {
  const bytes = readIfThere(path);
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start);
    const complete = newline >= 0;
    const end = complete ? newline : bytes.length;
    yield { text: bytes.toString('utf8', start, end), end: end + 1, complete };
    start = end + 1;
  }
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** An append-only file of entries. */
export class StateJournal {
  readonly #file: number;
  readonly #durability: Durability;
  #bytes: number;
  #sync: Promise<void> | undefined;

  /** Opens for appending after `goodBytes`; anything beyond is a torn tail and is cut off. */
  constructor(path: string, goodBytes: number, durability: Durability) {
    this.#file = openSync(path, 'a', 0o600);
    ftruncateSync(this.#file, goodBytes);
    this.#bytes = goodBytes;
    this.#durability = durability;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Appends at once, in order of the calls; resolves when the entry is as durable as was asked for. */
  append(entry: unknown): Promise<void> {
    const line = Buffer.from(sealed(entry));
    for (let written = 0; written < line.length;) written += writeSync(this.#file, line, written);
    this.#bytes += line.length;
    return this.#durability === 'process' ? Promise.resolve() : this.#synced();
  }

  async close(): Promise<void> {
    while (this.#sync) await this.#sync;
    closeSync(this.#file);
  }

  /** A sync that started before this entry was written does not cover it: wait for that one, then share the next. */
  async #synced(): Promise<void> {
    const running = this.#sync;
    if (running === undefined) return this.#startSync();
    await running;
    await (this.#sync ?? this.#startSync());
  }

  #startSync(): Promise<void> {
    this.#sync = syncData(this.#file).finally(() => {
      this.#sync = undefined;
    });
    return this.#sync;
  }
}
