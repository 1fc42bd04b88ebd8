import { capacityOf, ownKiB } from '../mdm/capacity.ts';
import { since, type Cluster } from '../mdm/cluster.ts';
import { domainById } from '../mdm/domains.ts';
import { deviceById } from '../mdm/devices.ts';
import { volumesOfSdc } from '../mdm/mappings.ts';
import { dataOnDevices, movingIn } from '../mdm/movements.ts';
import { poolById } from '../mdm/pools.ts';
import type { DeviceRecord, PoolRecord } from '../mdm/records.ts';
import { sdcById } from '../mdm/sdcs.ts';
import { sdsById } from '../mdm/sdss.ts';
import { descendantsOf, volumeById } from '../mdm/volumes.ts';
import type { Bwc, IoCounters } from '../hosts/io-counters.ts';
import { capacityFields, ratios } from './capacity-statistics.ts';
import { featuresSince3, IDLE_FEATURES, IDLE_FEATURES_OF_2 } from './pool-features.ts';
import { healthOf, idleJobs } from './rebuild-statistics.ts';
import { spSdsId } from './sds-json.ts';

export type Statistics = Record<string, unknown>;

const NO_BWC: Bwc = { numSeconds: 0, totalWeightInKb: 0, numOccured: 0 };

/** What statistics are made of. */
export interface StatisticsSource {
  readonly cluster: Cluster;
  readonly io: IoCounters;
}

function userIo(rates: { read: Bwc; write: Bwc }): Statistics {
  return { userDataReadBwc: rates.read, userDataWriteBwc: rates.write };
}

/** Adds up fields that are sums over pools; counters with the same fields too. */
function summed(parts: readonly Statistics[]): Statistics {
  const total: Statistics = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) {
      const before = total[name];
      if (typeof value === 'number' && typeof before === 'number') total[name] = before + value;
      else if (before === undefined) total[name] = value;
    }
  }
  return total;
}

function poolSums(source: StatisticsSource, pool: PoolRecord): Statistics {
  const { cluster, io } = source;
  const { state } = cluster;
  const capacity = capacityOf(cluster, pool);
  const tally = state.poolTallies.of(pool.id);
  const rates = io.rates((_, volumeId) => state.volumes.get(volumeId)?.poolId === pool.id);
  return {
    ...capacityFields(cluster, capacity),
    ...healthOf(capacity.usedKiB, movingIn(cluster, pool.id)),
    ...idleJobs(movingIn(cluster, pool.id), cluster.movementKiBPerSecond),
    numOfVolumes: tally.volumes,
    numOfUnmappedVolumes: tally.unmapped,
    numOfMappedToAllVolumes: tally.mappedToAll,
    numOfThickBaseVolumes: tally.thickBases,
    numOfThinBaseVolumes: tally.thinBases,
    numOfSnapshots: tally.snapshots,
    numOfVtrees: tally.vtrees,
    numOfVolumesInDeletion: 0,
    numOfDevices: state.devicesByPool.count(pool.id),
    ...userIo(rates),
    totalReadBwc: rates.read,
    totalWriteBwc: rates.write,
    primaryReadBwc: rates.read,
    primaryWriteBwc: rates.write,
    secondaryReadBwc: NO_BWC,
    secondaryWriteBwc: rates.write,
    ...IDLE_FEATURES,
    ...(since(cluster, '3.0') ? featuresSince3(capacity, pool.dataLayout) : IDLE_FEATURES_OF_2),
  };
}

/** Statistics of a storage pool. */
export function poolStatistics(source: StatisticsSource, id: string): Statistics {
  const { cluster } = source;
  const { state } = cluster;
  const pool = poolById(cluster, id);
  const volumes = state.volumes.many(state.volumesByPool.ids(id));
  const devices = state.devices.many(state.devicesByPool.ids(id));
  const newer = {
    spSdsIds: [...new Set(devices.map(spSdsId))],
    migratingVolumeIds: [],
    migratingVtreeIds: [],
  };
  const sums = poolSums(source, pool);
  return {
    ...sums,
    ...ratios(cluster, sums),
    volumeIds: volumes.map((volume) => volume.id),
    vtreeIds: [...new Set(volumes.map((volume) => volume.vtreeId))],
    deviceIds: devices.map((device) => device.id),
    ...(since(cluster, '3.0') ? newer : {}),
  };
}

function poolsSummed(source: StatisticsSource, pools: readonly PoolRecord[]): Statistics {
  const sums = summed(pools.map((pool) => poolSums(source, pool)));
  const inPools = new Set(pools.map((pool) => pool.id));
  const { volumes } = source.cluster.state;
  const rates = source.io.rates((_, id) => inPools.has(volumes.get(id)?.poolId ?? ''));
  const shared = { ...sums, ...ratios(source.cluster, sums), ...userIo(rates) };
  return { ...shared, totalReadBwc: rates.read, totalWriteBwc: rates.write };
}

/** Statistics of a protection domain: the sums over its pools. */
export function domainStatistics(source: StatisticsSource, id: string): Statistics {
  const { state } = source.cluster;
  domainById(source.cluster, id);
  const pools = state.pools.many(state.poolsByDomain.ids(id));
  const faultSets = [...state.faultSets.values()].filter((faultSet) => faultSet.domainId === id);
  return {
    ...poolsSummed(source, pools),
    numOfStoragePools: pools.length,
    storagePoolIds: pools.map((pool) => pool.id),
    numOfSds: state.sdssByDomain.count(id),
    sdsIds: state.sdssByDomain.ids(id),
    numOfFaultSets: faultSets.length,
    faultSetIds: faultSets.map((faultSet) => faultSet.id),
  };
}

