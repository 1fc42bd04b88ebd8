import * as z from 'zod';
import type { MappingReading, SdcReading, VolumeReading } from '../../inventory/ports.ts';
import type { StoragePoolId, VolumeId, VtreeId } from '../../volumes/volume.ts';
import { kindOf, mappingOf, mappingWire, name, sdcOf, sdcWire, volumeWire } from './schemas.ts';

const mapping = mappingWire.transform((wire): MappingReading => {
  const { sdcId, sdcIp, limitIops, limitBandwidthKiBps } = mappingOf(wire);
  // Before 4.0 there are no other hosts, and no host types.
  const isSdc = wire.sdcId !== null && (wire.hostType ?? 'SdcHost') === 'SdcHost';
  return { sdcId, isSdc, sdcIp, limitIops, limitBwKiBs: limitBandwidthKiBps };
});

export const volumeReadingSchema = volumeWire
  .extend({ mappedSdcInfo: z.array(mapping).nullish() })
  .transform((wire): VolumeReading => ({
    id: wire.id as VolumeId,
    name: wire.name,
    poolId: wire.storagePoolId as StoragePoolId,
    vtreeId: wire.vtreeId as VtreeId | null,
    sizeKiB: wire.sizeInKb,
    createdAt: wire.creationTime ?? null,
    isReadOnly: wire.accessModeLimit === 'ReadOnly',
    isSnapshot: kindOf(wire) === 'snapshot',
    isMappedToAll: wire.mappingToAllSdcsEnabled ?? false,
    mappings: wire.mappedSdcInfo ?? [],
  }));

export const sdcReadingSchema = sdcWire
  .extend({ versionInfo: name, softwareVersionInfo: name, installedSoftwareVersionInfo: name })
  .transform((wire): SdcReading => {
    const { id, guid, name: sdcName, ip, state, approved } = sdcOf(wire);
    const isConnected = state === 'unknown' ? null : state === 'connected';
    // Only the last one is told of an SDC that is away ([csi-powerflex] fixture).
    const version = wire.versionInfo ?? wire.softwareVersionInfo ?? wire.installedSoftwareVersionInfo;
    return { id, guid, name: sdcName, ip, isConnected, isApproved: approved, version };
  });
