/** How far something has come that was seen to go on. */
export interface Progress {
  readonly leftKiB: number;
  /** The most that was left since it began, as far as readings saw it. */
  readonly ofKiB: number;
}

/** Follows from reading to reading how much is left of something that the array does, such as a rebuild. */
export class ProgressWatch {
  #now: Progress | undefined;

  /** Takes a reading in; undefined: nothing goes on. */
  observe(leftKiB: number): Progress | undefined {
    this.#now = leftKiB <= 0 ? undefined : { leftKiB, ofKiB: Math.max(leftKiB, this.#now?.ofKiB ?? 0) };
    return this.#now;
  }
}

/** Done part, 0 to 1. */
export function doneOf({ leftKiB, ofKiB }: Progress): number {
  return 1 - leftKiB / ofKiB;
}
