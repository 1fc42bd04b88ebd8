import { since, type ApiVersion, type Cluster } from '../mdm/cluster.ts';
import { linksOf } from './links.ts';

const PRODUCT_VERSIONS: Record<ApiVersion, string> = {
  '2.6': 'DellEMC ScaleIO Version: R2_6.0.133',
  '3.6': 'DellEMC PowerFlex Version: R3_6.0.354',
  '4.5': 'DellEMC PowerFlex Version: R4_5.2000.120',
};

/** Software version of the array's parts, such as `R3_6.0.354`. */
export function softwareVersion(version: ApiVersion): string {
  return PRODUCT_VERSIONS[version].replace(/.* /, '');
}

function counters(short: number, medium: number, long: number): object {
  return {
    shortWindow: { threshold: short, windowSizeInSec: 60 },
    mediumWindow: { threshold: medium, windowSizeInSec: 3600 },
    longWindow: { threshold: long, windowSizeInSec: 86_400 },
  };
}

function node(cluster: Cluster, member: { id: string; role: string; ip: string }): object {
  return {
    id: member.id,
    role: member.role,
    versionInfo: softwareVersion(cluster.version),
    managementIPs: [member.ip],
    ips: [member.ip],
    virtualInterfaces: [],
    opensslVersion: 'OpenSSL 1.0.2k-fips  26 Jan 2017',
    port: 9011,
  };
}

/** The MDM cluster: three nodes, or one when only one address is known. */
export function mdmClusterJson(cluster: Cluster): object {
  const { id, mdmIps } = cluster.state.system();
  const [first = '127.0.0.1', second = first, third = first] = mdmIps;
  const memberId = (number: number): string => `${id.slice(0, 15)}${number}`;
  return {
    clusterState: 'ClusteredNormal',
    clusterMode: 'ThreeNodes',
    master: node(cluster, { id: memberId(1), role: 'Manager', ip: first }),
    slaves: [
      { ...node(cluster, { id: memberId(2), role: 'Manager', ip: second }), name: 'mdm2', status: 'Normal' },
    ],
    tieBreakers: [
      { ...node(cluster, { id: memberId(3), role: 'TieBreaker', ip: third }), name: 'tb1', status: 'Normal' },
    ],
    goodNodesNum: 3,
    goodReplicasNum: 2,
    id: BigInt(`0x${id}`).toString(),
  };
}

/** The system as the gateway of the played version shows it. */
export function systemJson(cluster: Cluster): object {
  const system = cluster.state.system();
  const { id, name, installId, restrictedSdcMode, installedAt } = system;
  const fourth = since(cluster, '4.0');
  return {
    id,
    name,
    installId,
    systemVersionName: PRODUCT_VERSIONS[cluster.version],
    perfProfile: cluster.version === '2.6' ? 'Default' : 'HighPerformance',
    swid: '',
    daysInstalled: Math.floor((cluster.now() / 1000 - installedAt) / 86_400),
    maxCapacityInGb: 'Unlimited',
    capacityTimeLeftInDays: 'Unlimited',
    enterpriseFeaturesEnabled: true,
    isInitialLicense: true,
    defaultIsVolumeObfuscated: false,
    capacityAlertHighThresholdPercent: 80,
    capacityAlertCriticalThresholdPercent: 90,
    upgradeState: 'NoUpgrade',
    remoteReadOnlyLimitState: false,
    mdmManagementPort: fourth ? 8611 : 6611,
    ...(fourth ? { mdmExternalPort: 7612, systemNqn: `nqn.1988-11.com.dell:powerflex:00:${id}` } : {}),
    restrictedSdcModeEnabled: restrictedSdcMode !== 'None',
    restrictedSdcMode,
    cliPasswordAllowed: true,
    managementClientSecureCommunicationEnabled: true,
    tlsVersion: 'TLSv1.2',
    showGuid: true,
    authenticationMethod: 'Native',
    mdmToSdsPolicy: 'None',
    mdmCluster: mdmClusterJson(cluster),
    sdcSdsConnectivityInfo: {
      sdcSdsConnectivityStatus: 'AllConnected',
      disconnectedSdcId: null,
      disconnectedSdcName: null,
      disconnectedSdsId: null,
      disconnectedSdsName: null,
      disconnectedSdsIp: null,
    },
    sdcMdmNetworkDisconnectionsCounterParameters: counters(300, 500, 700),
    sdcSdsNetworkDisconnectionsCounterParameters: counters(800, 4000, 20_000),
    sdcMemoryAllocationFailuresCounterParameters: counters(300, 500, 700),
    sdcSocketAllocationFailuresCounterParameters: counters(300, 500, 700),
    sdcLongOperationsCounterParameters: counters(10_000, 100_000, 1_000_000),
    links: linksOf('System', id, {
      relationships: ['Statistics', 'ProtectionDomain', 'Sdc', 'User'],
      parents: {},
    }),
  };
}

/** What bounds the array, as querySystemLimits tells it. */
export function systemLimitsJson(cluster: Cluster): object {
  const { limits } = cluster;
  const entry = (type: string, description: string, maxVal: number, minVal = 0): object => ({
    type,
    description,
    maxVal: String(maxVal),
    minVal: String(minVal),
  });
  return {
    systemLimitEntryList: [
      entry('volumeSizeGb', 'Volume size in GB', limits.maxVolumeKiB / 1024 / 1024, 8),
      entry('volumes', 'Volumes in the system', limits.volumes),
      entry('volumePerVtree', 'Volumes in a VTree', limits.snapshotsPerVtree + 1),
      entry('snapshotsPerVtree', 'Snapshots in a VTree', limits.snapshotsPerVtree),
      entry('volumesPerSdc', 'Volumes mapped to an SDC', limits.volumesPerSdc),
      entry('devicesPerSds', 'Devices of an SDS', limits.devicesPerSds),
    ],
  };
}
