export interface SpareLimits {
  /** So many stay ready for a mount that may come. */
  readonly ready: number;
  /** One that was wanted less than so many ms ago may be about to be mounted on. */
  readonly youngMs: number;
  /** So many that nobody needs any more may wait for a moment in which taking them away costs nothing. */
  readonly waiting: number;
}

/** Longer than any Mount may take. */
const LIMITS: SpareLimits = { ready: 1000, youngMs: 150_000, waiting: 64 };

/** Which of the mountpoints that are there may be taken away again: those of volumes that are gone, and those unused longest. */
export class SpareMountpoints {
  readonly #elapsed: () => number;
  readonly #limits: SpareLimits;
  /** When each was last wanted in this life, the longest ago first. */
  readonly #wanted = new Map<string, number>();
  readonly #unneeded = new Set<string>();
  readonly #going = new Set<string>();

  /** `elapsed`: ms, by a clock that cannot be set. */
  constructor(elapsed: () => number, limits: SpareLimits = LIMITS) {
    this.#elapsed = elapsed;
    this.#limits = limits;
  }

  /** Somebody is about to use it. False while it is being taken away. */
  want(mountpoint: string): boolean {
    this.#unneeded.delete(mountpoint);
    this.#wanted.delete(mountpoint);
    this.#wanted.set(mountpoint, this.#elapsed());
    return !this.#going.has(mountpoint);
  }

  /** Its volume is gone. True when so many wait that they should be taken away soon. */
  spare(mountpoint: string): boolean {
    this.#wanted.delete(mountpoint);
    this.#unneeded.add(mountpoint);
    return this.#unneeded.size > this.#limits.waiting;
  }

  /** True when somebody of this life asked for it. */
  isKnown(mountpoint: string): boolean {
    return this.#wanted.has(mountpoint);
  }

  /** Those that may be taken away now. */
  due(): readonly string[] {
    const excess = this.#wanted.size - this.#limits.ready;
    const before = this.#elapsed() - this.#limits.youngMs;
    const longest = excess > 0 ? [...this.#wanted].slice(0, excess) : [];
    return [...this.#unneeded, ...longest.filter(([, at]) => at < before).map(([mountpoint]) => mountpoint)];
  }

  /**
   * Takes one away with `remove`, unless it is wanted again; `remove` answers false when something is mounted there. Rejects as it
   * does.
   */
  async takeAway(mountpoint: string, remove: () => Promise<boolean>): Promise<void> {
    const at = this.#wanted.get(mountpoint);
    const isWanted = at !== undefined && at >= this.#elapsed() - this.#limits.youngMs;
    if (isWanted && !this.#unneeded.has(mountpoint)) return;
    this.#unneeded.delete(mountpoint);
    this.#wanted.delete(mountpoint);
    this.#going.add(mountpoint);
    try {
      if (!(await remove()) && !this.#wanted.has(mountpoint)) this.#wanted.set(mountpoint, this.#elapsed());
    } finally {
      this.#going.delete(mountpoint);
    }
  }
}
