import type { MovementKind } from '../mdm/records.ts';

const NO_BWC = { numSeconds: 0, totalWeightInKb: 0, numOccured: 0 };

/** How well data is protected. Both copies of what is being rebuilt count as degraded until the new one is made. */
export function healthOf(
  usedKiB: number,
  moving: Readonly<Record<MovementKind, number>>,
): Record<string, number> {
  const lost = Math.min(moving['forward-rebuild'] + moving['backward-rebuild'], Math.floor(usedKiB / 2));
  return {
    protectedCapacityInKb: usedKiB - 2 * lost,
    degradedHealthyCapacityInKb: lost,
    degradedFailedCapacityInKb: lost,
    failedCapacityInKb: 0,
    semiProtectedCapacityInKb: 0,
    inMaintenanceCapacityInKb: 0,
    unreachableUnusedCapacityInKb: 0,
    degradedHealthyVacInKb: lost,
    degradedFailedVacInKb: lost,
    failedVacInKb: 0,
    semiProtectedVacInKb: 0,
    inMaintenanceVacInKb: 0,
    rmPendingAllocatedInKb: 0,
  };
}

/** Everything about data on the move: zero but for what is moving [csi get_storage_pool_statistics.json]. */
export function idleJobs(
  moving: Readonly<Record<MovementKind, number>>,
  kibPerSecond: number,
): Record<string, number | object> {
  const { rebalance, 'forward-rebuild': forward, 'backward-rebuild': backward } = moving;
  return {
    ...rebuild('fwd', forward, kibPerSecond),
    ...rebuild('bck', backward, kibPerSecond),
    ...rebuild('norm', 0, kibPerSecond),
    pendingMovingOutFwdRebuildJobs: 0,
    pendingMovingOutBckRebuildJobs: 0,
    pendingMovingOutNormrebuildJobs: 0,
    pendingMovingInRebalanceJobs: 0,
    activeMovingInRebalanceJobs: active(rebalance),
    pendingMovingRebalanceJobs: 0,
    activeMovingRebalanceJobs: active(rebalance),
    pendingRebalanceCapacityInKb: 0,
    activeRebalanceCapacityInKb: rebalance,
    rebalanceCapacityInKb: rebalance,
    pendingMovingCapacityInKb: 0,
    activeMovingCapacityInKb: rebalance + forward + backward,
    movingCapacityInKb: rebalance + forward + backward,
    rebalanceReadBwc: bwc(rebalance, kibPerSecond),
    rebalanceWriteBwc: bwc(rebalance, kibPerSecond),
    primaryReadFromDevBwc: NO_BWC,
    primaryReadFromRmcacheBwc: NO_BWC,
    secondaryReadFromDevBwc: NO_BWC,
    secondaryReadFromRmcacheBwc: NO_BWC,
  };
}

function active(kib: number): number {
  return kib > 0 ? 1 : 0;
}

function bwc(kib: number, kibPerSecond: number): object {
  return kib > 0
    ? { numSeconds: 1, totalWeightInKb: kibPerSecond, numOccured: Math.ceil(kibPerSecond / 1024) }
    : NO_BWC;
}

function rebuild(
  kind: 'fwd' | 'bck' | 'norm',
  kib: number,
  kibPerSecond: number,
): Record<string, number | object> {
  const name = kind === 'fwd' ? 'Fwd' : kind === 'bck' ? 'Bck' : 'Norm';
  return {
    [`pendingMovingIn${name}RebuildJobs`]: 0,
    [`activeMovingIn${name}RebuildJobs`]: active(kib),
    [`activeMovingOut${name}RebuildJobs`]: active(kib),
    [`pending${name}RebuildCapacityInKb`]: 0,
    [`active${name}RebuildCapacityInKb`]: kib,
    [`${kind}RebuildCapacityInKb`]: kib,
    [`${kind}RebuildReadBwc`]: bwc(kib, kibPerSecond),
    [`${kind}RebuildWriteBwc`]: bwc(kib, kibPerSecond),
  };
}
