/** Where the server listens. */
export const PORT = 5432;

/** Accounts that the transfers go between; their balances always add up to 0. */
export const ACCOUNTS = 1000;

/** What a client tells of one transaction. */
export interface Entry {
  readonly client: number;
  /** Counts a client's transactions; never used twice. */
  readonly n: number;
  readonly is: 'sent' | 'committed';
  /** Unix time, ms. */
  readonly at: number;
  /** Of the host that the client was talking to. */
  readonly address: string;
}

/** What the database holds of the ledger, as its own program prints it. */
export interface Holdings {
  /** "client n" of each transaction. */
  readonly transactions: ReadonlySet<string>;
  readonly balance: number;
}

/** The clients' own record of what they sent and what was acknowledged, kept outside of the database. */
export class Ledger {
  readonly #sent = new Set<string>();
  readonly #committed = new Set<string>();
  #last: Entry | undefined;
  #waiting: { readonly wants: (entry: Entry) => boolean; readonly take: (entry: Entry) => void }[] = [];

  record(entry: Entry): void {
    const key = `${entry.client} ${entry.n}`;
    if (entry.is === 'sent') {
      this.#sent.add(key);
      return;
    }
    this.#committed.add(key);
    this.#last = entry;
    const called = this.#waiting.filter(({ wants }) => wants(entry));
    this.#waiting = this.#waiting.filter((one) => !called.includes(one));
    for (const { take } of called) take(entry);
  }

  /** Transactions acknowledged so far. */
  get committed(): ReadonlySet<string> {
    return new Set(this.#committed);
  }

  /** The transaction that was acknowledged last. */
  get last(): Entry | undefined {
    return this.#last;
  }

  /** The next acknowledged transaction that fits. */
  next(wants: (entry: Entry) => boolean): Promise<Entry> {
    return new Promise((take) => {
      this.#waiting.push({ wants, take });
    });
  }

  /**
   * What is wrong with what the database holds. `expected`: transactions that were acknowledged before the database
   * was asked. What was sent and never acknowledged may be there or not; what was never sent may not.
   */
  faults({ transactions, balance }: Holdings, expected: ReadonlySet<string>): string[] {
    const lost = [...expected].filter((key) => !transactions.has(key));
    const invented = [...transactions].filter((key) => !this.#sent.has(key));
    return [
      ...lost.map((key) => `transaction ${key} was acknowledged and is lost`),
      ...invented.map((key) => `transaction ${key} was never sent and is there`),
      ...(balance === 0 ? [] : [`the balances add up to ${balance}: half a transfer is there`]),
    ];
  }
}
