import {
  CancelledError,
  DeviceHeldError,
  FilesystemError,
  FrozenError,
  NewerVersionError,
} from '../../../../src/errors.ts';
import { readLabel, type VolumeLabel } from '../../../../src/volumes/options/label.ts';
import type {
  Filesystems,
  MakeRequest,
  MountEntry,
  MountRequest,
  Probe,
} from '../../../../src/volumes/ports.ts';
import type { ArrayName } from '../../../../src/array/ids.ts';
import type { ArrayVolume } from '../../../../src/array/volume.ts';
import type { Device } from '../../../../src/attach/attacher.ts';
import type { FilesystemType } from '../../../../src/volumes/volume.ts';
import { newFilesystem, newUuid, type FilesystemContent } from './content.ts';
import type { FakeArray, StoredVolume } from './fake-array.ts';
import type { FakeKernel, KernelMount } from './fake-kernel.ts';
import { volumeIdOfPath } from './fake-sdc.ts';
import type { VirtualClock } from './virtual-clock.ts';

const MOUNT_ROOT = '/run/volumes';
/** How long a mkfs whose plugin was killed goes on, ms. */
const MKFS_MS = 100;

interface Parts {
  readonly kernel: FakeKernel;
  readonly array: FakeArray;
  readonly clock: VirtualClock;
  readonly hostName: string;
  /** Stops here when the life dies in the middle of a step. */
  readonly midway: (method: string) => Promise<void>;
}

/** File systems and mounts of one host over the fake kernel; throws plain errors on what no caller may do. */
export class FakeFilesystems implements Filesystems {
  readonly #parts: Parts;
  readonly #provenBlank = new Set<StoredVolume>();

  /** Made ahead, and not spared yet. */
  readonly mountpoints = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  probe(device: Device, signal: AbortSignal): Promise<Probe> {
    return attempt(signal, () => {
      const { content } = this.#volume(device);
      if (content.kind === 'filesystem') return { kind: 'filesystem', fs: content.fs, uuid: content.uuid };
      if (content.kind === 'torn') return { kind: 'foreign', what: 'half of a file system' };
      return content;
    });
  }

  proveBlank(device: Device, signal: AbortSignal): Promise<void> {
    return attempt(signal, () => {
      const volume = this.#volume(device);
      if (volume.content.kind !== 'blank') throw new FilesystemError(`device holds ${volume.content.kind}`);
      this.#provenBlank.add(volume);
    });
  }

