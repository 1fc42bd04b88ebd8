import type { Clock } from '../../runtime/clock.ts';
import type { VolumeName } from '../volume.ts';

/** Who asks before a Create makes it at once; later somebody else may well have made the volume. */
const NEWS_FOR_MS = 5000;

/** Names of which a Get has just seen that no volume bears them, for the Create that is about to follow. */
export class AbsentNames {
  readonly #clock: Pick<Clock, 'elapsed'>;
  /** When the look began, by name; the oldest first. */
  readonly #seenMs = new Map<VolumeName, number>();

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  /** `beganMs`: when the look began, by the clock that cannot be set. */
  note(name: VolumeName, beganMs: number): void {
    this.#seenMs.delete(name);
    this.#seenMs.set(name, beganMs);
    for (const [old, seenMs] of this.#seenMs) {
      if (this.#isNews(seenMs)) return;
      this.#seenMs.delete(old);
    }
  }

  /** A volume of the name is known now. */
  forget(name: VolumeName): void {
    this.#seenMs.delete(name);
  }

  /** Whether that there is none is news of a moment ago. True once: whoever tries again looks for himself. */
  take(name: VolumeName): boolean {
    const seenMs = this.#seenMs.get(name);
    this.#seenMs.delete(name);
    return seenMs !== undefined && this.#isNews(seenMs);
  }

  #isNews(seenMs: number): boolean {
    return this.#clock.elapsed() - seenMs <= NEWS_FOR_MS;
  }
}
