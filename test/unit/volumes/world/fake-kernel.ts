import { FilesystemError } from '../../../../src/errors.ts';
import type { DeviceUsers, Freezer } from '../../../../src/volumes/ports.ts';
import type { VolumeId } from '../../../../src/array/ids.ts';
import type { FakeArray, MappingListener, StoredVolume } from './fake-array.ts';
import type { FilesystemContent } from './content.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface KernelMount {
  readonly mountpoint: string;
  readonly volume: StoredVolume;
  readonly deviceNumber: string;
  readonly options: readonly string[];
  readonly readOnly: boolean;
  /** False: the engine cut the propagation, so the host sees an empty directory. */
  visibleToHost: boolean;
}

/** Anything but a mount at our mountpoint that keeps a device busy. */
interface Hold {
  readonly who: string;
  readonly volume: StoredVolume;
  /** A dying process lets go by itself. */
  readonly untilMs: number;
}

interface Attachment {
  readonly volume: StoredVolume;
  /** Infinity of a device whose news was lost, until the SDC looks again. */
  atMs: number;
  /** Counts the disks that this kernel has shown. */
  readonly disk: number;
  sizeKiB: number;
}

/** A device as this kernel shows it. */
interface ShownDevice {
  readonly number: string;
  readonly diskSequence: string;
  readonly sizeKiB: number;
  readonly volume: StoredVolume;
}

/** One host's kernel: SDC devices, mounts, and what containers hold. Outlives the plugin, not a reboot. */
export class FakeKernel implements MappingListener {
  mounts: KernelMount[] = [];
  /** Mountpoints where some process has a file open: only a lazy unmount takes them away. */
  readonly openFiles = new Set<string>();
  /** Of the holders, those that have the bare device open. */
  readonly rawUsers = new Set<string>();
  /** Whose file systems are frozen (fsfreeze -f). */
  readonly frozen = new Set<StoredVolume>();
  /** Of which this kernel remembers another content than there is. */
  readonly stale = new Set<StoredVolume>();
  /** True: new mounts stay invisible to the host, as after an engine stop under live-restore. */
  cutsPropagation = false;
  /** How long a device takes to appear after the mapping, ms. */
  deviceDelayMs = 5;
  /** Volumes whose kernel device another volume got meanwhile, number and all. */
  readonly swapped = new Map<VolumeId, StoredVolume>();
  /** Volumes whose device never comes. */
  readonly neverArrives = new Set<VolumeId>();
  /** True: the SDC does not hear of what is mapped to it, until it looks by itself. */
  hearsNothing = false;
  readonly #array: FakeArray;
  readonly #clock: VirtualClock;
  readonly #name: string;
  readonly #attachments = new Map<VolumeId, Attachment>();
  #holds: Hold[] = [];
  #disks = 0;
  /** Mounts and holds whose device was pulled. */
  readonly #cutOff = new WeakSet<Hold | KernelMount>();

  constructor(array: FakeArray, clock: VirtualClock, name: string) {
    this.#array = array;
    this.#clock = clock;
    this.#name = name;
  }

  attached(volume: StoredVolume): void {
    this.#disks += 1;
    this.stale.delete(volume);
    const atMs = this.hearsNothing ? Infinity : this.#clock.elapsed();
    this.#attachments.set(volume.id, { volume, atMs, disk: this.#disks, sizeKiB: volume.sizeKiB });
  }

