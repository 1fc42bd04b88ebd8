import { type Failover, moments } from './failover.ts';

/** The timeline of a failover for a terminal: seconds since the power cut, what happened, whose word it is. */
export function timelineText(failover: Failover): string {
  const lines = moments(failover).map(({ at, what, source }) => {
    const seconds = ((at - failover.killedAt) / 1000).toFixed(2);
    return `${seconds.padStart(6)} s  ${what.padEnd(44)} (${source})`;
  });
  return lines.join('\n');
}
