import type { Clock } from '../runtime/clock.ts';
import { handedOn, type OperatorActions } from '../volumes/operator-actions.ts';

const FIRST_MS = 1000;
const NEXT_MS = 5000;

interface Telling {
  readonly clock: Pick<Clock, 'sleep' | 'elapsed'>;
  readonly say: (line: string) => void;
}

/** The same actions; whoever waits for one longer than a second is told what is going on, and every five seconds that it still is. */
export function toldWhenSlow(actions: OperatorActions, telling: Telling): OperatorActions {
  return handedOn(async (what, act) => {
    const over = new AbortController();
    const told = tellOf(what, telling, over.signal);
    try {
      return await act(actions);
    } finally {
      over.abort();
      await told;
    }
  });
}

async function tellOf(what: string, { clock, say }: Telling, over: AbortSignal): Promise<void> {
  const beganMs = clock.elapsed();
  for (let pauseMs = FIRST_MS; ; pauseMs = NEXT_MS) {
    try {
      await clock.sleep(pauseMs, over);
    } catch (error) {
      if (over.aborted) return;
      throw error;
    }
    say(`${what} is going on, for ${Math.round((clock.elapsed() - beganMs) / 1000)} s now`);
  }
}
