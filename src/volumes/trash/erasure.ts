import type { ArrayVolume } from '../../array/volume.ts';
import { trashFacts } from './trash-names.ts';

/* When a volume of the trash may be erased: the same for hosts and for the steward. */

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Times that differ by less are the clocks' disagreement. */
const CLOCKS_DIFFER_MS = 5 * MINUTE_MS;

/** For what is in the trash from before the operator said that there shall be none, ms. */
const GRACE_MS = 24 * HOUR_MS;

/** The grace of what is in the trash already, ms: it does not end because new volumes get none. */
export function graceOf(removeGraceMs: number): number {
  return removeGraceMs > 0 ? removeGraceMs : GRACE_MS;
}

/** How long after the time in its name a volume may be erased at the soonest, ms: the name has whole minutes. */
export function eraseAfterMs(removeGraceMs: number): number {
  return graceOf(removeGraceMs) + MINUTE_MS;
}

/** For how long who erases must have seen the volume in the trash itself, ms, whatever clocks on the wall say. */
export function lookMs(graceMs: number): number {
  return Math.min(HOUR_MS, graceMs);
}

/**
 * Whether so much time has passed since the Remove, by what the clock on the wall says now (ms since 1970), which alone is never enough. Never
 * for a time that cannot be read, or that is still to come.
 */
export function timeOver(
  { prefix, graceMs }: { readonly prefix: string; readonly graceMs: number },
  arrayName: string,
  wallMs: number,
): boolean {
  const removedAtMs = trashFacts(prefix, arrayName)?.removedAtMs;
  // The name has whole minutes, so that up to one more has to pass.
  return removedAtMs !== undefined && wallMs - removedAtMs >= graceMs + MINUTE_MS;
}

/**
 * Whether the array says nothing against it: nobody has the volume, and it was not made after its name says that it was removed. Of two
 * times that disagree nobody knows which is right.
 */
export function isErasable(volume: ArrayVolume, inTrash: string, prefix: string): boolean {
  const removedAtMs = trashFacts(prefix, inTrash)?.removedAtMs;
  if (removedAtMs === undefined) return false;
  const madeAtMs = (volume.createdAtSeconds ?? 0) * 1000;
  return !isHad(volume) && madeAtMs <= removedAtMs + MINUTE_MS + CLOCKS_DIFFER_MS;
}

/** Why isErasable says no, for people. */
export function whyKept(volume: ArrayVolume): string {
  return isHad(volume)
    ? 'a host has it'
    : 'it was made after the time at which its name says that it was removed, so a clock is wrong';
}

/** Whether no host has it. */
export function isUnattached(volume: ArrayVolume): boolean {
  return !isHad(volume);
}

function isHad({ attachments, attachedToAll }: ArrayVolume): boolean {
  return attachedToAll || attachments.length > 0;
}
