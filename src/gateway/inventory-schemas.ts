import * as z from 'zod';
import type { MappingReading, SdcReading, VolumeReading } from '../inventory/ports.ts';
import type { SdcId, StoragePoolId, VolumeId, VtreeId } from '../volumes/volume.ts';
import { address, boolean, id, name, number } from './schemas.ts';

const mapping = z
  .object({
    sdcId: name,
    hostId: name,
    nqn: name,
    hostType: name,
    sdcIp: address,
    limitIops: number.nullish(),
    limitBwInMbps: number.nullish(),
  })
  .transform((wire): MappingReading => ({
    sdcId: (wire.sdcId ?? wire.hostId ?? wire.nqn ?? 'unknown') as SdcId,
    // Before 4.0 there are no other hosts, and no host types.
    isSdc: wire.sdcId !== null && (wire.hostType ?? 'SdcHost') === 'SdcHost',
    sdcIp: wire.sdcIp,
    limitIops: wire.limitIops ?? 0,
    limitBwKiBs: (wire.limitBwInMbps ?? 0) * 1024,
  }));

export const volumeReadingSchema = z
  .object({
    id,
    name,
    sizeInKb: number,
    volumeType: name,
    storagePoolId: id,
    vtreeId: name,
    ancestorVolumeId: name,
    creationTime: number.nullish(),
    accessModeLimit: name,
    mappedSdcInfo: z.array(mapping).nullish(),
    mappingToAllSdcsEnabled: boolean.nullish(),
  })
  .transform((wire): VolumeReading => ({
    id: wire.id as VolumeId,
    name: wire.name,
    poolId: wire.storagePoolId as StoragePoolId,
    vtreeId: wire.vtreeId as VtreeId | null,
    sizeKiB: wire.sizeInKb,
    createdAt: wire.creationTime ?? null,
    isReadOnly: wire.accessModeLimit === 'ReadOnly',
    isSnapshot: wire.volumeType === 'Snapshot' || wire.ancestorVolumeId !== null,
    isMappedToAll: wire.mappingToAllSdcsEnabled ?? false,
    mappings: wire.mappedSdcInfo ?? [],
  }));

export const sdcReadingSchema = z
  .object({
    id,
    name,
    sdcGuid: name,
    sdcIp: address,
    sdcApproved: boolean.nullish(),
    mdmConnectionState: name,
    versionInfo: name,
    softwareVersionInfo: name,
    installedSoftwareVersionInfo: name,
  })
  .transform((wire): SdcReading => ({
    id: wire.id as SdcId,
    guid: wire.sdcGuid?.toUpperCase() ?? null,
    name: wire.name,
    ip: wire.sdcIp,
    isConnected: wire.mdmConnectionState === 'Connected',
    // Arrays without the restricted mode say nothing and let every SDC in.
    isApproved: wire.sdcApproved ?? true,
    // Only the last one is told of an SDC that is away ([csi-powerflex] fixture).
    version: wire.versionInfo ?? wire.softwareVersionInfo ?? wire.installedSoftwareVersionInfo,
  }));