  /** The device is pulled whatever uses it: that is what rule 5 is for. */
  detached(volume: StoredVolume, isFence: boolean): void {
    if (this.holdersOf(volume).length > 0 && !isFence && !this.wasFenced(volume)) {
      this.#array.violations.push(
        `rule 5: "${volume.name}" was unmapped from ${this.#name} while held by ${this.holdersOf(volume).join(', ')}`,
      );
    }
    if (this.isWritable(volume)) markDirty(volume);
    // What used the device sees I/O errors for good, also when the volume comes back.
    for (const use of [...this.#holds, ...this.mounts]) if (use.volume === volume) this.#cutOff.add(use);
    this.#attachments.delete(volume.id);
  }

  /** What this host has read of the device it believes to be there still. */
  overwritten(volume: StoredVolume): void {
    const holders = this.holdersOf(volume);
    if (holders.length > 0 && !this.wasFenced(volume))
      this.#array.violations.push(
        `"${volume.name}" was overwritten while ${this.#name} had it open: ${holders.join(', ')}`,
      );
    this.stale.add(volume);
  }

  /** Set by a test that plays another host's fence, where pulling a used device is the point. */
  wasFenced: (volume: StoredVolume) => boolean = () => false;

  /** The device of a volume when it is there now. */
  device(volumeId: VolumeId): ShownDevice | undefined {
    const attachment = this.#attachments.get(volumeId);
    if (attachment === undefined || this.neverArrives.has(volumeId)) return undefined;
    if (this.#clock.elapsed() < attachment.atMs + this.deviceDelayMs) return undefined;
    const { volume, disk, sizeKiB } = attachment;
    const number = `252:${Number.parseInt(volumeId.slice(8), 16)}`;
    const other = this.swapped.get(volumeId);
    // Even numbers for the disks that came by themselves, odd ones for what is in their place.
    if (other !== undefined) return { number, diskSequence: String(2 * disk + 1), sizeKiB, volume: other };
    return { number, diskSequence: String(2 * disk), sizeKiB, volume };
  }

  /** fsfreeze on what is mounted. Another thaws it after the limit. */
  readonly freezer: Freezer = {
    freeze: async (mountpoint, limitMs) => {
      const volume = this.mountAt(mountpoint)?.volume;
      if (volume === undefined) throw new FilesystemError(`nothing is mounted at "${mountpoint}"`);
      this.frozen.add(volume);
      const ended = new AbortController();
      this.#clock.sleep(limitMs, ended.signal).then(
        () => this.frozen.delete(volume),
        () => undefined,
      );
      return Promise.resolve({
        thaw: () => {
          ended.abort();
          return Promise.resolve(this.frozen.delete(volume));
        },
      });
    },
    thawLeft: () => Promise.resolve(),
  };

