import type { ArrayCapabilities } from '../../array/system.ts';
import type { ArrayFacts } from './option.ts';

/** What a volume has and what was asked for. */
type Pair<T> = readonly [has: T, asked: T];

/** What the array makes of a size, KiB. */
export function roundedToGrain(sizeKiB: number, { grainKiB }: ArrayCapabilities): number {
  return Math.ceil(sizeKiB / grainKiB) * grainKiB;
}

/** Undefined for a volume in the pool that was asked for, which pool and domain name together. */
export function inAnotherPool({ volume, askedPool }: ArrayFacts): string | undefined {
  if (askedPool === undefined || askedPool.id === volume.poolId) return undefined;
  return `it is not in pool "${askedPool.name}" of domain "${askedPool.domainName}"`;
}

/** The clause for texts; `empty`: what having none is called. */
export function named(begin: string, empty: string, pair: Pair<string>): string {
  const [has, asked] = pair.map((value) => (value === '' ? empty : `"${value}"`));
  return `${begin} ${has ?? ''}, ${asked ?? ''} was asked for`;
}

/** The clause for limits, of which 0 is none. */
export function limited(pair: Pair<number>, words: (limit: number) => string): string {
  const [has, asked] = pair.map((limit) => (limit === 0 ? 'no limit' : words(limit)));
  return `its limit is ${has ?? ''}, ${asked ?? ''} was asked for`;
}

/** A size as Status shows it. */
export function inGiB(sizeKiB: number): string {
  const gib = sizeKiB / 1_048_576;
  return `${Number.isInteger(gib) ? gib : gib.toFixed(3)}GiB`;
}
