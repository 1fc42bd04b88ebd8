import { CancelledError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

export interface DelayedWriteParts {
  /** What is written, as it begins a sentence: 'known volumes'. */
  readonly what: string;
  readonly file: string;
  /** Puts all of it on disk. */
  readonly write: () => Promise<void>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
}

/** Changes that come together are written together. The known volumes can be 40 MB; more often than this would wear the disk. */
const DELAY_MS = 5000;

/** Puts on disk within seconds what is in memory already, and may be lost without harm: again after a failure, told once. */
export class DelayedWrite {
  readonly #parts: DelayedWriteParts;
  readonly #closing = new AbortController();
  #isDirty = false;
  #hasFailed = false;
  #writing: Promise<void> | undefined;

  constructor(parts: DelayedWriteParts) {
    this.#parts = parts;
  }

  /** To be called after each change. */
  changed(): void {
    this.#isDirty = true;
    if (!this.#closing.signal.aborted) this.#writing ??= this.#writeLater();
  }

  /** Writes what is not on disk yet. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
    if (this.#isDirty) await this.#write();
  }

  async #writeLater(): Promise<void> {
    const { what, clock, log } = this.#parts;
    try {
      while (this.#isDirty) {
        await clock.sleep(DELAY_MS, this.#closing.signal);
        await this.#write();
      }
    } catch (error) {
      if (!(error instanceof CancelledError))
        log.error({ error: String(error) }, `${what} are no longer written`);
    } finally {
      this.#writing = undefined;
    }
  }

  async #write(): Promise<void> {
    const { what, file, write, log } = this.#parts;
    this.#isDirty = false;
    try {
      await write();
      this.#hasFailed = false;
    } catch (error) {
      this.#isDirty = true;
      if (!this.#hasFailed) log.warn({ file, error: String(error) }, `${what} cannot be written`);
      this.#hasFailed = true;
    }
  }
}
