import type { Clock } from '../../runtime/clock.ts';

/** How often in a row something has been seen, and how long after the first time the last one was. */
export interface RepeatedFinding {
  readonly rounds: number;
  readonly forMs: number;
}

interface Seen {
  readonly first: number;
  readonly last: number;
  readonly rounds: number;
}

/**
 * What was seen from reading to reading. Time is the steward's own and only ever grows, so no clock that jumps can make
 * anything look older; and nothing is kept, so a new steward begins anew.
 */
export class RepeatedFindings {
  readonly #clock: Pick<Clock, 'elapsed'>;
  #seen = new Map<string, Seen>();

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  /** Takes a reading in. What it does not show is forgotten, and begins anew should it come back. */
  observe(keys: readonly string[]): void {
    const last = this.#clock.elapsed();
    this.#seen = new Map(
      keys.map((key) => {
        const { first, rounds } = this.#seen.get(key) ?? { first: last, rounds: 0 };
        return [key, { first, last, rounds: rounds + 1 }];
      }),
    );
  }

  /** Nothing could be read, so nothing is seen in a row any more. */
  lostSight(): void {
    this.#seen = new Map([...this.#seen].map(([key, seen]) => [key, { ...seen, rounds: 0 }]));
  }

  of(key: string): RepeatedFinding {
    const { first, last, rounds } = this.#seen.get(key) ?? { first: 0, last: 0, rounds: 0 };
    return { rounds, forMs: last - first };
  }
}
