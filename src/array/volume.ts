import type { ArrayName, FamilyId, HostId, PolicyId, PoolId, SnapshotGroupId, VolumeId } from './ids.ts';
import type { HostKind } from './host.ts';
import type { StoragePool } from './pool.ts';

export type Provisioning = 'thin' | 'thick';
export type AccessMode = 'ReadWrite' | 'ReadOnly' | 'NoAccess';

/** One host's access to one volume. Limits belong to it and vanish with it. */
export interface Attachment {
  readonly hostId: HostId;
  readonly hostKind: HostKind;
  /** Null where the array does not say, as of a host that is away. */
  readonly hostName: string | null;
  readonly hostAddress: string | null;
  /** What this host last knew of the other, where the array does not say all of it now. */
  readonly lastKnown?: { readonly name: string | null; readonly address: string | null };
  readonly accessMode: AccessMode;
  /** 0: no limit. */
  readonly limitIops: number;
  /** KiB per second, 0: no limit. */
  readonly limitBandwidthKiBps: number;
}

/** A volume or snapshot as the array describes it. */
export interface ArrayVolume {
  readonly id: VolumeId;
  readonly name: string | null;
  readonly sizeKiB: number;
  readonly kind: Provisioning | 'snapshot';
  readonly poolId: PoolId;
  /** Null where the array does not say. */
  readonly familyId: FamilyId | null;
  readonly ancestorId: VolumeId | null;
  /** Seconds since 1970, as the array counts; null where it does not say. */
  readonly createdAtSeconds: number | null;
  /** What the array lets anybody do with it; ReadWrite on arrays that do not know the limit (2.x). */
  readonly accessModeLimit: AccessMode;
  /** Snapshots that were taken by one call, at one instant, share it; null: none, or not said. */
  readonly groupId: SnapshotGroupId | null;
  /**
   * Until when a secured snapshot can be neither removed nor overwritten, seconds since 1970 as the array counts; null: not secured, or
   * not said. It may stand there when it is over.
   */
  readonly secureUntilSeconds: number | null;
  /** The policy that takes snapshots of this volume; null: none, or not said. */
  readonly policyId: PolicyId | null;
  /** A policy of the array took this snapshot, and will remove it; false where the array does not say. */
  readonly madeByPolicy: boolean;
  readonly attachments: readonly Attachment[];
  /** Every host may use it; `attachments` are then not all. */
  readonly attachedToAll: boolean;
}

export interface NewVolume {
  readonly name: ArrayName;
  /** KiB; the array rounds up to its grain and succeeds. */
  readonly sizeKiB: number;
  readonly pool: StoragePool;
  readonly provisioning: Provisioning;
}

export interface AttachmentRequest {
  readonly volumeId: VolumeId;
  readonly hostId: HostId;
  /** True only for a volume that the array itself limits to ReadOnly: may then be attached to many hosts (rule 1). */
  readonly readOnly: boolean;
}
