import type { Capacity } from '../mdm/capacity.ts';
import { since, type Cluster } from '../mdm/cluster.ts';

type Figures = Record<string, unknown>;

/** Capacities that add up: limit = in use + spare + unused, and the parts of each in turn. */
export function capacityFields(cluster: Cluster, capacity: Capacity): Figures {
  const vac = capacity.thinAllocatedKiB + capacity.thickUsedKiB;
  return {
    maxCapacityInKb: capacity.maxKiB,
    capacityLimitInKb: capacity.limitKiB,
    spareCapacityInKb: capacity.spareKiB,
    capacityInUseInKb: capacity.usedKiB,
    thickCapacityInUseInKb: capacity.thickUsedKiB,
    thinCapacityInUseInKb: capacity.thinUsedKiB,
    thinCapacityAllocatedInKm: capacity.thinAllocatedKiB,
    thinCapacityAllocatedInKb: capacity.thinAllocatedKiB,
    snapCapacityInUseInKb: capacity.snapshotUsedKiB,
    snapCapacityInUseOccupiedInKb: capacity.snapshotUsedKiB,
    unusedCapacityInKb: capacity.unusedKiB,
    capacityAvailableForVolumeAllocationInKb: capacity.availableKiB,
    volumeAllocationLimitInKb: capacity.allocationLimitKiB,
    atRestCapacityInKb: since(cluster, '3.0') ? capacity.usedKiB / 2 : capacity.usedKiB,
    inUseVacInKb: vac,
    protectedVacInKb: vac,
    primaryVacInKb: vac / 2,
    secondaryVacInKb: vac / 2,
    ...(since(cluster, '3.0') ? netFields(capacity, vac) : {}),
  };
}

/** From 3.x, net of the second copy. */
function netFields(capacity: Capacity, vac: number): Figures {
  const used = capacity.usedKiB / 2;
  return {
    netCapacityInUseInKb: used,
    netCapacityInUseNoOverheadInKb: used,
    netUnusedCapacityInKb: capacity.unusedKiB / 2,
    netUserDataCapacityInKb: used,
    netUserDataCapacityNoTrimInKb: used,
    netThinUserDataCapacityInKb: capacity.thinUsedKiB / 2,
    netSnapshotCapacityInKb: capacity.snapshotUsedKiB / 2,
    userDataCapacityInKb: capacity.usedKiB,
    userDataCapacityNoTrimInKb: capacity.usedKiB,
    thinUserDataCapacityInKb: capacity.thinUsedKiB,
    snapshotCapacityInKb: capacity.snapshotUsedKiB,
    volumeAddressSpaceInKb: vac / 2,
    exposedCapacityInKb: vac / 2,
    capacityInUseNoOverheadInKb: capacity.usedKiB,
    tempCapacityInKb: 0,
    tempCapacityVacInKb: 0,
    rplJournalCapAllowed: 0,
    numOfThinSnapshots: 0,
  };
}

/** What cannot be added up, from what can. */
export function ratios(cluster: Cluster, sums: Figures): Figures {
  if (!since(cluster, '3.0')) return {};
  const over = (name: string, base: string): number =>
    Number(sums[base] ?? 0) === 0 ? 0 : Number(sums[name]) / Number(sums[base]);
  return {
    compressionRatio: 1,
    overallUsageRatio: over('volumeAddressSpaceInKb', 'netCapacityInUseInKb'),
    thinAndSnapshotRatio: over('thinCapacityAllocatedInKb', 'thinCapacityInUseInKb'),
    persistentChecksumBuilderProgress: 100,
  };
}
