import * as z from 'zod';
import type { ArrayHost, HostKind, HostState } from '../../array/host.ts';
import {
  asFamilyId,
  asHostId,
  asPolicyId,
  asPoolId,
  asSnapshotGroupId,
  asSystemId,
  asVolumeId,
} from '../../array/ids.ts';
import type { AccessMode, ArrayVolume, Attachment } from '../../array/volume.ts';
import { boolean, id, name, number } from '../wire/fields.ts';

/*
 * Only the fields that we read, and loosely, as wire/fields.ts says.
 */

/** What never-connected SDCs have for an address ([ansible-powerflex] captures). */
const NO_ADDRESS = 'N/A';
const address = name.transform((text) => (text === NO_ADDRESS ? null : text));

/** Unknown words count as the mode that can do most harm. */
function accessMode(text: string | null | undefined): AccessMode {
  return text === 'ReadOnly' || text === 'NoAccess' ? text : 'ReadWrite';
}

const mappingWire = z.object({
  sdcId: name,
  hostId: name,
  nqn: name,
  hostType: name,
  sdcName: name,
  sdcIp: address,
  accessMode: name,
  limitIops: number.nullish(),
  limitBwInMbps: number.nullish(),
});

/** Before 4.0 there are no other hosts, and no host types. */
function kindOfHost({ sdcId, hostType }: z.output<typeof mappingWire>): HostKind {
  return sdcId !== null && (hostType ?? 'SdcHost') === 'SdcHost' ? 'sdc' : 'nvme';
}

function attachmentOf(wire: z.output<typeof mappingWire>): Attachment {
  return {
    // A holder that is no SDC (NVMe host of 4.x) must still count as a holder.
    hostId: asHostId(wire.sdcId ?? wire.hostId ?? wire.nqn ?? 'unknown'),
    hostKind: kindOfHost(wire),
    hostName: wire.sdcName,
    hostAddress: wire.sdcIp,
    accessMode: accessMode(wire.accessMode),
    limitIops: wire.limitIops ?? 0,
    limitBandwidthKiBps: (wire.limitBwInMbps ?? 0) * 1024,
  };
}

/** What stands where there is no object: nothing, or an id of zeros. */
const NO_OBJECT = /^0*$/;
const reference = name.transform((text) => (text === null || NO_OBJECT.test(text) ? null : text));

const volumeWire = z.object({
  id,
  name,
  sizeInKb: number,
  volumeType: name,
  storagePoolId: id,
  vtreeId: name,
  ancestorVolumeId: name,
  creationTime: number.nullish(),
  accessModeLimit: name,
  consistencyGroupId: reference,
  secureSnapshotExpTime: number.nullish(),
  snplIdOfSourceVolume: reference,
  snplIdOfAutoSnapshot: reference,
  mappingToAllSdcsEnabled: boolean.nullish(),
  mappedSdcInfo: z.array(mappingWire.transform(attachmentOf)).nullish(),
});

function kindOf({ volumeType, ancestorVolumeId }: z.output<typeof volumeWire>): ArrayVolume['kind'] {
  if (volumeType === 'Snapshot' || ancestorVolumeId !== null) return 'snapshot';
  return volumeType === 'ThickProvisioned' ? 'thick' : 'thin';
}

export const volumeSchema = volumeWire.transform((wire): ArrayVolume => ({
  id: asVolumeId(wire.id),
  name: wire.name,
  sizeKiB: wire.sizeInKb,
  kind: kindOf(wire),
  poolId: asPoolId(wire.storagePoolId),
  familyId: wire.vtreeId === null ? null : asFamilyId(wire.vtreeId),
  ancestorId: wire.ancestorVolumeId === null ? null : asVolumeId(wire.ancestorVolumeId),
  createdAtSeconds: wire.creationTime ?? null,
  accessModeLimit: accessMode(wire.accessModeLimit),
  groupId: wire.consistencyGroupId === null ? null : asSnapshotGroupId(wire.consistencyGroupId),
  secureUntilSeconds: wire.secureSnapshotExpTime === 0 ? null : (wire.secureSnapshotExpTime ?? null),
  policyId: wire.snplIdOfSourceVolume === null ? null : asPolicyId(wire.snplIdOfSourceVolume),
  madeByPolicy: wire.snplIdOfAutoSnapshot !== null,
  attachments: wire.mappedSdcInfo ?? [],
  attachedToAll: wire.mappingToAllSdcsEnabled ?? false,
}));

