import { since, type Cluster } from './cluster.ts';
import { invalidRequest, refusal } from './failures.ts';
import type { AccessMode, Mapping, NvmeHostRecord, SdcRecord, VolumeRecord } from './records.ts';
import { isApproved } from './sdcs.ts';
import { volumeById } from './volumes.ts';

/** Who can have a volume. */
export type MappedHost = SdcRecord | NvmeHostRecord;

export interface MappingRequest {
  readonly volumeId: string;
  readonly sdc: MappedHost | 'all';
  readonly multi: boolean;
  readonly accessMode?: AccessMode | undefined;
}

/**
 * Maps a volume to an SDC. One SDC at a time: a second one gets 306 unless this call or the first mapping allowed more.
 * The same SDC twice is 81 (4037 since 4.0 [os-brick]), an SDC that is not approved is refused; a disconnected one is
 * not, since mapping is the MDM's affair and the device appears when the SDC comes back.
 */
export function addMapping(cluster: Cluster, request: MappingRequest): void {
  const volume = volumeById(cluster, request.volumeId);
  if (volume.mappedToAll) throw refusal('VOL_ALREADY_MAPPED_TO_ALL_INIS');
  assertNoPolicys(volume);
  if (request.sdc === 'all') {
    cluster.state.volumes.put({ ...volume, mappedToAll: true, multi: true, mappings: [] });
    return;
  }
  const { sdc } = request;
  if (volume.mappings.some((mapping) => mapping.sdcId === sdc.id)) {
    throw refusal(since(cluster, '4.0') ? 'VOL_ALREADY_MAPPED_TO_HOST' : 'VOL_ALREADY_MAPPED_TO_THIS_INI');
  }
  assertApproved(cluster, sdc);
  const first = volume.mappings.length === 0;
  if (!first && !volume.multi && !request.multi) throw secondMapping(cluster);
  if (cluster.state.volumesBySdc.count(sdc.id) >= cluster.limits.volumesPerSdc) {
    throw refusal('INI_MAPPED_TO_TOO_MANY_VOLS');
  }
  const mapping: Mapping = {
    sdcId: sdc.id,
    limitIops: 0,
    limitBwInMbps: 0,
    accessMode: modeOf(volume, request),
  };
  const multi = first ? request.multi : volume.multi || request.multi;
  cluster.state.volumes.put({ ...volume, multi, mappings: [...volume.mappings, mapping] });
}

/** Whoever uses a policy's snapshot locks it first: that it cannot be unlocked while it is mapped says so [codes]. */
function assertNoPolicys({ auto }: VolumeRecord): void {
  if (auto?.locked === false) throw refusal('VOL_IS_UNLOCKED_AUTO_SNAPSHOT');
}

/** NVMe hosts are there because somebody made them, which is approval enough. */
function assertApproved(cluster: Cluster, host: MappedHost): void {
  if ('guid' in host && !isApproved(cluster, host)) throw refusal('INITIATOR_NOT_APPROVED');
}

/** The text changed with 3.0, the number did not [flocker, codes]. */
function secondMapping(cluster: Cluster): Error {
  return refusal(since(cluster, '3.0') ? 'SINGLE_MAPPING_3' : 'SINGLE_MAPPING_2');
}

/** A mapping never may more than the volume itself. */
function modeOf(volume: VolumeRecord, request: MappingRequest): AccessMode {
  const order: AccessMode[] = ['NoAccess', 'ReadOnly', 'ReadWrite'];
  const wanted = order.indexOf(request.accessMode ?? 'ReadWrite');
  return order[Math.min(wanted, order.indexOf(volume.accessModeLimit))] ?? 'NoAccess';
}

/** Takes a volume from one SDC, or from all. Not mapped is 84 (4039 since 4.0 [os-brick]). */
export function removeMapping(cluster: Cluster, volumeId: string, sdc: MappedHost | 'all'): void {
  const volume = volumeById(cluster, volumeId);
  const notMapped = since(cluster, '4.0') ? 'VOL_NOT_MAPPED_TO_HOST' : 'VOL_NOT_MAPPED_TO_INI';
  if (sdc === 'all') {
    if (!volume.mappedToAll && volume.mappings.length === 0) throw refusal(notMapped);
    cluster.state.volumes.put({ ...volume, mappedToAll: false, multi: false, mappings: [] });
    return;
  }
  if (volume.mappedToAll) throw refusal('VOL_MAPPED_TO_ALL_INIS');
  const mappings = volume.mappings.filter((mapping) => mapping.sdcId !== sdc.id);
  if (mappings.length === volume.mappings.length) throw refusal(notMapped);
  cluster.state.volumes.put({ ...volume, mappings, multi: mappings.length > 0 && volume.multi });
}

export interface MappingLimits {
  readonly iops?: number | undefined;
  readonly bandwidthKiBps?: number | undefined;
}

/** Sets a mapping's limits; what is left out keeps its value. They vanish with the mapping. */
export function setMappingLimits(
  cluster: Cluster,
  volumeId: string,
  sdcId: string,
  limits: MappingLimits,
): void {
  const { iops, bandwidthKiBps } = limits;
  if (iops === 0 && bandwidthKiBps === 0) {
    throw invalidRequest('iopsLimit and bandwidthLimitInKbps cannot both be 0');
  }
  if (iops !== undefined && iops !== 0 && iops < 11) {
    throw invalidRequest(`iopsLimit should be 0 or a number larger than 10, but its value is ${iops}`);
  }
  if (bandwidthKiBps !== undefined && bandwidthKiBps % 1024 !== 0) {
    throw invalidRequest(
      `bandwidthLimitInKbps should be a multiple of 1024, but its value is ${bandwidthKiBps}`,
    );
  }
  changeMapping(cluster, { volumeId, sdcId }, (mapping) => ({
    ...mapping,
    limitIops: iops ?? mapping.limitIops,
    limitBwInMbps: bandwidthKiBps === undefined ? mapping.limitBwInMbps : bandwidthKiBps / 1024,
  }));
}

/** Sets what one SDC may do with the volume. */
export function setMappingAccessMode(
  cluster: Cluster,
  volumeId: string,
  sdcId: string,
  mode: AccessMode,
): void {
  changeMapping(cluster, { volumeId, sdcId }, (mapping) => ({ ...mapping, accessMode: mode }));
}

function changeMapping(
  cluster: Cluster,
  which: { readonly volumeId: string; readonly sdcId: string },
  change: (mapping: Mapping) => Mapping,
): void {
  const volume = volumeById(cluster, which.volumeId);
  if (!volume.mappings.some((mapping) => mapping.sdcId === which.sdcId))
    throw refusal('VOL_NOT_MAPPED_TO_INI');
  const mappings = volume.mappings.map((mapping) =>
    mapping.sdcId === which.sdcId ? change(mapping) : mapping,
  );
  cluster.state.volumes.put({ ...volume, mappings });
}

/** Volumes that an SDC sees. */
export function volumesOfSdc(cluster: Cluster, sdcId: string): VolumeRecord[] {
  const { volumes, volumesBySdc, volumesToAll } = cluster.state;
  return volumes.many([...volumesBySdc.ids(sdcId), ...volumesToAll.ids('all')]);
}
