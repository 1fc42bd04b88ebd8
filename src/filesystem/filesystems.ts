import { FilesystemError, FrozenError, UnseenMountError } from '../errors.ts';
import { cancelled } from '../host/cancelled.ts';
import type { Runner } from '../host/run.ts';
import type { VolumeLabel } from '../volumes/options/label.ts';
import type { ArrayName } from '../array/ids.ts';
import type { Device } from '../attach/attacher.ts';
import type { Log } from '../runtime/log.ts';
import type { Filesystems, MakeRequest, MountEntry, MountRequest, Probe } from '../volumes/ports.ts';
import type { FilesystemType } from '../volumes/volume.ts';
import { checkFilesystem } from './check.ts';
import { dropCaches } from './drop-caches.ts';
import { isFrozen } from './frozen.ts';
import { canGrow, growFilesystem } from './grow.ts';
import { isClaimed, isDeviceHeld, orHeld } from './exclusive-open.ts';
import { assertHostSees } from './host-view.ts';
import { readVolumeLabel, writeVolumeLabel } from './label.ts';
import { makeFilesystem } from './make.ts';
import { runMount, runUnmount } from './mount.ts';
import { MountRoot, type MountRootOptions } from './mount-root.ts';
import { readMounts } from './mount-table.ts';
import { isAtOrBelow, type Mount, visibleMount } from './mountinfo.ts';
import { probeDevice } from './probe.ts';
import { proveBlank } from './prove-blank.ts';
import { renewUuid } from './renew-uuid.ts';
import { prepareRootDirectory, resolveDirectory, type RootDirectory } from './root-directory.ts';
import { trimFilesystem } from './trim.ts';

export interface FilesystemsOptions {
  readonly runner: Runner;
  readonly log: Log;
  /** As uname -r says it. */
  readonly kernelRelease: string;
  /** The directory for all mountpoints; made if missing. In a managed plugin it is below the propagatedMount. */
  readonly mountRoot: string;
  /** A directory that is there, for what a check may have to take back. */
  readonly undoDir: string;
  /** This process's own mounts; default /proc/self/mountinfo. */
  readonly ownMountinfo?: string | undefined;
  /**
   * The host's own mounts: /proc/1/mountinfo in a managed plugin (which needs pidhost), and the same as our own where
   * the plugin runs in the host's mount namespace, which is the default.
   */
  readonly hostMountinfo?: string | undefined;
  /** Called when what is mounted here cannot reach the host any more; see UnseenMountError.isCutOff. */
  readonly onCutOff?: (() => void) | undefined;
  /** Of mountpoints; for tests. */
  readonly limits?: Pick<MountRootOptions, 'elapsed' | 'spares' | 'mostInodes'> | undefined;
}

/** The file systems and mounts of this host, by its own programs. */
export function createFilesystems(options: FilesystemsOptions): Filesystems {
  return new HostFilesystems(options);
}

/** More mounts than this on one mountpoint are not ours to take off one by one. */
const MAX_STACKED = 8;

class HostFilesystems implements Filesystems {
  readonly #runner: Runner;
  readonly #log: Log;
  readonly #kernelRelease: string;
  readonly #root: MountRoot;
  readonly #undoDir: string;
  readonly #ownMountinfo: string;
  readonly #hostMountinfo: string;
  readonly #onCutOff: () => void;