/** Statistics of the system: the sums over all pools. */
export function systemStatistics(source: StatisticsSource): Statistics {
  const { state } = source.cluster;
  return {
    ...poolsSummed(source, [...state.pools.values()]),
    numOfSds: state.sdss.size,
    numOfSdc: state.sdcs.size,
    numOfProtectionDomains: state.domains.size,
    numOfStoragePools: state.pools.size,
    numOfFaultSets: state.faultSets.size,
    rmcacheSizeInKb: state.sdss.size * 131_072,
    protectionDomainIds: [...state.domains.values()].map((domain) => domain.id),
    sdcIds: [...state.sdcs.values()].map((sdc) => sdc.id),
  };
}

/** Statistics of a volume; the I/O is what its SDCs reported lately. */
export function volumeStatistics(source: StatisticsSource, id: string): Statistics {
  const { cluster, io } = source;
  const volume = volumeById(cluster, id);
  const children = cluster.state.volumesByAncestor.ids(id);
  const descendants = descendantsOf(cluster, id).map((descendant) => descendant.id);
  const rates = io.rates((_, volumeId) => volumeId === id);
  return {
    mappedSdcIds: volume.mappings.map((mapping) => mapping.sdcId),
    numOfMappedSdcs: volume.mappings.length,
    numOfChildVolumes: children.length,
    numOfDescendantVolumes: descendants.length,
    childVolumeIds: children,
    descendantVolumeIds: descendants,
    ...userIo(rates),
    ...(since(cluster, '3.0') ? volumeSince3() : {}),
  };
}

function volumeSince3(): Statistics {
  return {
    userDataTrimBwc: NO_BWC,
    userDataSdcReadLatency: NO_BWC,
    userDataSdcWriteLatency: NO_BWC,
    userDataSdcTrimLatency: NO_BWC,
    initiatorSdcId: null,
    registrationKey: null,
    registrationKeys: [],
    reservationType: 'NotReserved',
    replicationState: 'UnmarkedForReplication',
    replicationJournalVolume: false,
    rplTotalJournalCap: 0,
    rplUsedJournalCap: 0,
  };
}

/** Statistics of an SDC. */
export function sdcStatistics(source: StatisticsSource, id: string): Statistics {
  sdcById(source.cluster, id);
  const volumeIds = volumesOfSdc(source.cluster, id).map((volume) => volume.id);
  const rates = source.io.rates((sdcId) => sdcId === id);
  return { numOfMappedVolumes: volumeIds.length, volumeIds, ...userIo(rates) };
}

/** Statistics of a VTree. */
export function vtreeStatistics(source: StatisticsSource, id: string): Statistics {
  const { cluster, io } = source;
  const { volumes, volumesByVtree } = cluster.state;
  const members = volumes.many(volumesByVtree.ids(id));
  const ids = new Set(members.map((volume) => volume.id));
  const heldBy = (isSnapshot: boolean): number =>
    members
      .filter(({ ancestorId }) => (ancestorId !== null) === isSnapshot)
      .reduce((sum, volume) => sum + ownKiB(cluster, volume), 0);
  const [base, snapshots] = [heldBy(false), heldBy(true)];
  return {
    numOfVolumes: members.length,
    volumeIds: [...ids],
    baseNetCapacityInUseInKb: base,
    netCapacityInUseInKb: base + snapshots,
    snapNetCapacityInUseInKb: snapshots,
    trimmedCapacityInKb: 0,
    ...userIo(io.rates((_, volumeId) => ids.has(volumeId))),
  };
}

function deviceSums(cluster: Cluster, device: DeviceRecord): Statistics {
  const pool = poolById(cluster, device.poolId);
  const usedKiB = dataOnDevices(cluster, pool).get(device.id) ?? 0;
  return {
    maxCapacityInKb: device.maxKiB,
    capacityLimitInKb: device.limitKiB,
    capacityInUseInKb: usedKiB,
    unusedCapacityInKb: Math.max(0, device.limitKiB - usedKiB),
  };
}

/** Statistics of a device; over a pool's devices `capacityInUseInKb` adds up to the pool's. */
export function deviceStatistics(source: StatisticsSource, id: string): Statistics {
  const zero = {
    avgReadLatencyInMicrosec: 0,
    avgWriteLatencyInMicrosec: 0,
    avgReadSizeInBytes: 0,
    avgWriteSizeInBytes: 0,
  };
  return { ...deviceSums(source.cluster, deviceById(source.cluster, id)), ...zero };
}

/** Statistics of an SDS: the sums over its devices. */
export function sdsStatistics(source: StatisticsSource, id: string): Statistics {
  const { cluster } = source;
  sdsById(cluster, id);
  const devices = cluster.state.devices.many(cluster.state.devicesBySds.ids(id));
  return {
    ...summed(devices.map((device) => deviceSums(cluster, device))),
    numOfDevices: devices.length,
    deviceIds: devices.map((device) => device.id),
    rmcacheSizeInKb: 131_072,
  };
}

/** Statistics of a fault set: the sums over its SDSs. */
export function faultSetStatistics(source: StatisticsSource, id: string): Statistics {
  const sdss = [...source.cluster.state.sdss.values()].filter((sds) => sds.faultSetId === id);
  return {
    ...summed(sdss.map((sds) => sdsStatistics(source, sds.id))),
    numOfSds: sdss.length,
    sdsIds: sdss.map((sds) => sds.id),
  };
}