  async make(device: Device, request: MakeRequest, signal: AbortSignal): Promise<void> {
    const { kernel, array, clock, hostName } = this.#parts;
    const volume = await attempt(signal, () => this.#volume(device));
    if (
      !volume.name.startsWith('~new.') ||
      !this.#provenBlank.has(volume) ||
      volume.content.kind !== 'blank'
    ) {
      array.violations.push(
        `rule 3: ${hostName} formats "${volume.name}", which holds ${volume.content.kind}`,
      );
      throw new Error(`mkfs on "${volume.name}"`);
    }
    const mkfs = `mkfs of ${volume.id}`;
    kernel.hold(mkfs, volume, clock.elapsed() + MKFS_MS);
    volume.content = { kind: 'torn' };
    await this.#parts.midway('make');
    volume.content = newFilesystem(request.fs, kernel.device(volume.id)?.sizeKiB ?? 0, volume.id);
    kernel.letGo(mkfs);
  }

  check(device: Device, fs: FilesystemType, signal: AbortSignal): Promise<void> {
    return attempt(signal, () => {
      const { content } = this.#volume(device);
      if (content.kind !== 'filesystem' || content.fs !== fs)
        throw new Error(`check finds ${content.kind}, not ${fs}`);
      content.dirty = false;
    });
  }

  async renewUuid(device: Device, _: string, fs: FilesystemType, signal: AbortSignal): Promise<void> {
    const { kernel, array, hostName } = this.#parts;
    const { volume, content } = await attempt(signal, () => {
      const found = this.#volume(device);
      if (found.content.kind !== 'filesystem' || found.content.fs !== fs)
        throw new FilesystemError(`no ${fs} but ${found.content.kind}`);
      if (kernel.holdersOf(found).length > 0) throw new DeviceHeldError(`"${found.name}" is in use`);
      return { volume: found, content: found.content };
    });
    if (!volume.name.startsWith('~new.'))
      array.violations.push(`${hostName} changes the UUID of "${volume.name}", which is complete`);
    content.dirty = false;
    await this.#parts.midway('renewUuid');
    content.uuid = newUuid(`${content.uuid} ${volume.id}`);
    // As e2fsck does.
    if (fs === 'ext4') content.lostFound = true;
  }

  dropCaches(device: Device, signal: AbortSignal): Promise<void> {
    return attempt(signal, () => void this.#parts.kernel.stale.delete(this.#volume(device)));
  }

  /** The kernel of this world makes mountpoints by itself. */
  prepareMountpoint(mountpoint: string): Promise<void> {
    return attempt(undefined, () => void this.mountpoints.add(mountpoint));
  }

  spareMountpoint(mountpoint: string): void {
    this.mountpoints.delete(mountpoint);
  }

  sweepMountpoints(): Promise<void> {
    return Promise.resolve();
  }

  mount(device: Device, mountpoint: string, request: MountRequest, signal: AbortSignal): Promise<void> {
    return attempt(signal, () => {
      const { kernel } = this.#parts;
      const volume = this.#volume(device);
      const there = kernel.mountAt(mountpoint);
      if (there?.volume === volume && there.deviceNumber === device.number) return;
      if (there !== undefined)
        throw new FilesystemError(`"${mountpoint}" is taken by "${there.volume.name}"`);
      const { content } = volume;
      if (content.kind !== 'filesystem' || content.fs !== request.fs)
        throw new FilesystemError('wrong fs type');
      if (kernel.stale.has(volume)) throw new Error(`mounting "${volume.name}" as it was before`);
      if (content.dirty) throw new Error(`mounting dirty "${volume.name}" without a check`);
      const isReadOnly = volume.accessModeLimit === 'ReadOnly';
      if (isReadOnly && !request.readOnly) throw new FilesystemError('cannot mount read-write');
      if (content.fs === 'btrfs' && kernel.hasTwinOf(volume)) throw new FilesystemError('File exists');
      if (kernel.frozen.has(volume) && kernel.holdersOf(volume).length > 0)
        throw new FrozenError(`"${volume.name}" is in use and frozen`);
      const { options, readOnly } = request;
      kernel.mounts.push({
        mountpoint,
        volume,
        deviceNumber: device.number,
        options,
        readOnly,
        visibleToHost: !kernel.cutsPropagation,
      });
    });
  }

  grow(device: Device, mountpoint: string, fs: FilesystemType, signal: AbortSignal): Promise<boolean> {
    return attempt(signal, () => {
      const { content, readOnly } = this.#mounted(mountpoint);
      if (content.fs !== fs) throw new Error(`grow as ${fs} what is ${content.fs}`);
      if (readOnly) return false;
      const sizeKiB = device.sizeBytes / 1024;
      if (content.sizeKiB === sizeKiB) return false;
      content.sizeKiB = sizeKiB;
      return true;
    });
  }

  trim(mountpoint: string, signal: AbortSignal): Promise<number> {
    return attempt(signal, () => this.#mounted(mountpoint).content.sizeKiB);
  }

  unmount(mountpoint: string, how: { lazy: boolean }, signal: AbortSignal): Promise<void> {
    return attempt(signal, () => {
      try {
        this.#parts.kernel.unmount(mountpoint, how.lazy);
      } catch (cause) {
        throw new FilesystemError(`unmounting "${mountpoint}" failed`, { cause });
      }
    });
  }

  mounts(): Promise<MountEntry[]> {
    return Promise.resolve(
      this.#parts.kernel.mounts.map(({ mountpoint, deviceNumber, readOnly, volume }) => ({
        device: deviceNumber,
        mountpoint,
        root: '/',
        fsType: volume.content.kind === 'filesystem' ? volume.content.fs : 'unknown',
        source: `/dev/scini${volume.id.slice(-2)}`,
        readOnly,
      })),
    );
  }

  isFrozen(device: Device, mountpoint: string, signal: AbortSignal): Promise<boolean> {
    return attempt(signal, () => {
      const mount = this.#parts.kernel.mountAt(mountpoint);
      return mount?.deviceNumber === device.number && this.#parts.kernel.frozen.has(mount.volume);
    });
  }

