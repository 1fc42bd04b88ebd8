import type { HostState } from '../array/host.ts';
import type { ArrayName, HostId, PoolId, VolumeId } from '../array/ids.ts';
import type { Device } from '../attach/attacher.ts';
import type { HostVolume } from './host-volume.ts';
import type { VolumeLabel } from './options/label.ts';
import type { FailoverPolicy, FilesystemType, VolumeName } from './volume.ts';

export type { HostVolume } from './host-volume.ts';

/*
 * What the core needs from the outside. Every method that can wait takes an AbortSignal: when it fires the method
 * stops what it started (requests, child processes) and rejects with CancelledError.
 */

/** What the array called a host. */
export interface KnownHost {
  readonly name: string | null;
  readonly address: string | null;
}

/** What this host last knew of other hosts, for words alone: nothing is decided by it. Implemented by journal/. */
export interface KnownHosts {
  lastKnown(id: HostId): KnownHost | undefined;
  /** Replaces what was known. Never throws, never waits. */
  remember(id: HostId, known: KnownHost): void;
}

export type Probe =
  | { readonly kind: 'blank' }
  | { readonly kind: 'filesystem'; readonly fs: FilesystemType; readonly uuid: string | null }
  /** Anything else that somebody may care for; `what` is for the operator: "LVM2_member", "gpt partition table". */
  | { readonly kind: 'foreign'; readonly what: string };

export interface MakeRequest {
  readonly fs: FilesystemType;
  /** Already checked against the allow-list. */
  readonly options: readonly string[];
}

export interface MountRequest {
  readonly fs: FilesystemType;
  readonly options: readonly string[];
  readonly readOnly: boolean;
}

export interface MountEntry {
  /** major:minor of the device. */
  readonly device: string;
  readonly mountpoint: string;
  /** Path inside the file system that is visible here; '/' unless bind-mounted. */
  readonly root: string;
  readonly fsType: string;
  readonly source: string;
  readonly readOnly: boolean;
}

/** File systems and mounts of this host. Implemented by filesystem/. Rejections: FilesystemError, CancelledError. */
export interface Filesystems {
  /** Low-level look at the device: signatures and partition tables. A read error rejects. */
  probe(device: Device, signal: AbortSignal): Promise<Probe>;
  /** Rejects with FilesystemError that says what was found unless the device holds nothing whatever (rule 3). */
  proveBlank(device: Device, signal: AbortSignal): Promise<void>;
  make(device: Device, request: MakeRequest, signal: AbortSignal): Promise<void>;
  /** Replays or checks what must be before mounting; rejects when the file system needs more than that. */
  check(device: Device, fs: FilesystemType, signal: AbortSignal): Promise<void>;
  /**
   * Gives the file system of a copy, which nobody has mounted, a UUID of its own and reads it back, so that both can be mounted on one host.
   * Its log is replayed before, with a mount at the mountpoint where that takes one; its content stays. May be repeated after a failure.
   * Rejects with DeviceHeldError while something else claims the device.
   */
  renewUuid(device: Device, mountpoint: string, fs: FilesystemType, signal: AbortSignal): Promise<void>;
  /** Makes the guarded mountpoint (rule 9) if needed, ahead of the mount that needs it. Costs nothing once it is there. */
  prepareMountpoint(mountpoint: string): Promise<void>;
  /** Its volume is gone, so the mountpoint is not needed any more: it is taken away some time, not while anything is mounted there. */
  spareMountpoint(mountpoint: string): void;
  /** At the start: takes away the mountpoints that earlier lives left, but for those to be kept and those with a mount. */
  sweepMountpoints(kept: ReadonlySet<string>): Promise<void>;
  /**
   * What this host remembers of the device's content goes, so that the next look reads it: somebody else has changed it. Only while nobody
   * here has it mounted.
   */
  dropCaches(device: Device, signal: AbortSignal): Promise<void>;
  /**
   * Makes the guarded mountpoint (rule 9) if needed and mounts. Already this device there is success. Rejects with FrozenError, nothing
   * mounted, when the kernel had its file system in use and frozen.
   */
  mount(device: Device, mountpoint: string, request: MountRequest, signal: AbortSignal): Promise<void>;
  /** Grows the mounted file system to its device; true when it grew. Cheap when there is nothing to do. */
  grow(device: Device, mountpoint: string, fs: FilesystemType, signal: AbortSignal): Promise<boolean>;
  /** Bytes that the mounted file system gave back to its device; 0 where the device cannot take them. */
  trim(mountpoint: string, signal: AbortSignal): Promise<number>;
  /**
   * Whether the file system of the device, mounted there, is frozen (fsfreeze -f). Only looks, and does not wait. False also where that
   * cannot be seen.
   */
  isFrozen(device: Device, mountpoint: string, signal: AbortSignal): Promise<boolean>;
  /** Not mounted is success. Lazy detaches at once even when busy. */
  unmount(mountpoint: string, how: { lazy: boolean }, signal: AbortSignal): Promise<void>;
  /** Every mount below the mount root, as the kernel says now. */
  mounts(): Promise<MountEntry[]>;
  /** Rule 5: false only when the device could be opened exclusively, so nothing in the kernel holds it. */
  isHeld(device: Device): Promise<boolean>;
  /**
   * Rule 9: rejects unless the host, from its side of the propagation, sees this device at this mountpoint.
   */
  assertVisibleToHost(device: Device, mountpoint: string): Promise<void>;
  /** Sets owner and mode of the root (and of subpath, made if missing), removes lost+found. */
  prepareRoot(
    mountpoint: string,
    root: { uid: number | undefined; gid: number | undefined; mode: number | undefined; subpath: string },
    signal: AbortSignal,
  ): Promise<void>;
  /** Rejects unless subpath is a real directory below the mountpoint, reached without symbolic links. */
  resolveSubpath(mountpoint: string, subpath: string): Promise<string>;
  writeLabel(mountpoint: string, label: VolumeLabel, signal: AbortSignal): Promise<void>;
  /**
   * Undefined when there is none. Rejects with NewerVersionError for one that only a newer plugin may honour, with
   * FilesystemError for one that cannot be read: never as if there were none (rule 19).
   */
  readLabel(mountpoint: string, signal: AbortSignal): Promise<VolumeLabel | undefined>;
  /** The mountpoint for an array name, below the mount root. */
  mountpointOf(name: ArrayName): string;
}

