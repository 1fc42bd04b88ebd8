import type { StoragePoolId, SystemId } from '../volumes/volume.ts';

/** Ids as the array gives them; branded so that one kind cannot be handed where another is meant. */
declare const brand: unique symbol;
type Id<Kind extends string> = string & { readonly [brand]: Kind };

/** 16 lower-case hex digits of an SDS, a server that holds devices. */
export type SdsId = Id<'sds'>;
/** 16 lower-case hex digits of a device, one disk of an SDS in a pool. */
export type DeviceId = Id<'device'>;

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
  readonly id: StoragePoolId;
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
  readonly poolId: StoragePoolId;
  /** Every path that the array knows it by. */
  readonly paths: readonly string[];
  /** Why it cannot be relied on now ("RemovePending", "Error"); undefined when all is well. */
  readonly trouble: string | undefined;
  readonly limitKiB: number;
}

/** Pools, SDSs and devices as the array described them within one round. */
export interface ClusterReading {
  readonly systemId: SystemId;
  readonly pools: readonly PoolReading[];
  readonly sdss: readonly SdsReading[];
  readonly devices: readonly DeviceReading[];
}

/** A disk of an SDS that shall become a device of a pool. */
export interface NewDevice {
  readonly poolId: StoragePoolId;
  readonly sdsId: SdsId;
  readonly path: string;
  /** Unique within the SDS, which is how the array refuses the second of two. */
  readonly name: string;
}

/**
 * The array as the steward needs it. Implemented by gateway/. Rejections: GatewayUnavailableError, GatewayAuthError,
 * GatewayRejectedError, CancelledError.
 */
export interface CapacityArray {
  /** Five calls, whatever the number of pools, SDSs and devices; one more per pool where the array wants it so. */
  readCluster(signal: AbortSignal): Promise<ClusterReading>;
  /**
   * One call. Never takes a disk over: one that holds something is refused by the array. A device of this name on this
   * SDS, whoever added it, makes it reject with GatewayRejectedError 206 (name) or 0 (path).
   */
  addDevice(device: NewDevice, signal: AbortSignal): Promise<DeviceId>;
}

/** Time as the steward needs it: intervals must not follow a wall clock that jumps. */
export interface StewardClock {
  /** Milliseconds since 1970; for people and timestamps only. */
  now(): number;
  /** Milliseconds since some moment; only ever grows. */
  elapsed(): number;
  /** Resolves after ms; rejects with CancelledError at the signal. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Random lower-case hex digits. */
  randomHex(digits: number): string;
}

/** What was decided about whom, and what came of it. One shape for all actions, in the log and in memory. */
export interface AuditRecord {
  /** ISO 8601. */
  readonly at: string;
  readonly action: 'alert' | 'grow' | 'remove-volume' | 'unmap';
  /** What it was done to, for people: 'pool "pd1/sp1"'. */
  readonly target: string;
  /** planned: the policy does not let the steward act (dry run). blocked: it would be wrong now. */
  readonly outcome: 'planned' | 'done' | 'failed' | 'blocked';
  readonly why: string;
}

/** What was to be told, whether or not anybody is told. */
export interface News {
  /** ISO 8601. */
  readonly at: string;
  /** level: of a pool. sight: the array cannot be read for long, or can again. */
  readonly kind: 'level' | 'sight';
  readonly level: 'ok' | 'warn' | 'critical' | 'unknown';
  /** For people. */
  readonly text: string;
}

/** One thing that hosts which are gone have left on the array. */
export interface CleanupFinding {
  readonly action: 'remove-volume' | 'unmap';
  /** For people: 'volume "~new.…" (…)'. */
  readonly target: string;
  /** watched: not seen often and long enough. due: next, or only told in a dry run. kept: something speaks against it. */
  readonly state: 'watched' | 'due' | 'kept' | 'set aside';
  readonly why: string;
}

export interface CleanupStatus {
  /** Why nothing can be concluded now; the findings are the last ones. */
  readonly problem: string | null;
  readonly findings: readonly CleanupFinding[];
}

/** What else a round of the steward does. Implemented by cleanup/. */
export interface Cleaning {
  readonly status: CleanupStatus;
  /** One step at most. Never rejects for anything the array does, or for the signal: that is a state. */
  round(signal: AbortSignal): Promise<void>;
  /** The array cannot be read, so nothing is seen in a row any more. */
  lostSight(): void;
}

/** Where a signed request goes. */
export interface WebhookTarget {
  readonly url: string;
  /** File with the key that requests are signed with; read each time, so that a changed key takes effect. */
  readonly secretFile: string;
  /** For the whole exchange, ms. */
  readonly timeoutMs: number;
}

/** Sends signed requests. Implemented by webhook/. */
export interface Webhooks {
  /**
   * Posts the payload as JSON once and hands back what was answered. Rejects with WebhookError for anything but a 2xx in time,
   * and with CancelledError at the signal.
   */
  post(target: WebhookTarget, payload: object, signal: AbortSignal): Promise<string>;
}
