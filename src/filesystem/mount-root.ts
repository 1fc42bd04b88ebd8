import { lstat, mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import AsyncLock from 'async-lock';
import { FilesystemError } from '../errors.ts';
import { hasCode } from '../host/files.ts';
import type { Runner } from '../host/run.ts';
import type { ArrayName } from '../volumes/volume.ts';
import { readMounts } from './mount-table.ts';
import { isAtOrBelow, type Mount, visibleMount } from './mountinfo.ts';
import { runTool } from './tool.ts';

/** How our tmpfs is known again, in mountinfo, by a plugin that was restarted and by the host. */
export const GUARD_SOURCE = 'docker-volume-scaleio';

const GUARD_FLAGS = 'nosuid,nodev,noexec';
/** Directories take no blocks of a tmpfs; the limits are against mistakes. */
const GUARD_OPTIONS = `ro,${GUARD_FLAGS},mode=0711,size=64k,nr_inodes=200k`;
const LIMIT_MS = 10_000;

/**
 * The directory that holds all mountpoints. Rule 9: it is a small tmpfs of our own that is read-only except for the
 * moment in which a mountpoint is made, so that even root cannot write to a mountpoint on which nothing is mounted.
 * An immutable flag would do as well, but `docker plugin rm` then fails on the directories and it takes one more
 * capability. Mountpoints stay until the next boot: each is one inode of memory. Making one takes two processes, so it is
 * done ahead of the Mount where that can be, and for many at once.
 */
export class MountRoot {
  readonly path: string;
  readonly #runner: Runner;
  readonly #mountinfo: string;
  readonly #lock = new AsyncLock();
  /** Mountpoints to be made while the guard is writable, whoever asked for that. */
  readonly #wanted = new Set<string>();
  /** Mountpoints that are there, as far as this process knows. */
  readonly #made = new Set<string>();

  constructor(options: { path: string; runner: Runner; mountinfo: string }) {
    this.path = path.resolve(options.path);
    this.#runner = options.runner;
    this.#mountinfo = options.mountinfo;
  }

  /** The mountpoint for an array name: below the root in one step, a different one for each name. */
  mountpointOf(name: ArrayName): string {
    const safe = encodeURIComponent(name).replaceAll(/[!'()*]|^\.+$/g, percentEncode);
    return path.join(this.path, safe);
  }

  /** Our guard among the mounts, undefined when it is not what one sees at the root. */
  guardAmong(mounts: readonly Mount[]): Mount | undefined {
    const visible = visibleMount(mounts, this.path);
    return visible?.mountpoint === this.path && isGuard(visible) ? visible : undefined;
  }

  /** Makes the guard and the mountpoint where they are missing. Throws FilesystemError. */
  async prepare(mountpoint: string, mounts: readonly Mount[]): Promise<void> {
    if (this.guardAmong(mounts)?.readOnly === true && (await isDirectory(mountpoint))) return;
    this.#made.delete(mountpoint);
    await this.prepareAhead(mountpoint);
  }

  /** As prepare, but takes for granted what this process has made before; whoever mounts calls prepare. */
  async prepareAhead(mountpoint: string): Promise<void> {
    if (path.dirname(mountpoint) !== this.path) {
      throw new FilesystemError(`mountpoint "${mountpoint}" is not in the mount root "${this.path}"`);
    }
    if (this.#made.has(mountpoint)) return;
    this.#wanted.add(mountpoint);
    try {
      // Not the caller's signal: a guard must not stay writable because a client hung up.
      await this.#lock.acquire('guard', async () => {
        if (this.#made.has(mountpoint)) return;
        await this.#prepareGuarded(mountpoint, AbortSignal.timeout(LIMIT_MS));
        this.#made.add(mountpoint);
      });
    } finally {
      this.#wanted.delete(mountpoint);
    }
  }

  async #prepareGuarded(mountpoint: string, signal: AbortSignal): Promise<void> {
    await this.#ensureGuard(signal);
    if (await isDirectory(mountpoint)) return;
    await this.#remount('rw', signal);
    try {
      // Of many mounts at once the first makes what all of them need: the guard takes two processes each time.
      const others = [...this.#wanted].filter((wanted) => wanted !== mountpoint);
      await Promise.allSettled(
        others.map(async (other) => {
          await makeMountpoint(other);
          this.#made.add(other);
        }),
      );
      await makeMountpoint(mountpoint);
    } finally {
      await this.#remount('ro', AbortSignal.timeout(LIMIT_MS));
    }
  }

  async #ensureGuard(signal: AbortSignal): Promise<void> {
    await this.#ensureDirectory();
    const mounts = await readMounts(this.#mountinfo);
    const guard = this.guardAmong(mounts);
    if (guard?.readOnly === true) return;
    // A plugin that was killed while it made a mountpoint left the guard writable.
    if (guard !== undefined) return this.#remount('ro', signal);
    const stray = mounts.find(
      (mount) => mount.mountpoint !== this.path && isAtOrBelow(mount.mountpoint, this.path),
    );
    if (stray !== undefined) {
      throw new FilesystemError(
        `cannot guard the mount root "${this.path}": "${stray.mountpoint}" is mounted there by something else; unmount it`,
      );
    }
    const args = ['-n', '-t', 'tmpfs', '-o', GUARD_OPTIONS, '--', GUARD_SOURCE, this.path];
    await runTool(
      this.#runner,
      { attempt: `guard the mount root "${this.path}"`, program: 'mount', args },
      signal,
    );
  }

  async #ensureDirectory(): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true, mode: 0o711 });
    } catch (error) {
      throw new FilesystemError(`cannot make the mount root "${this.path}"`, { cause: error });
    }
    const real = await realpath(this.path);
    if (real !== this.path) {
      throw new FilesystemError(
        `the mount root "${this.path}" is reached through a symbolic link; set it to "${real}"`,
      );
    }
  }

  async #remount(access: 'ro' | 'rw', signal: AbortSignal): Promise<void> {
    const options = `remount,${access},${GUARD_FLAGS}`;
    const args = ['-n', '-t', 'tmpfs', '-o', options, '--', GUARD_SOURCE, this.path];
    const attempt = `make the mount root "${this.path}" ${access === 'ro' ? 'read-only' : 'writable'}`;
    await runTool(this.#runner, { attempt, program: 'mount', args }, signal);
  }
}

/** True for a mount of our tmpfs, in whatever namespace. */
export function isGuard(mount: Mount): boolean {
  return mount.fsType === 'tmpfs' && mount.source === GUARD_SOURCE && mount.root === '/';
}

async function makeMountpoint(mountpoint: string): Promise<void> {
  try {
    // No rights for anybody: what a container without its volume sees is an error, not an empty directory.
    await mkdir(mountpoint, { mode: 0 });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    throw new FilesystemError(`cannot make mountpoint "${mountpoint}"`, { cause: error });
  }
}

async function isDirectory(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isDirectory();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

function percentEncode(text: string): string {
  return text.replaceAll(/./g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}