/** A mounted file system that is still: all that was written is on its device, and who writes waits. */
export interface FrozenMount {
  /** Resolves when writes go on. False: somebody had thawed it before, so that nobody knows for how long it was still. Never rejects. */
  thaw(): Promise<boolean>;
}

/** Keeps file systems of this host still for a moment. Implemented by filesystem/. */
export interface Freezer {
  /**
   * Freezes what is mounted there (FIFREEZE). It is thawed after `limitMs` at the latest, also when this process is killed meanwhile.
   * Rejects with FilesystemError or CancelledError; nothing stays frozen then.
   */
  freeze(mountpoint: string, limitMs: number, signal: AbortSignal): Promise<FrozenMount>;
  /** Thaws what an earlier life of this plugin has frozen and not thawed. */
  thawLeft(): Promise<void>;
}

/** A volume this host has seen: what Get answers from when the gateway is away, and full names for List. */
export interface KnownVolume {
  readonly name: VolumeName;
  readonly arrayName: ArrayName;
  readonly volumeId: VolumeId;
  readonly sizeKiB: number | null;
  /** Null of a volume that only the journal tells of, or where the array does not say. */
  readonly createdAtSeconds: number | null;
  readonly poolId: PoolId | null;
  readonly readOnly: boolean;
  readonly label: VolumeLabel | undefined;
}

/**
 * What this host has mounted, for whom, and what it is in the middle of. Implemented by journal/. A change is on disk
 * (fsynced) when its promise resolves. Entries of an earlier boot have lost their holders.
 */
export interface Journal {
  get(name: string): HostVolume | undefined;
  all(): readonly HostVolume[];
  /**
   * Milliseconds since the `since` of this entry last changed, by the clock that cannot be set; of an entry of an earlier life,
   * since this one began. Infinity when there is no such entry.
   */
  ageMs(name: string): number;
  put(entry: HostVolume): Promise<void>;
  delete(name: string): Promise<void>;
  known(name: string): KnownVolume | undefined;
  allKnown(): readonly KnownVolume[];
  /** Remembered in memory at once, on disk soon (losing it costs a look-up, never data). */
  remember(volume: KnownVolume): void;
  forget(name: string): void;
  /** True when the file on disk could not be used, so the truth must be rebuilt from mountinfo and the array. */
  readonly mustRebuild: boolean;
  /** The truth has been rebuilt: mustRebuild becomes false, also for the next start. */
  rebuilt(): Promise<void>;
}

