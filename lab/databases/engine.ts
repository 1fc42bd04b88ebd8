import type { Holdings } from '../postgres/ledger.ts';

/** What `DatabaseService` has to know of a database program. */
export interface Engine {
  /** Also of its image and of its services. */
  readonly name: string;
  /** Where its volume is mounted, and whose that is. */
  readonly data: string;
  readonly user: number;
  /** A shell script that makes the data where there is none, and becomes the server. */
  readonly start: string;
  /** Ends well as soon as it answers; in the container. */
  readonly ready: readonly string[];
  /** Makes what the clients write into; in the container. Undefined: nothing is needed. */
  readonly schema: readonly string[] | undefined;
  /** The clients, with more arguments: the addresses at which the server may be. They print the ledger's entries. */
  readonly client: readonly string[];
  /** Prints all that it holds of the ledger; in the container. */
  readonly holdings: readonly string[];
  readonly holdingsOf: (printed: string) => Holdings;
  /** Prints what is damaged, and nothing where all is whole; in the container. */
  readonly check: readonly string[];
}
