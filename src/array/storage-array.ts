import type { ArrayHost } from './host.ts';
import type { ArrayName, DeviceId, HostId, PoolId, SystemId, VolumeId } from './ids.ts';
import type { ClusterReading, NewDevice, StoragePool } from './pool.ts';
import type { ArrayIdentity, DescribedSystem } from './system.ts';
import type { ArrayVolume, AttachmentRequest, NewVolume } from './volume.ts';

/*
 * The array as seen through its gateway, by role: who works with the array takes the roles that it needs. Implemented by
 * gateway/. One method is one gateway call unless its comment says otherwise; a reply that got lost is resolved by
 * looking, so the methods may be trusted to have happened when they return and, for changes, costs more calls only then.
 * Every method takes an AbortSignal: when it fires the method ends its requests and rejects with CancelledError.
 * Other rejections: GatewayUnavailableError, GatewayAuthError, GatewayRejectedError (its `refusal` says what the caller
 * can do), CapacityError.
 */

/** Which array this is. */
export interface SystemIdentity {
  /** Cached after the first call. */
  identity(signal: AbortSignal): Promise<ArrayIdentity>;
}

/** Finding and reading volumes. */
export interface VolumeCatalog {
  /** Id of the volume with exactly this name, undefined when there is none. */
  findVolumeId(name: ArrayName, signal: AbortSignal): Promise<VolumeId | undefined>;
  /** Undefined when there is none with this id. */
  getVolume(id: VolumeId, signal: AbortSignal): Promise<ArrayVolume | undefined>;
  /** Those of the ids that exist, in one call (two when one of them is gone and the array refuses the whole query). */
  getVolumes(ids: readonly VolumeId[], signal: AbortSignal): Promise<ArrayVolume[]>;
  /**
   * Every volume whose name passes, in one call; never blocks the event loop for more than 50 ms, whatever the
   * array holds.
   */
  listVolumes(passes: (name: string) => boolean, signal: AbortSignal): Promise<ArrayVolume[]>;
  /**
   * What `pick` makes of the name of every volume that has one, without the undefined; as listVolumes otherwise, and
   * with less work for those who want no more than names.
   */
  listVolumeNames<T>(pick: (name: string) => T | undefined, signal: AbortSignal): Promise<T[]>;
  /** The volume, or snapshot, and all that share its origin. Rejects with GatewayUnavailableError where the array did not say which those are. */
  volumesOfFamily(member: Pick<ArrayVolume, 'id' | 'familyId'>, signal: AbortSignal): Promise<ArrayVolume[]>;
}

/** Making, changing and removing volumes. */
export interface VolumeChanges {
  /** Refused as 'name-in-use' when the name is taken by a volume that this call did not make. */
  createVolume(volume: NewVolume, signal: AbortSignal): Promise<VolumeId>;
  /** Refused as 'name-in-use' when the new name is taken. */
  renameVolume(id: VolumeId, name: ArrayName, signal: AbortSignal): Promise<void>;
  /** Removes this volume alone, never descendants. A volume that is gone already is success. Refused as 'still-attached'. */
  removeVolume(id: VolumeId, signal: AbortSignal): Promise<void>;
  /** Limits the volume itself to reading; rejects with InvalidRequestError where the array lacks the readOnlyLimit. */
  limitToReadOnly(id: VolumeId, signal: AbortSignal): Promise<void>;
  /** A snapshot of the volume's present content under its own name. */
  snapshotVolume(id: VolumeId, name: ArrayName, signal: AbortSignal): Promise<VolumeId>;
  /** KiB, a multiple of the grain. */
  growVolume(id: VolumeId, sizeKiB: number, signal: AbortSignal): Promise<void>;
}

/** Which host may use which volume. */
export interface Attachments {
  /**
   * Exclusive unless readOnly. Already attached to this host is success. Refused as 'held-by-another' when another host
   * has it, as 'host-unknown' when the array does not know this one. A volume whose first holder let others share it is
   * shared until nobody has it, also with a host that asks to have it alone: who must be alone looks first.
   */
  attachVolume(request: AttachmentRequest, signal: AbortSignal): Promise<void>;
  /** Takes the volume from this one host. Not attached (or no such volume) is success. Never any other host. */
  detachVolume(id: VolumeId, hostId: HostId, signal: AbortSignal): Promise<void>;
  /** iops 0 or at least 11; bandwidth KiB/s 0 or a multiple of 1024; at least one not 0. */
  limitAttachment(
    target: { volumeId: VolumeId; hostId: HostId },
    limits: { iops: number; bandwidthKiBps: number },
    signal: AbortSignal,
  ): Promise<void>;
  /** Volumes attached to one host. */
  volumesOfHost(hostId: HostId, signal: AbortSignal): Promise<ArrayVolume[]>;
}

