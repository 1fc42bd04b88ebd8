/*
 * What the MDM remembers, as plain data. Records are never changed in place: a change puts a new record, so a record's
 * identity says whether anything about the object changed. Sizes are KiB, as on the wire.
 */

export type AccessMode = 'ReadWrite' | 'ReadOnly' | 'NoAccess';
type VolumeType = 'ThinProvisioned' | 'ThickProvisioned' | 'Snapshot';

export interface Mapping {
  readonly sdcId: string;
  /** 0 = unlimited. */
  readonly limitIops: number;
  /** 0 = unlimited. */
  readonly limitBwInMbps: number;
  readonly accessMode: AccessMode;
}

export interface VolumeRecord {
  readonly id: string;
  readonly name: string | null;
  readonly sizeKiB: number;
  readonly type: VolumeType;
  readonly poolId: string;
  readonly vtreeId: string;
  readonly ancestorId: string | null;
  readonly groupId: string | null;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly useRmcache: boolean;
  readonly compressionMethod: string;
  readonly accessModeLimit: AccessMode;
  readonly volumeClass: string;
  /** The first mapping asked for allowMultipleMappings, which then holds until the volume is unmapped [siolib]. */
  readonly multi: boolean;
  readonly mappedToAll: boolean;
  readonly mappings: readonly Mapping[];
  /** Seconds since 1970 until which a secure snapshot cannot be removed, 0 for none. */
  readonly secureUntil: number;
  /** Data shared with the ancestor when a snapshot was taken; what it holds beyond that is its own. */
  readonly sharedKiB: number;
  /** A snapshot whose data is still being copied; dropped when the simulator starts and finds it so. */
  readonly copyingFrom: string | null;
  /** Its new content lies ready beside its data, and takes the place of it now or when the simulator starts. */
  readonly takesStaged?: true | undefined;
  /** The policy that takes snapshots of it. */
  readonly sourcePolicyId?: string | undefined;
  readonly auto?: AutoSnapshot | undefined;
}

/** What makes a snapshot one of a policy's. */
export interface AutoSnapshot {
  readonly policyId: string;
  readonly groupId: string;
  readonly locked: boolean;
  /** From 1: at which levels the policy counts it. */
  readonly levels: readonly number[];
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** Takes snapshots of its source volumes, and removes those that it took before. */
export interface PolicyRecord {
  readonly id: string;
  readonly name: string | null;
  readonly cadenceMinutes: number;
  /** How many snapshots are kept at each level. */
  readonly retained: readonly number[];
  readonly paused: boolean;
  readonly accessMode: AccessMode;
  readonly secure: boolean;
  /** Times that it has taken snapshots. */
  readonly rounds: number;
  /** Seconds since 1970, 0: not yet. */
  readonly lastAt: number;
  readonly nextAt: number;
  readonly failures: number;
  readonly lastFailureAt: number;
  readonly lastFailure: string | null;
}

export interface SdcRecord {
  readonly id: string;
  readonly name: string | null;
  /** Upper-case UUID. */
  readonly guid: string;
  /** Last known address, null when it never connected. */
  readonly ip: string | null;
  readonly approved: boolean;
  readonly approvedIps: readonly string[];
  readonly osType: string;
  readonly softwareVersion: string | null;
  readonly perfProfile: string;
}

/** A host of 4.x that reaches its volumes over NVMe/TCP; the array lists it among the SDCs and maps volumes to it as to them. */
export interface NvmeHostRecord {
  readonly id: string;
  readonly name: string | null;
  readonly nqn: string;
  /** Its paths to the array. */
  readonly controllers: readonly { readonly id: string; readonly isConnected: boolean | null }[];
}

export type RestrictedSdcMode = 'None' | 'Guid' | 'ApprovedIp';

export interface SystemRecord {
  readonly id: string;
  readonly name: string | null;
  readonly installId: string;
  readonly restrictedSdcMode: RestrictedSdcMode;
  readonly mdmIps: readonly string[];
  /** Seconds since 1970. */
  readonly installedAt: number;
}

/** KB per second that the SDSs of a domain may send for each purpose, 0 = unlimited. */
export interface NetworkLimits {
  readonly rebuild: number;
  readonly rebalance: number;
  readonly vtreeMigration: number;
  readonly overallIo: number;
}

export interface DomainRecord {
  readonly id: string;
  readonly name: string | null;
  readonly active: boolean;
  readonly genType: 'Mirroring' | 'EC';
  /** Missing until they are first set. */
  readonly networkLimits?: NetworkLimits;
}

export interface FaultSetRecord {
  readonly id: string;
  readonly name: string | null;
  readonly domainId: string;
}

export interface PoolRecord {
  readonly id: string;
  readonly name: string | null;
  readonly domainId: string;
  readonly sparePercentage: number;
  readonly zeroPadding: boolean;
  readonly rebuildEnabled: boolean;
  readonly rebalanceEnabled: boolean;
  readonly useRmcache: boolean;
  readonly useRfcache: boolean;
  readonly checksumEnabled: boolean;
  readonly mediaType: string;
  readonly dataLayout: string;
  readonly highThreshold: number;
  readonly criticalThreshold: number;
  /** Raw KiB in use that belong to no volume: how tests fill a pool. */
  readonly fillKiB: number;
}

export interface SdsRecord {
  readonly id: string;
  readonly name: string | null;
  readonly domainId: string;
  readonly faultSetId: string | null;
  readonly ips: readonly { readonly ip: string; readonly role: string }[];
  readonly port: number;
  readonly drlMode: string;
  readonly connected: boolean;
  readonly maintenance: 'InstantMaintenanceMode' | 'ProtectedMaintenanceMode' | false;
}

export interface DeviceRecord {
  readonly id: string;
  readonly name: string | null;
  readonly sdsId: string;
  readonly poolId: string;
  readonly path: string;
  readonly mediaType: string;
  readonly maxKiB: number;
  readonly limitKiB: number;
  readonly removing: boolean;
  /** Neither read nor written any more; what it held is copied anew from elsewhere. */
  readonly failed: boolean;
}

/** A disk of an SDS, whether it is a device of a pool yet or not. */
export interface DiskRecord {
  readonly id: string;
  readonly sdsId: string;
  readonly path: string;
  readonly sizeKiB: number;
  /** What is on it, null when it is blank. */
  readonly holds: string | null;
  /** open: it cannot be opened. write: it can, and then fails. */
  readonly broken: 'open' | 'write' | null;
}

export type MovementKind = 'rebalance' | 'forward-rebuild' | 'backward-rebuild';

/** Data on its way between devices of a pool, at the pool's pace. */
export interface MovementRecord {
  readonly id: string;
  readonly poolId: string;
  readonly kind: MovementKind;
  /** Device or SDS on whose account the data moves. */
  readonly causeId: string;
  readonly totalKiB: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly kibPerSecond: number;
}

/** How the ids of one object type continue: `<prefix + next><next>`, each 8 hex digits. */
export interface SequenceRecord {
  readonly id: string;
  readonly prefix: number;
  readonly next: number;
}
