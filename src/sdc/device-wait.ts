import { CancelledError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { DirectoryWatch } from './directory-watch.ts';

/** Looks again this often even without a sign: an event can be lost, a size can come after its link. */
const LOOK_AGAIN_MS = 500;

export interface Wait {
  readonly directory: string;
  readonly clock: Omit<Clock, 'now'>;
  readonly signal: AbortSignal;
}

/**
 * Looks at once, at every change of the directory, and every half second, until `look` gives something else than
 * undefined. Rejects with what `look` rejects with, and with CancelledError at the signal.
 */
export async function waitUntil<T>(look: () => Promise<T | undefined>, wait: Wait): Promise<T> {
  using watch = new DirectoryWatch(wait.directory);
  for (;;) {
    if (wait.signal.aborted) throw new CancelledError(`waiting for a device was cancelled; try again`);
    watch.rearm();
    const found = await look();
    if (found !== undefined) return found;
    await nextSign(watch.changed, wait);
  }
}

async function nextSign(changed: Promise<undefined>, wait: Wait): Promise<void> {
  const settled = new AbortController();
  const tick = wait.clock.sleep(LOOK_AGAIN_MS, AbortSignal.any([wait.signal, settled.signal]));
  try {
    await Promise.race([changed, tick]);
  } finally {
    settled.abort();
    await tick.catch(() => undefined);
  }
}