/** What is going on at a volume. */
export interface VolumeActivity {
  /**
   * I/O operations on the volume in the array's present measuring interval, whoever did them. Rejects rather than
   * answer 0 when the array does not say.
   */
  recentIo(id: VolumeId, signal: AbortSignal): Promise<number>;
}

/** The hosts that the array knows. */
export interface Hosts {
  /** Undefined when the array does not know this GUID. */
  findHost(guid: string, signal: AbortSignal): Promise<ArrayHost | undefined>;
  /** One call more for an NVMe host, whose state stands elsewhere. */
  getHost(id: HostId, signal: AbortSignal): Promise<ArrayHost | undefined>;
}

/** Storage pools, as new volumes need them. */
export interface Pools {
  /**
   * The pool for new volumes: by id or name, in a protection domain given by id or name; undefined means the array
   * has exactly one. Cached: no call, one when that is old, both lists when nothing is known or the pool is not found.
   * Rejects with InvalidRequestError: unknown (names the nearest), ambiguous (names the domains).
   */
  findPool(
    wanted: { pool: string | undefined; domain: string | undefined },
    signal: AbortSignal,
  ): Promise<StoragePool>;
  /** Names of a pool by id, from the cache however old it is; at most two calls when it is not there. */
  describePool(id: PoolId, signal: AbortSignal): Promise<StoragePool | undefined>;
  /** Raw KiB, both copies: what is used now of what may be used, the spare left out. */
  poolUsage(id: PoolId, signal: AbortSignal): Promise<{ usedKiB: number; roomKiB: number }>;
}

/** All that the life of volumes on one host needs of the array. */
export interface StorageArray
  extends SystemIdentity, VolumeCatalog, VolumeChanges, Attachments, VolumeActivity, Hosts, Pools {}

/** Lists of all there is, ours or not, one call each, for those who watch over the whole of it. */
export interface Inventory {
  /** Also rejects with GatewayUnavailableError for an answer of which a part cannot be understood. */
  readVolumes(signal: AbortSignal): Promise<readonly ArrayVolume[]>;
  /** As readVolumes. NVMe hosts stand among them from 4.0 on; their state is unknown here. */
  readHosts(signal: AbortSignal): Promise<readonly ArrayHost[]>;
  /** Name, else address, of a host that the array listed before, whether or not it does now; where somebody remembers. */
  readonly formerly?: (id: HostId) => string | undefined;
}

/** Pools, servers and disks: the array's space, and the one way in which it grows. */
export interface ClusterSpace {
  /** Five calls, whatever the number of pools, SDSs and devices; one more per pool where the array wants it so. */
  readCluster(signal: AbortSignal): Promise<ClusterReading>;
  /**
   * Never takes a disk over: one that holds something is refused by the array. A device of this name or path on this
   * SDS, whoever added it, is refused as 'disk-taken'.
   */
  addDevice(device: NewDevice, signal: AbortSignal): Promise<DeviceId>;
}

/** How hosts register at the array. */
export interface HostRegistry extends Pick<Hosts, 'findHost'> {
  /** Cached after the first call. */
  identity(signal: AbortSignal): Promise<{ readonly systemId: SystemId }>;
  describeSystem(signal: AbortSignal): Promise<DescribedSystem>;
  /** Lets the host with this GUID in; false when it was approved already and nothing has changed. */
  approveHost(guid: string, addresses: readonly string[], signal: AbortSignal): Promise<boolean>;
  /** The addresses from which an approved host may report, in mode ApprovedIp. */
  setApprovedAddresses(id: HostId, addresses: readonly string[], signal: AbortSignal): Promise<void>;
  /** False when another host has the name. */
  renameHost(id: HostId, name: string, signal: AbortSignal): Promise<boolean>;
}
