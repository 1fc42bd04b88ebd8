import type { StorageArray } from '../array/storage-array.ts';
import type { ArrayVolume } from '../array/volume.ts';
import type { Attacher } from '../attach/attacher.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log, Trace } from '../runtime/log.ts';
import type { DeviceUsers, DroppedRestores, FenceLog, Filesystems, HostReadiness, Journal } from './ports.ts';
import type { OwnIdentity } from './identity.ts';
import type { FailoverPolicy } from './volume.ts';

export type { HostIdentity } from './identity.ts';

/** When a volume may be taken from another host. Times in milliseconds. */
export interface TakeoverPolicy {
  /** How long a holder that is alive may take to let go by itself (rolling update, drain). */
  readonly graceMs: number;
  /** Between looks at such a holder. */
  readonly pollMs: number;
  /** No I/O for so long counts as idle. */
  readonly idleWindowMs: number;
  /** So many takeovers of one volume by this host within the window, and no more. */
  readonly moveLimit: number;
  readonly moveWindowMs: number;
}

/** Decisions of the operator that the core follows. Times in milliseconds. */
export interface VolumePolicy {
  /** Separates our volumes from the array's other users. */
  readonly prefix: string;
  /** New volumes are refused while their pool is fuller, percent; undefined: never. */
  readonly refuseAbovePercent: number | undefined;
  /** Of volumes that have none of their own. */
  readonly failover: FailoverPolicy;
  readonly takeover: TakeoverPolicy;
  /** How long a mount stays that nobody claims any more, for a repeated call to pick up. */
  readonly abandonedMountMs: number;
  /**
   * How long after the plugin's start a mount stays whose only holders are of earlier lives, for a client that starts, too, to
   * ask for it again; then the kernel says whether it is used.
   */
  readonly inheritedMountMs: number;
  /** How long to try again while something else on this host claims a device that is to be formatted or mounted. */
  readonly heldWaitMs: number;
  /** How long to wait for a kernel that still holds a device just unmounted. */
  readonly releaseWaitMs: number;
  /** Budget of the clean-up after a failure, on top of the call's own deadline. */
  readonly cleanupMs: number;
  /** How long a removed volume can be had back, counted from its Remove; 0: not at all. */
  readonly removeGraceMs: number;
  /** For how long a request that got no answer may still be carried out by a gateway. */
  readonly lateMs: number;
}

/** Everything the use cases work with; built once by the composition root. */
export interface VolumeHost {
  readonly array: StorageArray;
  readonly attacher: Attacher;
  readonly filesystems: Filesystems;
  readonly journal: Journal;
  readonly fences: FenceLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly trace: Trace;
  readonly policy: VolumePolicy;
  readonly identity: Identity;
  readonly readiness: HostReadiness;
  readonly deviceUsers: DeviceUsers;
  /** Ids of volumes that this run unmapped and could not record so, because the disk took no more. */
  readonly releasedUnrecorded: Set<string>;
  readonly markers: FailoverMarkers;
  readonly droppedRestores: DroppedRestores;
}

/** Whether the array still tells the failover policies of volumes mounted here; as MarkerWatch promises. */
export interface FailoverMarkers {
  isDue(): boolean;
  stateOf(volumeId: string): 'there' | 'missing' | undefined;
  look(mapped: readonly ArrayVolume[], signal: AbortSignal): Promise<string[]>;
}

/** Who this host is to the array. */
export type Identity = Pick<OwnIdentity, 'current' | 'doubt' | 'forget' | 'last' | 'look' | 'see'>;