/** Who took what from whom, and why: the audit record of one fence. */
export interface FenceRecord {
  /** ISO 8601. */
  readonly at: string;
  /** The volume's name. */
  readonly volume: string;
  readonly volumeId: VolumeId;
  /** Who took it: the SDC of the new host, or who forced it; and its name and address for people. */
  readonly by: string;
  readonly byName: string;
  /** SDC that lost it, and its name and address for people. */
  readonly from: string;
  readonly fromName: string;
  readonly policy: FailoverPolicy | 'forced';
  /** The holder when it was decided. */
  readonly holderState: HostState;
  /**
   * The volume's last I/O as the array counted it when it was decided: operations in its measuring interval, with the
   * policy "idle" all that were seen in the idle window. Null of a holder that had lost the array, which does none.
   */
  readonly recentIo: number | null;
  /** From the first look at the holder to the end of the fence. */
  readonly durationMs: number;
  /**
   * late: another host, or the one that lost it, mapped it in the same moment. failed: the holder still has it. unknown: no gateway said
   * whether it happened.
   */
  readonly outcome: 'taken' | 'late' | 'failed' | 'unknown';
}

/** Where fences are recorded and looked up; survives a restart. Implemented by journal/. */
export interface FenceLog {
  /** Keeps the record and writes one log line. Never fails, so that no takeover stops half-way for want of a record. */
  record(fence: FenceRecord): void;
  /**
   * Fences of one volume by this host, oldest first, but for those that are known to be older than windowMs. Those of this
   * life by the clock that cannot be set; those of an earlier one by what they say, and one from the future counts as recent.
   */
  recentOf(volumeId: string, windowMs: number): readonly FenceRecord[];
  /** The volume's last fence that was done by this host or forced by hand from it. Never rejects. */
  latest(volumeId: string): Promise<FenceRecord | undefined>;
}

/** Something on this host that uses a block device. */
export interface DeviceUser {
  /** process: has it open or mapped. mount: has its file system mounted. kernel: holds it without a process. hidden: may not be looked at. */
  readonly kind: 'process' | 'mount' | 'kernel' | 'hidden';
  readonly pid?: number | undefined;
  readonly program?: string | undefined;
  readonly containerId?: string | undefined;
  /** What it does with the device, as it follows the name: "has it open". */
  readonly what: string;
}

/** Who uses devices of this host, in every mount namespace. Implemented by device-users/. */
export interface DeviceUsers {
  /**
   * Everybody who uses the device, but this process and what it mounted at `ownMountpoint`. A process that cannot be looked at
   * counts as a user, so an empty answer means nobody. Rejects with FilesystemError when this host's processes cannot be seen at all.
   */
  usersOf(
    device: Pick<Device, 'node' | 'number'>,
    ownMountpoint: string,
    signal: AbortSignal,
  ): Promise<readonly DeviceUser[]>;
}

/** That one plugin alone serves an array with a prefix on this host, whatever its directories. Implemented by journal/. */
export interface SoleServer {
  /** Takes the key for this process until it ends; answers who else has it, undefined when nobody. Never rejects. */
  claim(key: string): Promise<string | undefined>;
}

/** Whether this host has joined the storage, for those who fail because it has not. Implemented by join/. */
export interface HostReadiness {
  /** Why this host cannot use the array and what to do, as it follows "; "; undefined when nothing is known against it. */
  problem(): string | undefined;
  /** Something failed as if this host were not known, not approved or not connected: look at it soon. */
  doubt(): void;
}

/** A restore that a crash has cut short and nobody may repeat: what the volume holds a person must look at. */
export interface DroppedRestore {
  /** ISO 8601. */
  readonly at: string;
  readonly volume: string;
  readonly volumeId: VolumeId;
  /** Which it was to be like, and which holds what there was before. */
  readonly snapshot: string;
  readonly keptAs: string;
  readonly why: string;
}

/** What was dropped, until the volume is restored again or removed. Survives a restart. Implemented by journal/. */
export interface DroppedRestores {
  /** Oldest first. Never rejects: none where nothing is written or what is there cannot be understood. */
  all(): Promise<readonly DroppedRestore[]>;
  /** In place of what stands there of the volume. Rejects with FilesystemError. */
  add(dropped: DroppedRestore): Promise<void>;
  /** Rejects with FilesystemError. */
  forget(volumeId: VolumeId): Promise<void>;
}

/** What was written before a volume is attached to be looked at, so that a look that was killed can be ended. */
export interface InspectionRecord {
  read(): Promise<{ readonly volumeId: string; readonly arrayName: string } | undefined>;
  write(record: { readonly volumeId: string; readonly arrayName: string }): Promise<void>;
  remove(): Promise<void>;
}