  get attachedIds(): VolumeId[] {
    return [...this.#attachments.keys()].filter((id) => this.device(id) !== undefined);
  }

  /** drv_cfg --rescan: the list of volumes and their sizes are read again. */
  rescan(): void {
    for (const attachment of this.#attachments.values()) {
      attachment.sizeKiB = attachment.volume.sizeKiB;
      if (attachment.atMs === Infinity) attachment.atMs = this.#clock.elapsed();
    }
  }

  mountAt(mountpoint: string): KernelMount | undefined {
    return this.mounts.find((mount) => mount.mountpoint === mountpoint);
  }

  /** Whether another device with a file system of the same UUID is mounted, which btrfs does not bear. */
  hasTwinOf({ id, content }: StoredVolume): boolean {
    if (content.kind !== 'filesystem') return false;
    return this.mounts.some(
      ({ volume: other }) =>
        other.id !== id && other.content.kind === 'filesystem' && other.content.uuid === content.uuid,
    );
  }

  /** A container (or process) binds what is mounted there, as runc does; it stays bound whatever happens to the mountpoint. */
  bind(who: string, path: string): void {
    const mount = this.mounts.find(
      ({ mountpoint }) => path === mountpoint || path.startsWith(`${mountpoint}/`),
    );
    if (mount === undefined)
      throw new Error(`${who} would write to the host's disk: nothing is mounted at ${path}`);
    this.hold(who, mount.volume);
    if (this.#cutOff.has(mount)) for (const hold of this.#holds.slice(-1)) this.#cutOff.add(hold);
  }

  /** A process that has the bare device open, as a repair does. */
  openRaw(who: string, volume: StoredVolume): void {
    this.rawUsers.add(who);
    this.hold(who, volume);
  }

  hold(who: string, volume: StoredVolume, untilMs = Infinity): void {
    this.#holds.push({ who, volume, untilMs });
  }

  letGo(who: string): void {
    this.#holds = this.#holds.filter((hold) => hold.who !== who);
  }

  /** Everything in the kernel that uses the device. */
  holdersOf(volume: StoredVolume): string[] {
    const now = this.#clock.elapsed();
    const holds = this.#holds
      .filter((hold) => hold.volume === volume && hold.untilMs > now)
      .map(({ who }) => who);
    const mounts = this.mounts.filter((mount) => mount.volume === volume).map(({ mountpoint }) => mountpoint);
    return [...holds, ...mounts];
  }

  /** Who is seen to use a device: everybody but the plugin's own mounts. */
  readonly deviceUsers: DeviceUsers = {
    usersOf: ({ number }) => {
      const now = this.#clock.elapsed();
      const users = this.#holds
        .filter(({ volume, untilMs }) => this.device(volume.id)?.number === number && untilMs > now)
        .map(({ who }) => ({ kind: this.rawUsers.has(who) ? 'process' : 'mount', what: who }) as const);
      return Promise.resolve(users);
    },
  };

  /** What a container does with its volume; EIO when the device was pulled. */
  write(who: string, file: string, data: string): void {
    this.#opened(who).files.set(file, data);
  }

  read(who: string, file: string): string | undefined {
    return this.#opened(who).files.get(file);
  }

  unmount(mountpoint: string, lazy: boolean): void {
    const mount = this.mountAt(mountpoint);
    if (mount === undefined) return;
    if (this.openFiles.has(mountpoint)) {
      if (!lazy) throw new Error('target is busy');
      this.hold(`open file below ${mountpoint}`, mount.volume);
    }
    this.mounts = this.mounts.filter((other) => other !== mount);
  }

  /** Containers end; what was mounted writable needs a replay. The mapping stays at the array. */
  powerOff(): void {
    for (const { volume } of this.#attachments.values()) {
      if (this.isWritable(volume)) markDirty(volume);
    }
    this.mounts = [];
    this.#holds = [];
    this.openFiles.clear();
  }

  /** Power cut and boot: nothing is mounted or held, and what was mounted writable needs a replay. */
  reboot(): void {
    this.powerOff();
    const again = [...this.#attachments.values()];
    this.#attachments.clear();
    for (const { volume } of again) this.attached(volume);
  }

  isWritable(volume: StoredVolume): boolean {
    return this.holdersOf(volume).length > 0 && volume.accessModeLimit === 'ReadWrite';
  }

  get holderNames(): string[] {
    const now = this.#clock.elapsed();
    return this.#holds.filter(({ untilMs }) => untilMs > now).map(({ who }) => who);
  }

  /** Who has a device that was pulled, and where such a one is mounted. */
  get cutOffNames(): string[] {
    const holds = this.#holds.filter((hold) => this.#cutOff.has(hold)).map(({ who }) => who);
    const mounts = this.mounts.filter((mount) => this.#cutOff.has(mount));
    return [...holds, ...mounts.map(({ mountpoint }) => mountpoint)];
  }

  #opened(who: string): FilesystemContent {
    const hold = this.#holds.find((other) => other.who === who);
    if (hold === undefined) throw new Error(`${who} has no volume`);
    if (this.#cutOff.has(hold) || !this.#attachments.has(hold.volume.id)) throw new Error(`${who}: EIO`);
    if (hold.volume.content.kind !== 'filesystem') throw new Error(`${who}: its file system is gone`);
    return hold.volume.content;
  }
}

function markDirty(volume: StoredVolume): void {
  if (volume.content.kind === 'filesystem') volume.content.dirty = true;
}
