/*
 * What GET /api/overview answers, version 1 (docs/page.md). Fields may be added within a version; none changes its meaning
 * or goes. Times are ISO 8601, sizes KiB. The page's own scripts are checked against it.
 */

/** How far what is shown can be believed. */
export interface Freshness {
  /** When the array last said so; null before the first time. */
  readonly readAt: string | null;
  /**
   * waiting: not read yet. current. stale: older than it should be, and no failure is known. unreachable: the array could
   * not be read the last time, and what is shown is what it said before.
   */
  readonly state: 'waiting' | 'current' | 'stale' | 'unreachable';
  /** Why it could not be read the last time. */
  readonly failure: string | null;
}

/** A storage pool. Sizes are raw: both copies counted. */
export interface PoolView {
  readonly id: string;
  readonly name: string;
  readonly domain: string;
  readonly limitKiB: number;
  readonly usedKiB: number;
  readonly spareKiB: number;
  readonly unusedKiB: number;
  /** Provisioned size of thin volumes, written or not; may be more than there is. */
  readonly committedKiB: number;
  /** Of what is not spare. */
  readonly usedPercent: number;
  /** unknown: the numbers contradict each other, which `contradiction` says. */
  readonly level: 'ok' | 'warn' | 'critical' | 'unknown';
  readonly contradiction: string | null;
  /** The policy's thresholds in percent; null for a pool that the policy does not name. */
  readonly watched: { readonly warn: number; readonly critical: number } | null;
  /** What is wrong or under way besides the pool's being full, in words. */
  readonly health: readonly string[];
  readonly forecast:
    | { readonly kind: 'unknown'; readonly why: string }
    | { readonly kind: 'steady' }
    | { readonly kind: 'full'; readonly at: string; readonly kibPerDay: number };
  /** Null: nothing goes on. `percent`: done, of the most that was left since this steward saw it begin. */
  readonly rebuild: { readonly leftKiB: number; readonly percent: number } | null;
  /** The same of moving data until the devices are used evenly, as after growth. */
  readonly rebalance: { readonly leftKiB: number; readonly percent: number } | null;
  readonly devices: number;
  /** What the steward would add next, or why it adds nothing now. */
  readonly growth: string | null;
  /** Removed volumes that still take their space, and the size that they have, whether written or not; null: not read yet. */
  readonly trash: { readonly volumes: number; readonly sizeKiB: number } | null;
}

/** A host as the array sees it: its SDC. */
export interface HostView {
  readonly id: string;
  readonly guid: string | null;
  /** The SDC's name, else its address. */
  readonly label: string;
  readonly ip: string | null;
  /** null: the array does not say, as of an NVMe host. */
  readonly isConnected: boolean | null;
  readonly isApproved: boolean;
  readonly version: string | null;
  /** What of these the array does not say now, as of a host that it has lost, and said before. */
  readonly lastKnown: readonly ('label' | 'ip' | 'version')[];
  /** How many of the volumes shown here it holds. */
  readonly volumes: number;
}

/** A disk of a server. */
export interface DeviceView {
  readonly id: string;
  /** Its name, else its path, else its id. */
  readonly name: string;
  readonly path: string | null;
  /** Domain and name; null: one that only makes others faster. */
  readonly pool: string | null;
  /** The array's word for why it cannot be relied on now; null: all is well. */
  readonly trouble: string | null;
  readonly limitKiB: number;
}

/** A server of the array (SDS), which holds devices. */
export interface ServerView {
  readonly id: string;
  readonly name: string;
  readonly domain: string;
  /** The array's word for why it cannot be relied on now; null: all is well. */
  readonly trouble: string | null;
  /** Of all its devices, raw. */
  readonly limitKiB: number;
  readonly devices: number;
  readonly troubledDevices: number;
  /** At most 32, those in trouble first. */
  readonly shownDevices: readonly DeviceView[];
}

/** A host that a volume is mapped to. Where the host mounts it, the array does not know. */
export interface HolderView {
  readonly sdcId: string;
  readonly label: string;
  /** The array does not say the label now, and did before. */
  readonly isLastKnown: boolean;
  readonly ip: string | null;
  /** null: the array does not list this SDC, or does not say. */
  readonly isConnected: boolean | null;
  /** When this steward first saw it so; null: it was so when the steward began to look. */
  readonly since: string | null;
  /** 0: no limit. */
  readonly limitIops: number;
  /** KiB per second, 0: no limit. */
  readonly limitBwKiBs: number;
}

/** A volume of Docker's, or a snapshot that bears the prefix. */
export interface VolumeView {
  readonly id: string;
  /** Docker's name; of a long one the beginning, "~" and the hash, as on the array. */
  readonly name: string;
  readonly pool: string;
  readonly sizeKiB: number;
  readonly createdAt: string | null;
  readonly isReadOnly: boolean;
  readonly isSnapshot: boolean;
  /** Every host may use it; `holders` are then not all. */
  readonly isMappedToAll: boolean;
  readonly holders: readonly HolderView[];
  /** Reads and writes together when the array was last asked, half a minute ago at most on a small one; null: not known. */
  readonly io: { readonly iops: number; readonly kibPerSecond: number } | null;
}

/** In which order volumes are shown; trouble: those first whose host has lost the array, and then by name. */
export type VolumeOrder = 'trouble' | 'name' | 'io' | 'size' | 'newest';

/** Something that happened while the steward looked. */
export interface TimelineEntry {
  /** Unique within one run of the steward. */
  readonly id: string;
  readonly at: string;
  readonly kind:
    | 'takeover'
    | 'moved'
    | 'attached'
    | 'released'
    | 'created'
    | 'removed'
    | 'host-lost'
    | 'host-back'
    | 'growth'
    | 'level'
    | 'sight'
    | 'alert'
    | 'cleanup'
    | 'asked';
  /** Of what the steward itself decided; null for what others did. */
  readonly outcome: 'planned' | 'done' | 'failed' | 'blocked' | null;
  /** For people. */
  readonly text: string;
}

/** A list that is cut off: of `total`, as many as `matching` fit the search, and the first of these are `shown`. */
export interface Shown<T> {
  readonly total: number;
  readonly matching: number;
  readonly shown: readonly T[];
}

/** All that the page shows. */
export interface Overview {
  readonly version: 1;
  /** The steward's clock. */
  readonly at: string;
  /** Changes with anything but times. */
  readonly revision: string;
  readonly systemId: string | null;
  /** Of the array; null where it has none, or was not read yet. */
  readonly systemName: string | null;
  /** False: dry run. */
  readonly acts: boolean;
  /** Beginning of the volumes' names on the array; the page leaves it out. */
  readonly prefix: string;
  /** Where the policy does not fit the array. */
  readonly problems: readonly string[];
  /** Of the pools. */
  readonly space: Freshness;
  /** Of volumes and hosts. */
  readonly inventory: Freshness;
  readonly pools: readonly PoolView[];
  readonly hosts: Shown<HostView> & { readonly disconnected: number };
  readonly servers: Shown<ServerView> & {
    /** Servers that cannot be relied on now. */
    readonly troubled: number;
    readonly devices: number;
    readonly troubledDevices: number;
  };
  readonly volumes: Shown<VolumeView> & {
    readonly attached: number;
    /** Held by a host that has lost the array. */
    readonly atRisk: number;
  };
  /** Newest first. */
  readonly timeline: readonly TimelineEntry[];
}

/** What GET /api/events sends, as event "pulse": every few seconds, and after each reading. */
export type Pulse = Pick<Overview, 'version' | 'at' | 'revision' | 'space' | 'inventory'>;