const operations = z.object({ numOccured: number });

/** An array that does not say how much I/O there was must not be taken for an idle one, so both are required. */
export const volumeIoSchema = z
  .object({ userDataReadBwc: operations, userDataWriteBwc: operations })
  .transform(
    ({ userDataReadBwc, userDataWriteBwc }) => userDataReadBwc.numOccured + userDataWriteBwc.numOccured,
  );

const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

const hostWire = z.object({
  id,
  name,
  sdcGuid: name,
  sdcIp: address,
  sdcIps: texts,
  sdcApproved: boolean.nullish(),
  sdcApprovedIps: texts,
  mdmConnectionState: name,
  osType: name,
  hostType: name,
  versionInfo: name,
  softwareVersionInfo: name,
  installedSoftwareVersionInfo: name,
});

/** Rule 16: only what is said in the array's own word counts; null, missing or a new word says nothing. */
function stateOf(mdmConnectionState: string | null | undefined): HostState {
  if (mdmConnectionState === 'Connected') return 'connected';
  return mdmConnectionState === 'Disconnected' ? 'disconnected' : 'unknown';
}

/** A host of 4.x that reaches its volumes over NVMe/TCP stands among the SDCs, with hardly anything filled in. */
const NVME_HOST = 'NVMeHost';

const nvmeController = z.object({ id, hostId: name, isConnected: boolean.nullish() });

/** One of an NVMe host's paths to the array: `hostId` null where the array does not say, `isConnected` likewise. */
export const nvmeControllerSchema = nvmeController.transform((wire) => ({
  hostId: wire.hostId,
  isConnected: wire.isConnected ?? null,
}));

/** A host among the array's SDCs. The state of an NVMe host stands elsewhere and is unknown here. */
export const hostSchema = hostWire.transform((wire): ArrayHost => {
  const addresses = [...wire.sdcIps, ...(wire.sdcIp === null ? [] : [wire.sdcIp])];
  return {
    id: asHostId(wire.id),
    kind: wire.hostType === NVME_HOST ? 'nvme' : 'sdc',
    name: wire.name,
    guid: wire.sdcGuid?.toUpperCase() ?? null,
    address: wire.sdcIp,
    addresses: [...new Set(addresses)].filter((one) => one !== NO_ADDRESS),
    approvedAddresses: wire.sdcApprovedIps,
    // Arrays without the restricted mode say nothing and let every SDC in.
    isApproved: wire.sdcApproved ?? true,
    state: stateOf(wire.mdmConnectionState),
    osType: wire.osType,
    // Only the last one is told of an SDC that is away ([csi-powerflex] fixture).
    version: wire.versionInfo ?? wire.softwareVersionInfo ?? wire.installedSoftwareVersionInfo,
  };
});

export const systemSchema = z
  .object({ id, name })
  .transform((wire) => ({ id: asSystemId(wire.id), name: wire.name }));

export const poolSchema = z.object({
  id: id.transform(asPoolId),
  name,
  protectionDomainId: id,
  zeroPaddingEnabled: boolean.nullish(),
});

/** By pool. */
export const poolUsageSchema = z.record(
  z.string(),
  z
    .object({ capacityInUseInKb: number, capacityLimitInKb: number, spareCapacityInKb: number })
    .transform((wire) => ({
      usedKiB: wire.capacityInUseInKb,
      roomKiB: wire.capacityLimitInKb - wire.spareCapacityInKb,
    })),
);

export const domainSchema = z.object({ id, name });

export const createdSchema = z.object({ id: id.transform(asVolumeId) });
