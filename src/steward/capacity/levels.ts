import type { PoolPolicy } from '../policy.ts';

/** How urgent a pool is. */
export type Level = 'ok' | 'warn' | 'critical';

type Thresholds = Pick<PoolPolicy, 'warn' | 'critical' | 'hysteresis' | 'warnFullWithin'>;

/**
 * The level of a pool that had `before`: up as soon as a threshold is reached, down only when use has fallen some points
 * below it, so that a pool on the edge does not ring all day. `fullInMs`: forecast, undefined when there is none.
 */
export function levelOf(
  percent: number,
  fullInMs: number | undefined,
  before: Level,
  { warn, critical, hysteresis, warnFullWithin }: Thresholds,
): Level {
  const reaches = (threshold: number, held: boolean): boolean =>
    percent >= (held ? threshold - hysteresis : threshold);
  if (reaches(critical, before === 'critical')) return 'critical';
  if (reaches(warn, before !== 'ok')) return 'warn';
  const isSoon = fullInMs !== undefined && warnFullWithin !== undefined && fullInMs <= warnFullWithin;
  return isSoon ? 'warn' : 'ok';
}
