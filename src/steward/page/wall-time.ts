import type { Clock } from '../../runtime/clock.ts';

/** For people: when that was, in seconds since 1970 by the wall clock of now, of what was noted by the clock that cannot be set (ms). */
export function wallTime(clock: Pick<Clock, 'now' | 'elapsed'>): (elapsedMs: number) => number {
  const [now, elapsed] = [clock.now(), clock.elapsed()];
  return (elapsedMs) => Math.round((now - elapsed + elapsedMs) / 1000);
}
