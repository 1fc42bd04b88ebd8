import { since, type Cluster } from '../mdm/cluster.ts';
import type { DeviceRecord, SdsRecord } from '../mdm/records.ts';
import { linksOf } from './links.ts';
import { softwareVersion } from './system-json.ts';

/** An SDS. */
export function sdsJson(cluster: Cluster, sds: SdsRecord): object {
  return {
    id: sds.id,
    name: sds.name,
    protectionDomainId: sds.domainId,
    ipList: sds.ips,
    port: sds.port,
    onVmWare: false,
    sdsState: 'Normal',
    membershipState: 'Joined',
    mdmConnectionState: sds.connected ? 'Connected' : 'Disconnected',
    maintenanceState: sds.maintenance === false ? 'NoMaintenance' : 'InMaintenance',
    maintenanceType: sds.maintenance === false ? 'NoMaintenance' : sds.maintenance,
    drlMode: sds.drlMode,
    configuredDrlMode: sds.drlMode,
    rmcacheEnabled: true,
    rmcacheSizeInKb: 131_072,
    rmcacheFrozen: false,
    rmcacheMemoryAllocationState: 'AllocationPending',
    rfcacheEnabled: true,
    perfProfile: cluster.version === '2.6' ? 'Default' : 'HighPerformance',
    softwareVersionInfo: softwareVersion(cluster.version),
    faultSetId: sds.faultSetId,
    numOfIoBuffers: null,
    authenticationError: 'None',
    links: linksOf('Sds', sds.id, {
      relationships: ['Statistics', 'SpSds', 'Device'],
      parents: {
        protectionDomainId: `ProtectionDomain::${sds.domainId}`,
        ...(sds.faultSetId === null ? {} : { faultSetId: `FaultSet::${sds.faultSetId}` }),
      },
    }),
  };
}

/** The part of an SDS that is in a pool; the simulated one is named after both. */
export function spSdsId(device: DeviceRecord): string {
  return device.sdsId.slice(0, 8) + device.poolId.slice(8);
}

/** A device. Requests spell `deviceCurrentPathname`, replies `deviceCurrentPathName` [ansible device.py]. */
export function deviceJson(cluster: Cluster, device: DeviceRecord): object {
  const third = since(cluster, '3.0');
  return {
    id: device.id,
    name: device.name,
    sdsId: device.sdsId,
    storagePoolId: device.poolId,
    spSdsId: spSdsId(device),
    deviceCurrentPathName: device.path,
    deviceOriginalPathName: device.path,
    deviceState: device.removing ? 'RemovePending' : 'Normal',
    errorState: device.failed ? 'Error' : 'None',
    capacityLimitInKb: device.limitKiB,
    maxCapacityInKb: device.maxKiB,
    ...(third ? deviceSince3(device) : {}),
    links: linksOf('Device', device.id, {
      relationships: ['Statistics'],
      parents: {
        sdsId: `Sds::${device.sdsId}`,
        storagePoolId: `StoragePool::${device.poolId}`,
        spSdsId: `SpSds::${spSdsId(device)}`,
      },
    }),
  };
}

function deviceSince3(device: DeviceRecord): object {
  return {
    aggregatedState: device.failed ? 'CurrentlyFailed' : 'NeverFailed',
    mediaType: device.mediaType,
    externalAccelerationType: 'None',
    capacity: 0,
    ledSetting: 'Off',
    mediaFailing: false,
    modelName: null,
    serialNumber: null,
    firmwareVersion: null,
    vendorName: null,
    storageProps: null,
    temperatureState: 'NeverFailed',
    ssdEndOfLifeState: 'NeverFailed',
    rfcacheProps: null,
    autoDetectMediaType: 'Unknown',
    fglNvdimmMetadataAmortizationX100: null,
    fglNvdimmWriteCacheSize: null,
    logicalSectorSizeInBytes: 0,
    physicalSectorSizeInBytes: 0,
    raidControllerSerialNumber: null,
    slotNumber: 'N/A',
    writeCacheActive: false,
    rfcacheErrorDeviceDoesNotExist: false,
    rfcacheErrorStuckIo: false,
  };
}
