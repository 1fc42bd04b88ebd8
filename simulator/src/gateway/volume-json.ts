import { since, type Cluster } from '../mdm/cluster.ts';
import type { Mapping, VolumeRecord } from '../mdm/records.ts';
import { linksOf } from './links.ts';

/** A volume as the gateway of the played version shows it. */
function volumeJson(cluster: Cluster, volume: VolumeRecord): object {
  const common = since(cluster, '3.0') ? thirdGeneration(cluster, volume) : secondGeneration(volume);
  const mapped = volume.mappings.length > 0;
  return {
    ...common,
    mappedSdcInfo: mapped ? volume.mappings.map((mapping) => mappingJson(cluster, mapping)) : null,
    links: volumeLinks(volume),
  };
}

function secondGeneration(volume: VolumeRecord): object {
  return {
    id: volume.id,
    name: volume.name,
    sizeInKb: volume.sizeKiB,
    volumeType: volume.type,
    storagePoolId: volume.poolId,
    vtreeId: volume.vtreeId,
    ancestorVolumeId: volume.ancestorId,
    consistencyGroupId: volume.groupId,
    isObfuscated: false,
    isVvol: false,
    useRmcache: volume.useRmcache,
    creationTime: volume.createdAt,
    mappingToAllSdcsEnabled: volume.mappedToAll,
    mappedScsiInitiatorInfo: null,
  };
}

function thirdGeneration(cluster: Cluster, volume: VolumeRecord): object {
  return {
    storagePoolId: volume.poolId,
    dataLayout: cluster.state.pools.get(volume.poolId)?.dataLayout ?? 'MediumGranularity',
    vtreeId: volume.vtreeId,
    sizeInKb: volume.sizeKiB,
    volumeType: volume.type,
    consistencyGroupId: volume.groupId,
    ancestorVolumeId: volume.ancestorId,
    notGenuineSnapshot: false,
    accessModeLimit: volume.accessModeLimit,
    secureSnapshotExpTime: volume.secureUntil,
    useRmcache: volume.useRmcache,
    managedBy: 'ScaleIO',
    lockedAutoSnapshotMarkedForRemoval: false,
    compressionMethod: volume.compressionMethod,
    pairIds: null,
    timeStampIsAccurate: false,
    volumeReplicationState: 'UnmarkedForReplication',
    replicationJournalVolume: false,
    replicationTimeStamp: 0,
    ...policyFields(volume),
    creationTime: volume.createdAt,
    name: volume.name,
    id: volume.id,
    ...(since(cluster, '4.0')
      ? { volumeClass: volume.volumeClass, nsid: Number.parseInt(volume.id.slice(8), 16) + 1 }
      : {}),
  };
}

/** What a volume has to do with snapshot policies [ansible]. */
function policyFields({ auto, sourcePolicyId }: VolumeRecord): object {
  return {
    snplIdOfSourceVolume: sourcePolicyId ?? null,
    snplIdOfAutoSnapshot: auto?.policyId ?? null,
    lockedAutoSnapshot: auto?.locked ?? false,
    autoSnapshotGroupId: auto?.groupId ?? null,
    retentionLevels: auto?.levels ?? [],
    originalExpiryTime: auto?.expiresAt ?? 0,
  };
}

/** A mapping by generation: 2.x without access mode, 4.x with the host type that csi-powerflex insists on. */
function mappingJson(cluster: Cluster, mapping: Mapping): object {
  const sdc = cluster.state.sdcs.get(mapping.sdcId);
  const { sdcId, limitIops, limitBwInMbps, accessMode } = mapping;
  const base = { sdcId, sdcIp: sdc?.ip ?? 'N/A', limitIops, limitBwInMbps };
  if (!since(cluster, '3.0')) return base;
  const third = { ...base, sdcName: sdc?.name ?? null, accessMode, isDirectBufferMapping: false };
  if (!since(cluster, '4.0')) return third;
  const host = cluster.state.nvmeHosts.get(mapping.sdcId);
  if (host === undefined) return { ...third, nqn: null, hostType: 'SdcHost' };
  // [ansible, gsio]: an address it has none, and the name is the host's.
  return { ...third, sdcIp: null, sdcName: host.name, nqn: host.nqn, hostType: 'NVMeHost' };
}

function volumeLinks(volume: VolumeRecord): object {
  return linksOf('Volume', volume.id, {
    relationships: ['Statistics'],
    parents: {
      ...(volume.ancestorId === null ? {} : { ancestorVolumeId: `Volume::${volume.ancestorId}` }),
      vtreeId: `VTree::${volume.vtreeId}`,
      storagePoolId: `StoragePool::${volume.poolId}`,
    },
  });
}

interface Rendered {
  readonly text: string;
  readonly sdcs: number;
}

/**
 * Volumes as JSON text, kept until the volume changes: a list of 100,000 is mostly the joining of strings. Text of a
 * mapped volume also carries its SDCs' names and addresses, so it ends with the next change of any SDC.
 */
export class VolumeTexts {
  readonly #cluster: Cluster;
  readonly #texts = new WeakMap<VolumeRecord, Rendered>();
  #sdcs = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const hostChanged = { replace: () => (this.#sdcs += 1) };
    cluster.state.sdcs.observed(hostChanged);
    cluster.state.nvmeHosts.observed(hostChanged);
  }

  text(volume: VolumeRecord): string {
    const known = this.#texts.get(volume);
    if (known && (known.sdcs === this.#sdcs || volume.mappings.length === 0)) return known.text;
    const text = JSON.stringify(volumeJson(this.#cluster, volume));
    this.#texts.set(volume, { text, sdcs: this.#sdcs });
    return text;
  }
}
