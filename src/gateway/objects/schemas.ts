import * as z from 'zod';
import type {
  AccessMode,
  ArrayVolume,
  HolderState,
  Mapping,
  Sdc,
  SdcId,
  StoragePoolId,
  SystemId,
  VolumeId,
  VtreeId,
} from '../../volumes/volume.ts';
import { EndpointFailure } from '../wire/failures.ts';

/*
 * Only the fields that we read, and loosely: gateways and what stands in front of them write numbers and booleans as
 * strings now and then, leave fields out, or say null where a list is empty.
 */

export const number = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);
export const boolean = z.union([z.boolean(), z.string().transform((text) => text.toLowerCase() === 'true')]);
export const id = z.string().min(1);
export const name = z
  .string()
  .nullish()
  .transform((text) => (text === undefined || text === '' ? null : text));
/** Never-connected SDCs have the address "N/A" ([ansible-powerflex] captures). */
const address = name.transform((text) => (text === 'N/A' ? null : text));

/** Unknown words count as the mode that can do most harm. */
function accessMode(text: string | null | undefined): AccessMode {
  return text === 'ReadOnly' || text === 'NoAccess' ? text : 'ReadWrite';
}

export const mappingWire = z.object({
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

export function mappingOf(wire: z.output<typeof mappingWire>): Mapping {
  return {
    // A holder that is no SDC (NVMe host of 4.x) must still count as a holder.
    sdcId: (wire.sdcId ?? wire.hostId ?? wire.nqn ?? 'unknown') as SdcId,
    sdcName: wire.sdcName,
    sdcIp: wire.sdcIp,
    accessMode: accessMode(wire.accessMode),
    limitIops: wire.limitIops ?? 0,
    limitBandwidthKiBps: (wire.limitBwInMbps ?? 0) * 1024,
  };
}

/** A volume but for its mappings, of which each reader takes its own part. */
export const volumeWire = z.object({
  id,
  name,
  sizeInKb: number,
  volumeType: name,
  storagePoolId: id,
  vtreeId: name,
  ancestorVolumeId: name,
  creationTime: number.nullish(),
  accessModeLimit: name,
  mappingToAllSdcsEnabled: boolean.nullish(),
});

export function kindOf({ volumeType, ancestorVolumeId }: z.output<typeof volumeWire>): ArrayVolume['kind'] {
  if (volumeType === 'Snapshot' || ancestorVolumeId !== null) return 'snapshot';
  return volumeType === 'ThickProvisioned' ? 'thick' : 'thin';
}

export const volumeSchema = volumeWire
  .extend({ mappedSdcInfo: z.array(mappingWire.transform(mappingOf)).nullish() })
  .transform((wire): ArrayVolume => ({
    id: wire.id as VolumeId,
    name: wire.name,
    sizeKiB: wire.sizeInKb,
    kind: kindOf(wire),
    storagePoolId: wire.storagePoolId as StoragePoolId,
    vtreeId: (wire.vtreeId ?? '') as VtreeId,
    ancestorId: wire.ancestorVolumeId as VolumeId | null,
    createdAtSeconds: wire.creationTime ?? 0,
    accessModeLimit: accessMode(wire.accessModeLimit),
    mappings: wire.mappedSdcInfo ?? [],
    mappedToAllSdcs: wire.mappingToAllSdcsEnabled ?? false,
  }));

const operations = z.object({ numOccured: number });

/** An array that does not say how much I/O there was must not be taken for an idle one, so both are required. */
export const volumeIoSchema = z
  .object({ userDataReadBwc: operations, userDataWriteBwc: operations })
  .transform(
    ({ userDataReadBwc, userDataWriteBwc }) => userDataReadBwc.numOccured + userDataWriteBwc.numOccured,
  );

export const sdcWire = z.object({
  id,
  name,
  sdcGuid: name,
  sdcIp: address,
  sdcApproved: boolean.nullish(),
  mdmConnectionState: name,
  osType: name,
  hostType: name,
});

/** Rule 16: only what is said in the array's own word counts; null, missing or a new word says nothing. */
export function stateOf(mdmConnectionState: string | null | undefined): HolderState {
  if (mdmConnectionState === 'Connected') return 'connected';
  return mdmConnectionState === 'Disconnected' ? 'disconnected' : 'unknown';
}

/** A host of 4.x that reaches its volumes over NVMe/TCP stands among the SDCs, with hardly anything filled in. */
const NVME_HOST = 'NVMeHost';

export function isNvmeHost({ hostType }: z.output<typeof sdcWire>): boolean {
  return hostType === NVME_HOST;
}

const nvmeController = z.object({ id, hostId: name, isConnected: boolean.nullish() });

/** One of an NVMe host's paths to the array: `hostId` null where the array does not say, `isConnected` likewise. */
export const nvmeControllerSchema = nvmeController.transform((wire) => ({
  hostId: wire.hostId,
  isConnected: wire.isConnected ?? null,
}));

export function sdcOf(wire: z.output<typeof sdcWire>): Sdc {
  return {
    id: wire.id as SdcId,
    name: wire.name,
    guid: wire.sdcGuid?.toUpperCase() ?? null,
    ip: wire.sdcIp,
    // Arrays without the restricted mode say nothing and let every SDC in.
    approved: wire.sdcApproved ?? true,
    state: stateOf(wire.mdmConnectionState),
    osType: wire.osType,
  };
}

export const sdcSchema = sdcWire.transform(sdcOf);

export const systemSchema = z
  .object({ id, name })
  .transform((wire) => ({ id: wire.id as SystemId, name: wire.name }));

export const poolSchema = z.object({
  id: id.transform((text) => text as StoragePoolId),
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

export const createdSchema = z.object({ id: id.transform((text) => text as VolumeId) });

/** One snapshot was asked for, so its id is all there is to read. */
export const snapshotSchema = z
  .object({ volumeIdList: z.tuple([id]).rest(id) })
  .transform((wire) => wire.volumeIdList[0] as VolumeId);

export const accessTokenSchema = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().nullish(),
  expires_in: number.nullish(),
});

/** The value in our words; rejects with EndpointFailure that names the first field which is not as expected. */
export function understand<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where =
    issue === undefined || issue.path.length === 0 ? 'its top level' : issue.path.map(String).join('.');
  throw new EndpointFailure(`answer cannot be understood at ${where}: ${issue?.message ?? 'unknown shape'}`, {
    mayHaveActed: true,
    kind: 'unreadable',
  });
}
