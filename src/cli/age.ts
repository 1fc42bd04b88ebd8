import { formatDuration } from '../units/duration.ts';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/** How long ago, for people: "12 s ago", "3 h ago", "6 d ago". What another machine's clock has in the future is "just now". */
export function ago(at: string, nowMs: number): string {
  const ageMs = nowMs - new Date(at).getTime();
  return ageMs < SECOND_MS ? 'just now' : `${roughly(ageMs)} ago`;
}

/** How long it is till then, for people: "in 3 h"; "now" for what is past. */
export function ahead(at: string, nowMs: number): string {
  const aheadMs = new Date(at).getTime() - nowMs;
  return aheadMs < SECOND_MS ? 'now' : `in ${roughly(aheadMs)}`;
}

function roughly(ms: number): string {
  return ms < 2 * DAY_MS ? formatDuration(ms) : `${Math.round(ms / DAY_MS)} d`;
}
