import type { CopyRequest, FamilyUsage, SnapshotPolicy, VolumeIo } from './copies.ts';
import type { ArrayHost } from './host.ts';
import type { ArrayName, DeviceId, FamilyId, HostId, PolicyId, PoolId, SystemId, VolumeId } from './ids.ts';
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
  /**
   * Removes this volume alone, never descendants. A volume that is gone already is success. Refused as 'still-attached', as
   * 'policy-source' while a policy takes snapshots of it, as 'locked' while it is a secured snapshot.
   */
  removeVolume(id: VolumeId, signal: AbortSignal): Promise<void>;
  /** Limits the volume itself to reading; rejects with InvalidRequestError where the array lacks the readOnlyLimit. */
  limitToReadOnly(id: VolumeId, signal: AbortSignal): Promise<void>;
  /** A snapshot of the volume's present content under its own name, writable; otherwise as VolumeCopies.snapshotVolumes. */
  snapshotVolume(id: VolumeId, name: ArrayName, signal: AbortSignal): Promise<VolumeId>;
  /** KiB, a multiple of the grain. */
  growVolume(id: VolumeId, sizeKiB: number, signal: AbortSignal): Promise<void>;
}

/** Copies of volumes within the array. A snapshot and a clone are one thing to it: a volume of the same family. */
export interface VolumeCopies {
  /**
   * Snapshots of all these volumes, all of the same instant, or none; their ids in the order asked for. Before 3.0 access does not exist:
   * what is asked for as ReadOnly is a plain, writable snapshot there, to be told from the readOnlyLimit. Rejects with
   * InvalidRequestError: secureForMinutes where the array has no secureSnapshots, or not whole minutes within
   * LONGEST_SECURED_MINUTES; no copies. Refused as 'name-in-use', as 'family-full', as 'volume-unknown'; CapacityError: no room.
   * Two calls more for each copy where the answer got lost.
   */
  snapshotVolumes(request: CopyRequest, signal: AbortSignal): Promise<readonly VolumeId[]>;
  /**
   * Gives the target all of the source's content and its size; the source stays as it is, and so do all others of the family. Nothing
   * shows whether it has happened: a lost answer is met by doing it again, which is harmless only while nobody writes to either, and
   * whoever gets a rejection must count on it to happen later. So the caller holds the target (rule 1). Refused as 'other-family',
   * as 'locked' (the target is a secured snapshot, or one that a policy keeps), as 'volume-unknown'.
   */
  overwriteContent(target: VolumeId, source: VolumeId, signal: AbortSignal): Promise<void>;
  /** Takes the limit of limitToReadOnly away; rejects with InvalidRequestError where the array lacks the readOnlyLimit. */
  allowWriting(id: VolumeId, signal: AbortSignal): Promise<void>;
  /**
   * How many snapshots a family may hold beside the volume at its root. One call the first time, none later; where the array does not
   * say, what its generation is known for.
   */
  familyLimit(signal: AbortSignal): Promise<number>;
}

/** Snapshots that the array takes by itself; only where it has snapshotPolicies. */
export interface SnapshotPolicies {
  /** All that there are; none, without a call, where the array cannot have any. */
  listSnapshotPolicies(signal: AbortSignal): Promise<readonly SnapshotPolicy[]>;
  /** By its exact name. Rejects with InvalidRequestError: unknown (names the nearest), or the array has no policies (names the version). */
  findSnapshotPolicy(name: string, signal: AbortSignal): Promise<SnapshotPolicy>;
  /**
   * The policy takes snapshots of the volume from now on. Done already is success. Refused as 'family-has-source' when a policy has
   * another volume of the family; and this volume, when another policy has it.
   */
  addPolicySource(policyId: PolicyId, volumeId: VolumeId, signal: AbortSignal): Promise<void>;
  /**
   * No more of them. Those that it took stay, and no policy removes them from then on ('Detach', never 'Remove'). Not a source of this
   * policy (or no such volume) is success.
   */
  removePolicySource(policyId: PolicyId, volumeId: VolumeId, signal: AbortSignal): Promise<void>;
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
  /**
   * iops 0 or at least 11; bandwidth KiB/s 0 or a multiple of 1024. 0 lifts a limit, undefined leaves it. One call, two to lift both
   * (of which the first has happened when the second fails), none for neither.
   */
  limitAttachment(
    target: { volumeId: VolumeId; hostId: HostId },
    limits: { iops?: number | undefined; bandwidthKiBps?: number | undefined },
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
  /**
   * What goes on at each of these volumes, or at all, in one call; none for no ids. Those that are gone are left out, which is one call
   * more.
   */
  ioOf(ids: readonly VolumeId[] | 'all', signal: AbortSignal): Promise<ReadonlyMap<VolumeId, VolumeIo>>;
  /**
   * What these families hold on the disks, in one call; none for no ids. The array counts by family: what one snapshot of several holds
   * nobody can tell. Those that are gone are left out, which is one call more.
   */
  usageOfFamilies(ids: readonly FamilyId[], signal: AbortSignal): Promise<ReadonlyMap<FamilyId, FamilyUsage>>;
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
  extends
    SystemIdentity,
    VolumeCatalog,
    VolumeChanges,
    VolumeCopies,
    SnapshotPolicies,
    Attachments,
    VolumeActivity,
    Hosts,
    Pools {}

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
