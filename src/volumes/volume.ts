/** Ids are branded so that one kind cannot be handed where another is meant. */
declare const brand: unique symbol;
type Id<Kind extends string> = string & { readonly [brand]: Kind };

/** 16 lower-case hex digits that the array gave a volume or snapshot. */
export type VolumeId = Id<'volume'>;
/** 16 lower-case hex digits of an SDC as the MDM knows it. */
export type SdcId = Id<'sdc'>;
/** 16 lower-case hex digits of the array itself (the MDM cluster). */
export type SystemId = Id<'system'>;
export type StoragePoolId = Id<'storage pool'>;
export type VtreeId = Id<'vtree'>;
/** A name as the array holds it: at most 31 characters, unique among volumes and snapshots, case-sensitive. */
export type ArrayName = Id<'array name'>;
/** A name as Docker's users write it, already validated. */
export type VolumeName = Id<'volume name'>;

export type Provisioning = 'thin' | 'thick';
export type AccessMode = 'ReadWrite' | 'ReadOnly' | 'NoAccess';
export type FilesystemType = 'ext4' | 'xfs' | 'btrfs';
/** What may be done about a volume that another host holds (docs/architecture.md, failover). */
export type FailoverPolicy = 'never' | 'disconnected' | 'idle' | 'always';
/** An SDC as the array sees it; unknown when the array cannot describe it, so that it may well be alive. */
export type HolderState = 'connected' | 'disconnected' | 'unknown';

/** One SDC's access to one volume. Limits belong to it and vanish with it. */
export interface Mapping {
  readonly sdcId: SdcId;
  readonly sdcName: string | null;
  readonly sdcIp: string | null;
  /** What this host last knew of the SDC, where the array does not say all of it now. */
  readonly lastKnown?: { readonly name: string | null; readonly ip: string | null };
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
  readonly storagePoolId: StoragePoolId;
  readonly vtreeId: VtreeId;
  readonly ancestorId: VolumeId | null;
  /** Seconds since 1970, as the array counts. */
  readonly createdAtSeconds: number;
  /** ReadWrite on arrays that do not know the limit (2.x). */
  readonly accessModeLimit: AccessMode;
  readonly mappings: readonly Mapping[];
  readonly mappedToAllSdcs: boolean;
}

/** An entry of the list of all volumes: just what List, the reconciler and Get of many need. */
export type ListedVolume = ArrayVolume;

export interface Sdc {
  readonly id: SdcId;
  readonly name: string | null;
  readonly guid: string | null;
  readonly ip: string | null;
  readonly approved: boolean;
  /** unknown: the array does not say, or contradicts itself. */
  readonly state: HolderState;
  /** As the array says it: Linux, Windows, Esx …; null when unknown. */
  readonly osType: string | null;
}

export interface StoragePool {
  readonly id: StoragePoolId;
  readonly name: string;
  readonly domainId: string;
  readonly domainName: string;
  /** False: new volumes may show old data of others, so they can never be proven blank. */
  readonly zeroPadding: boolean;
}

/** A block device of this host that carries a volume. */
export interface Device {
  /** The stable by-id path, /dev/disk/by-id/emc-vol-<system>-<volume>. */
  readonly path: string;
  /** The kernel's own node behind it, for example /dev/scinia. */
  readonly node: string;
  /** major:minor as mountinfo writes it. */
  readonly number: string;
  readonly sizeBytes: number;
  /**
   * Counts every disk that the kernel has shown since its boot, so it tells two apart that had one number after the
   * other; undefined where the kernel does not tell (before 5.15).
   */
  readonly diskSequence?: string | undefined;
  /**
   * While it is held: where programs open it. Leads to the very node that was identified, whatever the node's path leads to by
   * then, and nowhere any more once it was let go.
   */
  readonly heldPath?: string | undefined;
}
