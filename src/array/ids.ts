/** Ids are branded so that one kind cannot be handed where another is meant. */
declare const brand: unique symbol;
type Id<Kind extends string> = string & { readonly [brand]: Kind };

/** 16 lower-case hex digits that the array gave a volume or snapshot. */
export type VolumeId = Id<'volume'>;
/** 16 lower-case hex digits of a host as the MDM knows it: an SDC, or an NVMe host of 4.x. */
export type HostId = Id<'host'>;
/** 16 lower-case hex digits of the array itself (the MDM cluster). */
export type SystemId = Id<'system'>;
/** 16 lower-case hex digits of a storage pool. */
export type PoolId = Id<'storage pool'>;
/** 16 lower-case hex digits that a volume and all its snapshots share (a V-tree). */
export type FamilyId = Id<'family'>;
/** 16 lower-case hex digits of an SDS, a server that holds devices. */
export type SdsId = Id<'sds'>;
/** 16 lower-case hex digits of a device, one disk of an SDS in a pool. */
export type DeviceId = Id<'device'>;
/** 16 lower-case hex digits of a snapshot policy. */
export type PolicyId = Id<'snapshot policy'>;
/** 16 lower-case hex digits of the snapshots that were taken by one call. */
export type SnapshotGroupId = Id<'snapshot group'>;
/** A name as the array holds it: at most 31 characters, unique among volumes and snapshots, case-sensitive. */
export type ArrayName = Id<'array name'>;

/*
 * The one place where text becomes an id: where an answer of the array, a file of ours or the kernel is read. What is
 * empty is no id, and whoever reads says so.
 */

/** Text that stands where the array or a file of ours names a volume. */
export const asVolumeId = (text: string): VolumeId => text as VolumeId;
/** Text that stands where the array or a file of ours names a host. */
export const asHostId = (text: string): HostId => text as HostId;
/** Text that stands where the array or a file of ours names the array. */
export const asSystemId = (text: string): SystemId => text as SystemId;
/** Text that stands where the array or a file of ours names a storage pool. */
export const asPoolId = (text: string): PoolId => text as PoolId;
/** Text that stands where the array names a family of snapshots. */
export const asFamilyId = (text: string): FamilyId => text as FamilyId;
/** Text that stands where the array names an SDS. */
export const asSdsId = (text: string): SdsId => text as SdsId;
/** Text that stands where the array names a device. */
export const asDeviceId = (text: string): DeviceId => text as DeviceId;
/** Text that stands where the array names a snapshot policy. */
export const asPolicyId = (text: string): PolicyId => text as PolicyId;
/** Text that stands where the array names snapshots that were taken by one call. */
export const asSnapshotGroupId = (text: string): SnapshotGroupId => text as SnapshotGroupId;
/** Text that the array or a file of ours has as the name of a volume; new names are made by volumes/naming. */
export const asArrayName = (text: string): ArrayName => text as ArrayName;
