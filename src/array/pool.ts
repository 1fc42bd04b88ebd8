import type { DeviceId, PoolId, SdsId, SystemId } from './ids.ts';

/** Where new volumes are made. */
export interface StoragePool {
  readonly id: PoolId;
  readonly name: string;
  readonly domainId: string;
  readonly domainName: string;
  /** False: new volumes may show old data of others, so they can never be proven blank. */
  readonly zeroPadding: boolean;
}

/**
 * What the array says about a pool's space. KiB, raw: both copies counted, as its statistics have it. What is degraded,
 * failed or moving is a part of what is used.
 */
export interface PoolCapacity {
  readonly limitKiB: number;
  readonly spareKiB: number;
  readonly usedKiB: number;
  readonly unusedKiB: number;
  /** Provisioned size of thin volumes, whether written or not. */
  readonly thinCommittedKiB: number;
  /** Has no healthy copy: data that cannot be read now. */
  readonly failedKiB: number;
  /** Has one healthy copy. */
  readonly degradedKiB: number;
  readonly inMaintenanceKiB: number;
  /** Room that cannot be reached, because its SDS or device is away. */
  readonly unreachableKiB: number;
  /** Still to be copied to have two copies again. */
  readonly rebuildKiB: number;
  /** Still to be moved until the devices are used evenly. */
  readonly rebalanceKiB: number;
}

/** One storage pool at one moment. */
export interface PoolReading {
  readonly id: PoolId;
  readonly name: string;
  readonly domainId: string;
  readonly domainName: string;
  readonly rebalanceEnabled: boolean;
  readonly capacity: PoolCapacity;
}

/** One SDS at one moment. */
export interface SdsReading {
  readonly id: SdsId;
  readonly name: string;
  readonly domainId: string;
  /** Null where the domain has no fault sets: each SDS may then fail alone. */
  readonly faultSetId: string | null;
  /** Why it cannot be relied on now ("Disconnected", "InMaintenance"); undefined when all is well. */
  readonly trouble: string | undefined;
}

/** One device at one moment. */
export interface DeviceReading {
  readonly id: DeviceId;
  readonly name: string | null;
  readonly sdsId: SdsId;
  /** Null: a device of an acceleration pool, which is in no storage pool. */
  readonly poolId: PoolId | null;
  /** Every path that the array knows it by. */
  readonly paths: readonly string[];
  /** Why it cannot be relied on now ("RemovePending", "Error"); undefined when all is well. */
  readonly trouble: string | undefined;
  readonly limitKiB: number;
}

/** Pools, SDSs and devices as the array described them within one round. */
export interface ClusterReading {
  readonly systemId: SystemId;
  /** Null where it has none. */
  readonly systemName: string | null;
  readonly pools: readonly PoolReading[];
  readonly sdss: readonly SdsReading[];
  readonly devices: readonly DeviceReading[];
}

/** A disk of an SDS that shall become a device of a pool. */
export interface NewDevice {
  readonly poolId: PoolId;
  readonly sdsId: SdsId;
  readonly path: string;
  /** Unique within the SDS, which is how the array refuses the second of two. */
  readonly name: string;
}
