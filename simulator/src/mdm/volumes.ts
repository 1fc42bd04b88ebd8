import { capacityOf } from './capacity.ts';
import type { Cluster } from './cluster.ts';
import { compressionIn, type CompressionMethod } from './compression.ts';
import { invalidRequest, refusal } from './failures.ts';
import { checkedName } from './names.ts';
import { devicesReady, poolById } from './pools.ts';
import type { AccessMode, PoolRecord, VolumeRecord } from './records.ts';

/** The array allocates volumes in blocks of this size. */
const GRAIN_KIB = 8 * 1024 * 1024;

/** The volume with this id. Throws 79 when there is none. */
export function volumeById(cluster: Cluster, id: string): VolumeRecord {
  const volume = cluster.state.volumes.get(id);
  if (volume === undefined) throw refusal('VOL_NOT_FOUND');
  return volume;
}

/** A name for a volume that no other volume or snapshot bears. Throws 99, 226, 227. */
export function freeVolumeName(cluster: Cluster, name: string | undefined): string | null {
  const checked = checkedName(name);
  if (checked !== null && cluster.state.volumesByName.count(checked) > 0) throw refusal('VOL_NAME_IN_USE');
  return checked;
}

export interface NewVolume {
  readonly name?: string | undefined;
  readonly sizeKiB: number;
  readonly poolId: string;
  readonly domainId?: string | undefined;
  readonly type: 'ThinProvisioned' | 'ThickProvisioned';
  readonly useRmcache?: boolean | undefined;
  readonly compressionMethod?: CompressionMethod | undefined;
  readonly volumeClass?: string | undefined;
}

/** Makes a volume, its size rounded up to 8 GB [pysio functional tests], in a VTree of its own. */
export function createVolume(cluster: Cluster, request: NewVolume): VolumeRecord {
  const { state } = cluster;
  const pool = poolById(cluster, request.poolId);
  checkPlace(cluster, pool, request);
  const compressionMethod = compressionIn(cluster, pool, request.compressionMethod);
  const sizeKiB = roundedSize(cluster, request.sizeKiB);
  const name = freeVolumeName(cluster, request.name);
  if (state.volumes.size >= cluster.limits.volumes) throw refusal('TOO_MANY_VOLS');
  checkRoom(cluster, pool, { type: request.type, growthKiB: sizeKiB });
  const volume: VolumeRecord = {
    id: state.nextId('Volume'),
    name,
    sizeKiB,
    type: request.type,
    poolId: pool.id,
    vtreeId: state.nextId('VTree'),
    ancestorId: null,
    groupId: null,
    createdAt: Math.floor(cluster.now() / 1000),
    useRmcache: request.useRmcache ?? pool.useRmcache,
    compressionMethod,
    accessModeLimit: 'ReadWrite',
    volumeClass: request.volumeClass ?? 'defaultclass',
    multi: false,
    mappedToAll: false,
    mappings: [],
    secureUntil: 0,
    sharedKiB: 0,
    copyingFrom: null,
  };
  state.volumes.put(volume);
  return volume;
}

function checkPlace(cluster: Cluster, pool: PoolRecord, request: NewVolume): void {
  const domain = cluster.state.domains.get(pool.domainId);
  if (request.domainId !== undefined && request.domainId !== pool.domainId) {
    throw refusal(cluster.state.domains.get(request.domainId) ? 'FD_AND_SP_MISMATCH' : 'FD_NOT_FOUND');
  }
  if (domain?.active !== true) throw refusal('FD_NOT_ACTIVE');
  if (!devicesReady(cluster, pool)) throw refusal('NOT_ENOUGH_TGTS_IN_STORAGE_POOL');
  const fine = pool.dataLayout === 'FineGranularity';
  if (fine && request.type === 'ThickProvisioned') throw refusal('THICK_ON_FG');
}

function roundedSize(cluster: Cluster, sizeKiB: number): number {
  if (sizeKiB <= 0) throw refusal('VOL_SIZE_ILLEGAL');
  const rounded = Math.ceil(sizeKiB / GRAIN_KIB) * GRAIN_KIB;
  if (rounded > cluster.limits.maxVolumeKiB) throw refusal('VOL_SIZE_TOO_LARGE');
  return rounded;
}

interface Growth {
  readonly type: VolumeRecord['type'];
  readonly growthKiB: number;
}

function checkRoom(cluster: Cluster, pool: PoolRecord, growth: Growth): void {
  const capacity = capacityOf(cluster, pool);
  const thick = growth.type === 'ThickProvisioned';
  if (!thick && capacity.usedPercent >= pool.criticalThreshold)
    throw refusal('CAPACITY_TOO_LOW_FOR_THIN_VOL');
  const room = thick ? capacity.availableKiB : capacity.allocationLimitKiB;
  if (growth.growthKiB > room) throw refusal('TOO_MUCH_THIN_CAPACITY');
}

