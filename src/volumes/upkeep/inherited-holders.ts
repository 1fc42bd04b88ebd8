import { NAMELESS, type HostVolume } from '../host-volume.ts';

/**
 * Claimants that this life of the plugin found in the journal. Some may never take their claim off: a client forgets a Mount whose
 * answer did not come, does not repeat an Unmount, and after a crash of its own no longer knows what it claimed. So a volume that nobody
 * but them holds is doubtful, and the kernel must say whether it is used (rule 6).
 */
export class InheritedHolders {
  readonly #byVolume: ReadonlyMap<string, ReadonlySet<string>>;
  /** The holders for which the kernel has already answered. */
  readonly #vouched = new Map<string, string>();

  constructor(entries: readonly HostVolume[]) {
    this.#byVolume = new Map(entries.map(({ name, holders }) => [name, new Set(holders)]));
  }

  /** True when all holders are inherited and nothing has vouched for just these. A client without a name is believed. */
  areDoubtful({ name, holders }: HostVolume): boolean {
    const inherited = this.#byVolume.get(name);
    if (inherited === undefined || holders.includes(NAMELESS)) return false;
    return this.#vouched.get(name) !== holders.join() && holders.every((holder) => inherited.has(holder));
  }

  /** The kernel showed that these holders include one that uses the volume. */
  vouch({ name, holders }: HostVolume): void {
    this.#vouched.set(name, holders.join());
  }
}
