interface Waiting<Change> {
  readonly change: Change;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Lets many changes share one slow write: those that come while a write is under way are written together by the next.
 * Changes are written in the order of submitting, and never in two writes at once.
 */
export class GroupCommit<Change> {
  readonly #write: (changes: readonly Change[]) => Promise<void>;
  #waiting: Waiting<Change>[] = [];
  #running: Promise<void> | undefined;

  constructor(write: (changes: readonly Change[]) => Promise<void>) {
    this.#write = write;
  }

  /** Resolves when the change is written; rejects as its write does, for all that shared it. */
  submit(change: Change): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // Changes submitted in the same turn belong into the same write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(batch.map(({ change }) => change));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = undefined;
  }
}
