import { capacityOf } from '../mdm/capacity.ts';
import { since, type Cluster } from '../mdm/cluster.ts';
import { NO_NETWORK_LIMITS } from '../mdm/network-limits.ts';
import type { DomainRecord, FaultSetRecord, PoolRecord } from '../mdm/records.ts';
import { linksOf } from './links.ts';

/** A protection domain as the gateway of the played version shows it. */
export function domainJson(cluster: Cluster, domain: DomainRecord): object {
  const systemId = cluster.state.system().id;
  const third = since(cluster, '3.0');
  const newer = third ? ['AccelerationPool', 'Sdr', 'ReplicationConsistencyGroup'] : [];
  return {
    id: domain.id,
    name: domain.name,
    systemId,
    protectionDomainState: domain.active ? 'Active' : 'Inactive',
    ...throttling(domain, third),
    rfcacheEnabled: true,
    rfcachePageSizeKb: 64,
    rfcacheMaxIoSizeKb: 128,
    rfcacheOpertionalMode: 'WriteMiss',
    ...(third ? domainSince3() : {}),
    ...(since(cluster, '4.0') ? { genType: domain.genType } : {}),
    links: linksOf('ProtectionDomain', domain.id, {
      relationships: ['Statistics', 'StoragePool', 'Sds', 'FaultSet', ...newer],
      parents: { systemId: `System::${systemId}` },
    }),
  };
}

function throttling({ networkLimits = NO_NETWORK_LIMITS }: DomainRecord, third: boolean): object {
  const { overallIo, rebuild, rebalance, vtreeMigration } = networkLimits;
  const limits = { overallIo, rebuild, rebalance };
  const shown = third ? { ...limits, vtreeMigration, protectedMaintenanceMode: 0 } : limits;
  const fields = Object.entries(shown).flatMap(([kind, limit]) => [
    [`${kind}NetworkThrottlingEnabled`, limit > 0],
    [`${kind}NetworkThrottlingInKbps`, limit > 0 ? limit : null],
  ]);
  return Object.fromEntries(fields) as object;
}

function domainSince3(): object {
  return {
    fglDefaultNumConcurrentWrites: 1000,
    fglMetadataCacheEnabled: false,
    fglDefaultMetadataCacheSize: 0,
    rfcacheAccpId: null,
    sdrSdsConnectivityInfo: {
      clientServerConnStatus: 'CLIENT_SERVER_CONN_STATUS_ALL_CONNECTED',
      disconnectedClientId: null,
      disconnectedClientName: null,
      disconnectedServerId: null,
      disconnectedServerName: null,
      disconnectedServerIp: null,
    },
    replicationCapacityMaxRatio: null,
  };
}

function ioPriority(kind: string, policy: string): object {
  return {
    [`${kind}IoPriorityPolicy`]: policy,
    [`${kind}IoPriorityNumOfConcurrentIosPerDevice`]: 1,
    [`${kind}IoPriorityBwLimitPerDeviceInKbps`]: 10_240,
    [`${kind}IoPriorityAppIopsPerDeviceThreshold`]: null,
    [`${kind}IoPriorityAppBwPerDeviceThresholdInKbps`]: null,
    [`${kind}IoPriorityQuietPeriodInMsec`]: null,
  };
}

/** A storage pool as the gateway of the played version shows it. */
export function poolJson(cluster: Cluster, pool: PoolRecord): object {
  const third = since(cluster, '3.0');
  return {
    id: pool.id,
    name: pool.name,
    protectionDomainId: pool.domainId,
    sparePercentage: pool.sparePercentage,
    zeroPaddingEnabled: pool.zeroPadding,
    useRmcache: pool.useRmcache,
    rmcacheWriteHandlingMode: 'Cached',
    useRfcache: pool.useRfcache,
    checksumEnabled: pool.checksumEnabled,
    backgroundScannerMode: third ? 'DataComparison' : 'Disabled',
    backgroundScannerBWLimitKBps: third ? 3072 : 0,
    rebuildEnabled: pool.rebuildEnabled,
    rebalanceEnabled: pool.rebalanceEnabled,
    numOfParallelRebuildRebalanceJobsPerDevice: 2,
    capacityAlertHighThreshold: pool.highThreshold,
    capacityAlertCriticalThreshold: pool.criticalThreshold,
    ...ioPriority('rebuild', 'limitNumOfConcurrentIos'),
    ...ioPriority('rebalance', 'favorAppIos'),
    ...(third ? poolSince3(cluster, pool) : {}),
    links: linksOf('StoragePool', pool.id, {
      relationships: ['Statistics', 'SpSds', 'Volume', 'Device', 'VTree'],
      parents: { protectionDomainId: `ProtectionDomain::${pool.domainId}` },
    }),
  };
}

function poolSince3(cluster: Cluster, pool: PoolRecord): object {
  const { usedPercent } = capacityOf(cluster, pool);
  const level =
    usedPercent >= pool.criticalThreshold
      ? 'Critical'
      : usedPercent >= pool.highThreshold
        ? 'High'
        : 'Normal';
  return {
    dataLayout: pool.dataLayout,
    compressionMethod: pool.dataLayout === 'FineGranularity' ? 'None' : 'Invalid',
    mediaType: pool.mediaType,
    externalAccelerationType: 'None',
    addressSpaceUsage: 'Normal',
    addressSpaceUsageType: 'DeviceCapacityLimit',
    capacityUsageState: level,
    capacityUsageType: 'NetCapacity',
    fragmentationEnabled: true,
    bgScannerCompareErrorAction: 'ReportAndFix',
    bgScannerReadErrorAction: 'ReportAndFix',
    persistentChecksumEnabled: true,
    persistentChecksumState: 'Protected',
    persistentChecksumBuilderLimitKb: 3072,
    persistentChecksumValidateOnRead: false,
    fglAccpId: null,
    fglExtraCapacity: null,
    fglOverProvisioningFactor: null,
    fglWriteAtomicitySize: null,
    fglMaxCompressionRatio: null,
    fglPerfProfile: null,
    fglNvdimmMetadataAmortizationX100: null,
    fglNvdimmWriteCacheSizeInMb: null,
    ...ioPriority('vtreeMigration', 'favorAppIos'),
    ...ioPriority('protectedMaintenanceMode', 'limitNumOfConcurrentIos'),
    replicationCapacityMaxRatio: 32,
  };
}

/** A fault set. */
export function faultSetJson(faultSet: FaultSetRecord): object {
  return {
    id: faultSet.id,
    name: faultSet.name,
    protectionDomainId: faultSet.domainId,
    links: linksOf('FaultSet', faultSet.id, {
      relationships: ['Statistics', 'Sds'],
      parents: { protectionDomainId: `ProtectionDomain::${faultSet.domainId}` },
    }),
  };
}
