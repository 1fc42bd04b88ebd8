import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { Periodic, spreadOut } from '../runtime/periodic.ts';
import type { Steward } from './steward.ts';

const SHORTEST_ROUND_LIMIT_MS = 60_000;
/** Part of the interval by which rounds are spread, so that two stewards do not stay in step. */
const SPREAD = 0.1;

interface StewardLoopParts {
  readonly steward: Pick<Steward, 'round'>;
  readonly clock: Omit<Clock, 'now'>;
  readonly log: Log;
}

/** Runs the steward's rounds, `intervalMs` apart, until it is stopped. */
export function stewardLoop({ steward, clock, log }: StewardLoopParts, intervalMs: number): Periodic {
  return new Periodic({
    clock,
    turn: (signal) => steward.round(signal),
    pauseMs: () => spreadOut(intervalMs, SPREAD, clock),
    limitMs: Math.max(intervalMs, SHORTEST_ROUND_LIMIT_MS),
    onError: (error) => {
      log.error({ error: String(error) }, 'a round of the steward failed unexpectedly');
    },
  });
}
