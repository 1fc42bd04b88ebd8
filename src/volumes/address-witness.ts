import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

/** A foreign address is held against the SDC for so long, because two hosts that share an entry show theirs in turn. */
const REMEMBERED_MS = 3_600_000;

/**
 * Whether the SDC that the array knows by this host's GUID is this host. Two machines with one GUID (a cloned image, a setting
 * copied) share one entry at the array, which shows the address of the one that connected last.
 */
export class AddressWitness {
  readonly #ownAddresses: () => readonly string[];
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #log: Log;
  #foreign: { readonly address: string; readonly atMs: number } | undefined;

  constructor(ownAddresses: () => readonly string[], clock: Pick<Clock, 'elapsed'>, log: Log) {
    this.#ownAddresses = ownAddresses;
    this.#clock = clock;
    this.#log = log;
  }

  /** The array shows our SDC with these addresses; null where it does not know one, which says nothing. */
  see(addresses: readonly (string | null)[]): void {
    const foreign = foreignAddress(addresses, this.#ownAddresses());
    if (foreign === undefined) return;
    if (this.doubt === undefined) this.#log.error({ address: foreign }, foreignEntry(foreign));
    this.#foreign = { address: foreign, atMs: this.#clock.elapsed() };
  }

  /** What speaks against it, as one sentence; undefined while nothing does. */
  get doubt(): string | undefined {
    if (this.#foreign === undefined || this.#clock.elapsed() - this.#foreign.atMs >= REMEMBERED_MS)
      return undefined;
    return foreignEntry(this.#foreign.address);
  }
}

/** The first of the addresses when none of them is one of this host's; undefined when one is, or none is known. */
export function foreignAddress(
  addresses: readonly (string | null)[],
  own: readonly string[],
): string | undefined {
  const known = addresses.filter((address) => address !== null);
  return known.some((address) => own.includes(address)) ? undefined : known[0];
}

/** For log, doctor and errors. */
export function foreignEntry(address: string): string {
  return (
    `the array has the SDC with this host's GUID at ${address}, which is none of this host's addresses: another machine may bear the ` +
    `same GUID (a cloned image, a wrong SCALEIO_GUID), so nothing is taken away that this plugin did not record`
  );
}