  constructor(options: FilesystemsOptions) {
    this.#runner = options.runner;
    this.#log = options.log;
    this.#kernelRelease = options.kernelRelease;
    this.#undoDir = options.undoDir;
    this.#ownMountinfo = options.ownMountinfo ?? '/proc/self/mountinfo';
    this.#hostMountinfo = options.hostMountinfo ?? this.#ownMountinfo;
    this.#onCutOff = options.onCutOff ?? ((): void => undefined);
    this.#root = new MountRoot({
      path: options.mountRoot,
      runner: options.runner,
      log: options.log,
      mountinfo: this.#ownMountinfo,
      hostMountinfo: this.#hostMountinfo,
      ...options.limits,
    });
  }

  probe(device: Device, signal: AbortSignal): Promise<Probe> {
    return probeDevice(this.#runner, device, signal);
  }

  proveBlank(device: Device, signal: AbortSignal): Promise<void> {
    return proveBlank(this.#runner, device, signal);
  }

  async make(device: Device, request: MakeRequest, signal: AbortSignal): Promise<void> {
    try {
      await makeFilesystem(this.#runner, device, request, signal);
    } catch (error) {
      throw await orHeld(error, device);
    }
  }

  async check(device: Device, fs: FilesystemType, signal: AbortSignal): Promise<void> {
    try {
      await checkFilesystem({ runner: this.#runner, undoDir: this.#undoDir }, device, fs, signal);
    } catch (error) {
      throw await orHeld(error, device);
    }
  }

  async renewUuid(
    device: Device,
    mountpoint: string,
    fs: FilesystemType,
    signal: AbortSignal,
  ): Promise<void> {
    const replay = async (): Promise<void> => {
      await this.mount(device, mountpoint, { fs, options: [], readOnly: false }, signal);
      await this.unmount(mountpoint, { lazy: false }, signal);
    };
    try {
      await renewUuid({ runner: this.#runner, replay }, device, fs, signal);
    } catch (error) {
      throw await orHeld(error, device);
    }
  }

  dropCaches(device: Device, signal: AbortSignal): Promise<void> {
    return dropCaches(this.#runner, device, signal);
  }

  prepareMountpoint(mountpoint: string): Promise<void> {
    return this.#root.prepareAhead(mountpoint);
  }

  spareMountpoint(mountpoint: string): void {
    this.#root.spare(mountpoint);
  }

  sweepMountpoints(kept: ReadonlySet<string>): Promise<void> {
    return this.#root.sweep(kept);
  }

  async mount(device: Device, mountpoint: string, request: MountRequest, signal: AbortSignal): Promise<void> {
    const mounts = await readMounts(this.#ownMountinfo);
    const there = mountAt(mounts, mountpoint);
    if (there?.device === device.number) return;
    if (there !== undefined) throw occupied(there, device);
    await this.#root.prepare(mountpoint, mounts);
    const host = { runner: this.#runner, kernelRelease: this.#kernelRelease };
    // Only a file system that the kernel has in use already can come up frozen.
    const isInUse = await isClaimed(device);
    try {
      await runMount(host, { device, mountpoint }, request, signal);
    } catch (error) {
      throw await orHeld(error, device);
    }
    await this.#verifyMounted(device, mountpoint, request.readOnly);
    if (isInUse && (await this.isFrozen(device, mountpoint, signal))) {
      await runUnmount(this.#runner, mountpoint, { lazy: false }, AbortSignal.timeout(10_000));
      throw frozenUnmounted(device, mountpoint);
    }
  }

  async grow(device: Device, mountpoint: string, fs: FilesystemType, signal: AbortSignal): Promise<boolean> {
    const mounted = { device, mountpoint, fs };
    if (!(await canGrow(mounted))) return false;
    if (mountAt(await readMounts(this.#ownMountinfo), mountpoint)?.readOnly === true) return false;
    return growFilesystem(this.#runner, mounted, signal);
  }

  trim(mountpoint: string, signal: AbortSignal): Promise<number> {
    return trimFilesystem(this.#runner, mountpoint, signal);
  }

  async unmount(mountpoint: string, how: { lazy: boolean }, signal: AbortSignal): Promise<void> {
    if (!isAtOrBelow(mountpoint, this.#root.path) || mountpoint === this.#root.path) {
      throw new FilesystemError(
        `will not unmount "${mountpoint}": it is not in the mount root "${this.#root.path}"`,
      );
    }
    for (let taken = 0; taken < MAX_STACKED; taken++) {
      if (mountAt(await readMounts(this.#ownMountinfo), mountpoint) === undefined) return;
      await runUnmount(this.#runner, mountpoint, how, signal);
    }
    throw new FilesystemError(
      `"${mountpoint}" is mounted more than ${MAX_STACKED} times; unmount it by hand`,
    );
  }

  async mounts(): Promise<MountEntry[]> {
    const mounts = await readMounts(this.#ownMountinfo);
    const root = this.#root.path;
    return mounts.filter((mount) => mount.mountpoint !== root && isAtOrBelow(mount.mountpoint, root));
  }

  async isFrozen(device: Device, mountpoint: string, signal: AbortSignal): Promise<boolean> {
    const there = mountAt(await readMounts(this.#ownMountinfo), mountpoint);
    if (there?.device !== device.number) return false;
    return isFrozen({ runner: this.#runner, log: this.#log }, device, there, signal);
  }

  isHeld(device: Device): Promise<boolean> {
    return isDeviceHeld(device);
  }

  async assertVisibleToHost(device: Device, mountpoint: string): Promise<void> {
    const own = await readMounts(this.#ownMountinfo);
    const host = this.#hostMountinfo === this.#ownMountinfo ? own : await readMounts(this.#hostMountinfo);
    try {
      assertHostSees(this.#root, { own, host }, { device, mountpoint });
    } catch (error) {
      if (error instanceof UnseenMountError && error.isCutOff) this.#onCutOff();
      throw error;
    }
  }

  async prepareRoot(mountpoint: string, root: RootDirectory, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled(`preparing the root of "${mountpoint}"`, signal);
    await prepareRootDirectory(mountpoint, root);
  }

  resolveSubpath(mountpoint: string, subpath: string): Promise<string> {
    return resolveDirectory(mountpoint, subpath);
  }

  writeLabel(mountpoint: string, label: VolumeLabel, signal: AbortSignal): Promise<void> {
    return writeVolumeLabel(this.#runner, mountpoint, label, signal);
  }

  readLabel(mountpoint: string, signal: AbortSignal): Promise<VolumeLabel | undefined> {
    return readVolumeLabel(this.#runner, mountpoint, signal);
  }

  mountpointOf(name: ArrayName): string {
    return this.#root.mountpointOf(name);
  }

  /** What mount(8) says it did is believed only when the kernel shows it; else it is undone. */
  async #verifyMounted(device: Device, mountpoint: string, readOnly: boolean): Promise<void> {
    const there = mountAt(await readMounts(this.#ownMountinfo), mountpoint);
    if (there?.device === device.number && there.readOnly === readOnly) return;
    const what =
      there?.device === device.number
        ? 'it came up read-only; see the kernel log'
        : `the kernel shows ${there === undefined ? 'nothing' : `"${there.source}"`} there`;
    if (there !== undefined) {
      await runUnmount(this.#runner, mountpoint, { lazy: false }, AbortSignal.timeout(10_000));
    }
    throw new FilesystemError(`cannot mount "${device.path}" at "${mountpoint}": ${what}`, {
      context: { expected: device.number, found: there?.device ?? null },
    });
  }
}

function mountAt(mounts: readonly Mount[], mountpoint: string): Mount | undefined {
  const visible = visibleMount(mounts, mountpoint);
  return visible?.mountpoint === mountpoint ? visible : undefined;
}

function frozenUnmounted(device: Device, mountpoint: string): FrozenError {
  return new FrozenError(
    `cannot mount "${device.path}" at "${mountpoint}": its file system was frozen (fsfreeze -f) and unmounted so, and whoever ` +
      `writes to it would wait for ever. Mount the device by hand, "fsfreeze -u" where it is mounted then, and unmount it`,
    { context: { device: device.path } },
  );
}

function occupied(there: Mount, device: Device): FilesystemError {
  return new FilesystemError(
    `cannot mount "${device.path}" at "${there.mountpoint}": "${there.source}" is mounted there; unmount it first`,
  );
}