  isHeld(device: Device): Promise<boolean> {
    const { kernel, array } = this.#parts;
    const isMeant = (id: ArrayVolume['id']): boolean => kernel.device(id)?.number === device.number;
    const id = kernel.attachedIds.find(isMeant) ?? volumeIdOfPath(device.path);
    const volume = array.volumes.get(id);
    // An open that fails for want of a device proves nothing.
    if (volume === undefined || kernel.device(id) === undefined)
      return Promise.reject(new FilesystemError(`cannot tell whether "${device.path}" is in use`));
    return Promise.resolve(kernel.holdersOf(volume).length > 0);
  }

  assertVisibleToHost(device: Device, mountpoint: string): Promise<void> {
    const mount = this.#parts.kernel.mountAt(mountpoint);
    if (mount?.visibleToHost === true && mount.deviceNumber === device.number) return Promise.resolve();
    return Promise.reject(new FilesystemError(`the host does not see the device at "${mountpoint}"`));
  }

  prepareRoot(
    mountpoint: string,
    root: { uid: number | undefined; gid: number | undefined; mode: number | undefined; subpath: string },
    signal: AbortSignal,
  ): Promise<void> {
    return attempt(signal, () => {
      const content = this.#writable(mountpoint);
      const { subpath, ...owner } = root;
      const steps = subpath.split('/');
      if (steps.includes('..')) throw new FilesystemError(`"${subpath}" leads out of the volume`);
      content.root = owner;
      content.lostFound = false;
      steps.forEach((_, index) => content.directories.add(steps.slice(0, index + 1).join('/')));
    });
  }

  async resolveSubpath(mountpoint: string, subpath: string): Promise<string> {
    const { content } = await attempt(undefined, () => this.#mounted(mountpoint));
    if (!content.directories.has(subpath))
      throw new FilesystemError(`no directory "${subpath}" in the volume`);
    return subpath === '' ? mountpoint : `${mountpoint}/${subpath}`;
  }

  writeLabel(mountpoint: string, label: VolumeLabel, signal: AbortSignal): Promise<void> {
    return attempt(signal, () => {
      this.#writable(mountpoint).label = structuredClone(label);
    });
  }

  readLabel(mountpoint: string, signal: AbortSignal): Promise<VolumeLabel | undefined> {
    return attempt(signal, () => {
      const { label } = this.#mounted(mountpoint).content;
      if (label === undefined) return undefined;
      const reading = readLabel(JSON.stringify(label));
      if (reading.kind === 'label') return reading.label;
      if (reading.kind === 'unreadable') throw new FilesystemError(`label cannot be read: ${reading.why}`);
      throw new NewerVersionError(
        `label has version ${reading.version}, needs version ${reading.needs} or later`,
      );
    });
  }

  mountpointOf(name: ArrayName): string {
    return `${MOUNT_ROOT}/${name}`;
  }

  #volume(device: Device): StoredVolume {
    const present = this.#parts.kernel.device(volumeIdOfPath(device.path));
    if (present === undefined) throw new FilesystemError(`reading "${device.path}" failed: no such device`);
    return present.volume;
  }

  #mounted(mountpoint: string): KernelMount & { readonly content: FilesystemContent } {
    const mount = this.#parts.kernel.mountAt(mountpoint);
    if (mount === undefined) throw new FilesystemError(`nothing is mounted at "${mountpoint}"`);
    const { content, id } = mount.volume;
    if (content.kind !== 'filesystem' || this.#parts.kernel.device(id) === undefined) {
      throw new FilesystemError(`"${mountpoint}": I/O error`);
    }
    return { ...mount, content };
  }

  #writable(mountpoint: string): FilesystemContent {
    const { content, readOnly } = this.#mounted(mountpoint);
    if (readOnly) throw new FilesystemError(`"${mountpoint}" is mounted read-only`);
    return content;
  }
}

function attempt<T>(signal: AbortSignal | undefined, effect: () => T): Promise<T> {
  if (signal?.aborted === true) return Promise.reject(new CancelledError('cancelled'));
  return new Promise((resolve) => {
    resolve(effect());
  });
}
