import type { Cluster } from './cluster.ts';
import type { PoolRecord, VolumeRecord } from './records.ts';

/** Two copies of everything. */
const COPIES = 2;
const GRAIN_KIB = 8 * 1024 * 1024;
const MIB_KIB = 1024;

/** A pool's capacity. Raw (both copies) unless said otherwise; limit = used + spare + unused always holds. */
export interface Capacity {
  readonly limitKiB: number;
  readonly maxKiB: number;
  readonly spareKiB: number;
  readonly thickUsedKiB: number;
  /** Written data of thin volumes and snapshots. */
  readonly thinUsedKiB: number;
  /** Part of thinUsed that belongs to snapshots alone. */
  readonly snapshotUsedKiB: number;
  readonly usedKiB: number;
  readonly unusedKiB: number;
  /** Provisioned size of thin volumes. */
  readonly thinAllocatedKiB: number;
  /** Net, multiple of 8 GB. */
  readonly availableKiB: number;
  /** Net, multiple of 8 GB: the largest thin volume that may be made. */
  readonly allocationLimitKiB: number;
  /** Of what is not spare. */
  readonly usedPercent: number;
}

/** A pool's capacity at this moment; costs nothing per volume without data. */
export function capacityOf(cluster: Cluster, pool: PoolRecord): Capacity {
  const { state } = cluster;
  const devices = state.devices
    .many(state.devicesByPool.ids(pool.id))
    .filter(({ removing, failed }) => !removing && !failed);
  const limitKiB = devices.reduce((sum, device) => sum + device.limitKiB, 0);
  const maxKiB = devices.reduce((sum, device) => sum + device.maxKiB, 0);
  const spareKiB = roundDown((limitKiB * pool.sparePercentage) / 100, MIB_KIB);
  const room = limitKiB - spareKiB;
  const tally = state.poolTallies.of(pool.id);
  const thickUsedKiB = Math.min(COPIES * tally.thickKiB, room);
  const written = writtenIn(cluster, pool);
  const thinUsedKiB = Math.min(COPIES * written.allKiB + pool.fillKiB, room - thickUsedKiB);
  const usedKiB = thickUsedKiB + thinUsedKiB;
  const unusedKiB = room - usedKiB;
  const availableKiB = allocatable(unusedKiB);
  return {
    limitKiB,
    maxKiB,
    spareKiB,
    thickUsedKiB,
    thinUsedKiB,
    snapshotUsedKiB: Math.min(COPIES * written.snapshotsKiB, thinUsedKiB),
    usedKiB,
    unusedKiB,
    thinAllocatedKiB: COPIES * tally.thinKiB,
    availableKiB,
    allocationLimitKiB: availableKiB,
    usedPercent: room === 0 ? 100 : (usedKiB / room) * 100,
  };
}

/**
 * Net space for volumes out of raw unused space: whole blocks of 8 GB, less one. The product's formula is not public;
 * this one gives the numbers of both captures at hand [csi get_storage_pool_statistics.json, ansible storagepool.py].
 */
export function allocatable(unusedKiB: number): number {
  return Math.max(0, roundDown(unusedKiB / COPIES, GRAIN_KIB) - GRAIN_KIB);
}

function roundDown(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}

interface Written {
  readonly allKiB: number;
  readonly snapshotsKiB: number;
}

function writtenIn(cluster: Cluster, pool: PoolRecord): Written {
  let allKiB = 0;
  let snapshotsKiB = 0;
  for (const id of cluster.writtenVolumes()) {
    const volume = cluster.state.volumes.get(id);
    if (volume?.poolId !== pool.id || volume.type === 'ThickProvisioned') continue;
    const own = ownKiB(cluster, volume);
    allKiB += own;
    if (volume.type === 'Snapshot') snapshotsKiB += own;
  }
  return { allKiB, snapshotsKiB };
}

/** Data that only this volume holds: a snapshot shares what it had at first with its ancestor, if that still lives. */
export function ownKiB(cluster: Cluster, volume: VolumeRecord): number {
  const shared = volume.ancestorId === null ? 0 : volume.sharedKiB;
  return Math.max(0, cluster.writtenKiB(volume.id) - shared);
}
