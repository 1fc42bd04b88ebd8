import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Where text goes that nobody may ever wait for: a log, warnings. */
export interface Output {
  /** Takes the text whole or not at all, and returns at once whether anybody reads or not. */
  write(text: string): void;
  /** Texts that were not taken since the start, because nobody read. */
  readonly dropped: number;
}

/** An output of this process. */
export interface OpenOutput extends Output {
  /** Hands on what still waits, for at most a quarter of a second, and lets go. The end of the process does so, too. */
  close(): void;
}

/** A place that takes bytes without ever waiting. */
interface Place {
  /** How many of the bytes were taken, 0 when there is no room now; 'never' when they cannot be taken at all. */
  write(bytes: Uint8Array): number | 'never';
}

export interface OutputParts {
  readonly place: Place;
  /** Called after a while, when there may be room again; not when the process would end but for it. */
  readonly later: (work: () => void) => void;
  /** Told once what was taken flows again after some was not: how many were dropped meanwhile. */
  readonly onResumed: (dropped: number) => void;
  /** Of what waits. */
  readonly limitBytes?: number;
}

const LIMIT_BYTES = 1_048_576;
const RETRY_MS = 20;
const FLUSH_LIMIT_MS = 250;

/**
 * Writes at once where there is room, so that nothing is lost when the process dies; else keeps the texts in their order up to a
 * limit, and counts those that come when it is reached. A reader that stalls must never stall whoever writes.
 */
export class BoundedOutput implements Output {
  readonly #parts: OutputParts;
  readonly #limitBytes: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #untold = 0;
  #isScheduled = false;

  constructor(parts: OutputParts) {
    this.#parts = parts;
    this.#limitBytes = parts.limitBytes ?? LIMIT_BYTES;
  }

  get dropped(): number {
    return this.#dropped;
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > this.#limitBytes) {
      this.#dropped += 1;
      this.#untold += 1;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#isScheduled) this.#drain();
  }

  /** Hands on what still waits, for at most so many ms, while nothing else runs: for the end of the process. */
  flush(limitMs: number): void {
    const until = performance.now() + limitMs;
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (!this.#writeOut() && performance.now() < until) Atomics.wait(pause, 0, 0, 2);
  }

  #drain(): void {
    if (this.#writeOut()) {
      this.#tellDropped();
      return;
    }
    this.#isScheduled = true;
    this.#parts.later(() => {
      this.#isScheduled = false;
      this.#drain();
    });
  }

  /** True when nothing waits any more. */
  #writeOut(): boolean {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const taken = this.#parts.place.write(first);
      if (taken === 0) return false;
      if (taken === 'never') this.#dropped += 1;
      const left = taken === 'never' ? new Uint8Array() : first.subarray(taken);
      this.#waitingBytes -= first.length - left.length;
      if (left.length > 0) this.#waiting[0] = left;
      else this.#waiting.shift();
    }
    return true;
  }

  #tellDropped(): void {
    const dropped = this.#untold;
    if (dropped === 0) return;
    this.#untold = 0;
    this.#parts.onResumed(dropped);
  }
}

/** This process's stdout (1) or stderr (2) as an output. `onResumed`: as OutputParts. */
export function openOutput(fd: 1 | 2, onResumed: (dropped: number) => void = () => undefined): OpenOutput {
  const own = unblocked(fd);
  const output = new BoundedOutput({
    place: placeOf(own),
    later: (work) => setTimeout(work, RETRY_MS).unref(),
    onResumed,
  });
  const flush = (): void => {
    output.flush(FLUSH_LIMIT_MS);
  };
  process.once('exit', flush);
  return {
    write: (text) => {
      output.write(text);
    },
    get dropped() {
      return output.dropped;
    },
    close: () => {
      flush();
      process.off('exit', flush);
      if (own !== fd) closeSync(own);
    },
  };
}

/** A descriptor for the same place that never waits. */
function unblocked(fd: number): number {
  const kind = fstatSync(fd);
  if (kind.isFIFO() || kind.isCharacterDevice()) {
    try {
      // An open file of our own: whoever shares the other with us expects it to wait.
      const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
      return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    } catch (error) {
      if (codeOf(error) === undefined || kind.isCharacterDevice()) return fd;
    }
  }
  // A socket, as of systemd's journal, cannot be opened anew; this sets it to not wait, and nothing is written through it.
  if (kind.isFIFO() || kind.isSocket()) new Socket({ fd, readable: false, writable: true }).unref();
  return fd;
}

/** A reader that has gone will not come back, and a disk that is full must not stop anybody. */
function placeOf(fd: number): Place {
  return {
    write: (bytes) => {
      try {
        return writeSync(fd, bytes);
      } catch (error) {
        return codeOf(error) === 'EAGAIN' ? 0 : 'never';
      }
    },
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