/** Grows a volume to `sizeGiB`, which must be a multiple of 8: here the gateway does not round [pysio]. */
export function setVolumeSize(cluster: Cluster, id: string, sizeGiB: number): void {
  const volume = volumeById(cluster, id);
  if (!Number.isInteger(sizeGiB) || sizeGiB <= 0 || sizeGiB % 8 !== 0) {
    throw invalidRequest(`sizeInGB should be a positive number divisible by 8, but its value is ${sizeGiB}`);
  }
  const sizeKiB = sizeGiB * 1024 * 1024;
  if (sizeKiB < volume.sizeKiB) throw refusal('VOL_DECREASE_NOT_SUPPORTED');
  if (sizeKiB > cluster.limits.maxVolumeKiB) throw refusal('VOL_SIZE_TOO_LARGE');
  if (sizeKiB === volume.sizeKiB) return;
  const growthKiB = sizeKiB - volume.sizeKiB;
  checkRoom(cluster, poolById(cluster, volume.poolId), { type: volume.type, growthKiB });
  cluster.state.volumes.put({ ...volume, sizeKiB });
}

/** Renames a volume; its own name again is accepted. Throws 99, 226, 227. */
export function setVolumeName(cluster: Cluster, id: string, newName: string): void {
  const volume = volumeById(cluster, id);
  if (newName === volume.name) return;
  cluster.state.volumes.put({ ...volume, name: freeVolumeName(cluster, newName) });
}

/** Compresses a volume from now on, or no more. Throws where the layout of its pool has no compression. */
export function setCompression(cluster: Cluster, id: string, method: CompressionMethod): void {
  const volume = volumeById(cluster, id);
  const compressionMethod = compressionIn(cluster, poolById(cluster, volume.poolId), method);
  cluster.state.volumes.put({ ...volume, compressionMethod });
}

/** Limits what mappings may do; present mappings follow. */
export function setAccessModeLimit(cluster: Cluster, id: string, accessModeLimit: AccessMode): void {
  const volume = volumeById(cluster, id);
  const mappings = volume.mappings.map((mapping) => ({ ...mapping, accessMode: accessModeLimit }));
  cluster.state.volumes.put({ ...volume, accessModeLimit, mappings });
}

export const REMOVE_MODES = ['ONLY_ME', 'INCLUDING_DESCENDANTS', 'DESCENDANTS_ONLY', 'WHOLE_VTREE'] as const;
export type RemoveMode = (typeof REMOVE_MODES)[number];

/** Removes a volume or a family of volumes, all or none. Throws 104 when one of them is mapped. */
export function removeVolume(cluster: Cluster, id: string, mode: RemoveMode): VolumeRecord[] {
  const doomed = familyOf(cluster, volumeById(cluster, id), mode);
  for (const volume of doomed) {
    if (volume.mappedToAll || volume.mappings.length > 0) throw refusal('VOL_MAPPED');
    if (volume.secureUntil * 1000 > cluster.now()) throw refusal('SECURE_SNAPSHOT');
    if (volume.sourcePolicyId !== undefined) throw refusal('VOL_IS_SNAP_POLICY_SOURCE_VOL');
  }
  for (const volume of doomed) removeOne(cluster, volume.id);
  return doomed;
}

function familyOf(cluster: Cluster, volume: VolumeRecord, mode: RemoveMode): VolumeRecord[] {
  const { state } = cluster;
  switch (mode) {
    case 'ONLY_ME':
      return [volume];
    case 'INCLUDING_DESCENDANTS':
      return [volume, ...descendantsOf(cluster, volume.id)];
    case 'DESCENDANTS_ONLY':
      return descendantsOf(cluster, volume.id);
    case 'WHOLE_VTREE':
      return state.volumes.many(state.volumesByVtree.ids(volume.vtreeId));
  }
}

/** Snapshots of a volume, their snapshots, and so on. */
export function descendantsOf(cluster: Cluster, id: string): VolumeRecord[] {
  const { state } = cluster;
  const found: VolumeRecord[] = [];
  const queue = [...state.volumesByAncestor.ids(id)];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    found.push(...state.volumes.many([next]));
    queue.push(...state.volumesByAncestor.ids(next));
  }
  return found;
}

/** Removes one volume. Its snapshots survive it and pass to its ancestor: no client checks for descendants first. */
export function removeOne(cluster: Cluster, id: string): void {
  const { volumes, volumesByAncestor } = cluster.state;
  const ancestorId = volumes.get(id)?.ancestorId ?? null;
  for (const child of volumes.many(volumesByAncestor.ids(id))) volumes.put({ ...child, ancestorId });
  volumes.delete(id);
}
