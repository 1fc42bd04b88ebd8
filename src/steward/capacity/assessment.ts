import { formatSize } from '../../units/size.ts';
import type { PoolCapacity } from '../../array/pool.ts';

/** What is under way or wrong in a pool, besides its being full. */
export interface PoolHealth {
  /** Some data has lost a copy, or its last one. */
  readonly impaired: boolean;
  readonly rebuilding: boolean;
  readonly rebalancing: boolean;
}

/** Part of what may be used at all, in percent; the array keeps the spare for a failure. 100 for a pool without room. */
export function usedPercent({ limitKiB, spareKiB, usedKiB }: PoolCapacity): number {
  const roomKiB = limitKiB - spareKiB;
  return roomKiB <= 0 ? 100 : (usedKiB / roomKiB) * 100;
}

export function healthOf(capacity: PoolCapacity): PoolHealth {
  const { failedKiB, degradedKiB, inMaintenanceKiB, unreachableKiB, rebuildKiB, rebalanceKiB } = capacity;
  return {
    impaired: failedKiB + degradedKiB + inMaintenanceKiB + unreachableKiB > 0,
    rebuilding: rebuildKiB > 0,
    rebalancing: rebalanceKiB > 0,
  };
}

/** Part of the limit by which the sums of healthy pools may miss it: counters are not read at one instant. */
const TOLERANCE = 0.02;

/**
 * Why the array's numbers cannot all be true, undefined when they can. Nothing is decided on numbers that contradict
 * each other.
 */
export function contradictionIn(capacity: PoolCapacity): string | undefined {
  const { limitKiB, spareKiB, usedKiB, unusedKiB, failedKiB, degradedKiB } = capacity;
  if (limitKiB === 0 && usedKiB > 0) return `${formatGiB(usedKiB)} are used of a capacity of 0`;
  if (usedKiB > limitKiB) return `${formatGiB(usedKiB)} are used of ${formatGiB(limitKiB)}`;
  if (spareKiB > limitKiB) return `${formatGiB(spareKiB)} of ${formatGiB(limitKiB)} are spare`;
  if (failedKiB + degradedKiB > usedKiB * (1 + TOLERANCE)) return 'more is degraded or failed than is used';
  if (healthOf(capacity).impaired) return undefined;
  const sumKiB = spareKiB + usedKiB + unusedKiB;
  if (Math.abs(sumKiB - limitKiB) <= limitKiB * TOLERANCE) return undefined;
  return `used, spare and unused are ${formatGiB(sumKiB)} together, not the limit of ${formatGiB(limitKiB)}`;
}

/** For people: whole GiB, TiB with one decimal. */
export function formatGiB(kib: number): string {
  const gib = kib / 1024 ** 2;
  if (gib >= 1024) return `${(gib / 1024).toFixed(1)} TiB`;
  return gib >= 1 ? `${Math.round(gib)} GiB` : formatSize(Math.round(kib));
}
