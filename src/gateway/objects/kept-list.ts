/** A list that is read now and then and kept in between. One reading serves everybody who waits for it. */
export class KeptList<T> {
  readonly #read: () => Promise<readonly T[]>;
  readonly #elapsed: () => number;
  #kept: { readonly list: readonly T[]; readonly readAt: number } | undefined;
  #reading: Promise<readonly T[]> | undefined;

  /** `read` bounds its own time: whoever waits may leave, and the reading goes on for the others. */
  constructor(read: () => Promise<readonly T[]>, elapsed: () => number) {
    this.#read = read;
    this.#elapsed = elapsed;
  }

  /** How long ago it was read, ms; undefined when it never was. */
  get age(): number | undefined {
    return this.#kept === undefined ? undefined : this.#elapsed() - this.#kept.readAt;
  }

  /** As last read, however long ago; read now when it never was. Rejects as `read`; a failure is not kept. */
  async any(): Promise<readonly T[]> {
    return this.#kept?.list ?? this.newer();
  }

  /** Read now, or by the reading that is under way. Rejects as `read`. */
  newer(): Promise<readonly T[]> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(): Promise<readonly T[]> {
    const list = await this.#read();
    this.#kept = { list, readAt: this.#elapsed() };
    return list;
  }
}
