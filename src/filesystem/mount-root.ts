import { lstat, mkdir, readdir, realpath, rmdir } from 'node:fs/promises';
import path from 'node:path';
import AsyncLock from 'async-lock';
import { FilesystemError } from '../errors.ts';
import { hasCode, makeDirectories } from '../host/files.ts';
import type { Runner } from '../host/run.ts';
import type { ArrayName } from '../array/ids.ts';
import type { Log } from '../runtime/log.ts';
import { readMounts } from './mount-table.ts';
import { isAtOrBelow, type Mount, visibleMount } from './mountinfo.ts';
import { SpareMountpoints, type SpareLimits } from './spare-mountpoints.ts';
import { runTool } from './tool.ts';

/** How our tmpfs is known again, in mountinfo, by a plugin that was restarted and by the host. */
export const GUARD_SOURCE = 'docker-volume-scaleio';

const GUARD_FLAGS = 'nosuid,nodev,noexec';
/** Directories take no blocks of a tmpfs; the limits are against mistakes. */
const GUARD_OPTIONS = `ro,${GUARD_FLAGS},mode=0711,size=64k`;
const MOST_INODES = 200_000;
const LIMIT_MS = 10_000;
/** Taken away at one go, so that the guard is never writable for long. */
const AT_ONE_GO = 500;

export interface MountRootOptions {
  readonly path: string;
  readonly runner: Runner;
  readonly log: Log;
  /** This process's own mounts. */
  readonly mountinfo: string;
  /** The host's own mounts: taking away a mountpoint would take away what is mounted on it in another namespace. */
  readonly hostMountinfo: string;
  /** Milliseconds, by a clock that cannot be set. */
  readonly elapsed?: (() => number) | undefined;
  readonly spares?: SpareLimits | undefined;
  /** Of the guard: the root and each mountpoint take one. */
  readonly mostInodes?: number | undefined;
}

/**
 * The directory that holds all mountpoints. Rule 9: it is a small tmpfs of our own that is read-only except for the
 * moment in which a mountpoint is made, so that even root cannot write to a mountpoint on which nothing is mounted.
 * An immutable flag would do as well, but `docker plugin rm` then fails on the directories and it takes one more
 * capability. Making one takes two processes, so it is done ahead of the Mount where that can be, and for many at once. One whose
 * volume is gone is taken away when another is made, or when many wait; so are those unused longest, and at the start those that
 * nobody needs.
 */
export class MountRoot {
  readonly path: string;
  readonly #runner: Runner;
  readonly #mountinfo: string;
  readonly #hostMountinfo: string;
  readonly #log: Log;
  readonly #inodes: number;
  readonly #spares: SpareMountpoints;
  readonly #lock = new AsyncLock();
  /** Mountpoints to be made while the guard is writable, whoever asked for that. */
  readonly #wanted = new Set<string>();
  /** Mountpoints that are there, as far as this process knows. */
  readonly #made = new Set<string>();

  constructor(options: MountRootOptions) {
    this.path = path.resolve(options.path);
    this.#runner = options.runner;
    this.#log = options.log;
    this.#mountinfo = options.mountinfo;
    this.#hostMountinfo = options.hostMountinfo;
    this.#inodes = options.mostInodes ?? MOST_INODES;
    this.#spares = new SpareMountpoints(options.elapsed ?? (() => performance.now()), options.spares);
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
    const stays = this.#spares.want(mountpoint);
    if (stays && this.guardAmong(mounts)?.readOnly === true && (await isDirectory(mountpoint))) return;
    this.#made.delete(mountpoint);
    await this.prepareAhead(mountpoint);
  }

  /** As prepare, but takes for granted what this process has made before; whoever mounts calls prepare. */
  async prepareAhead(mountpoint: string): Promise<void> {
    if (path.dirname(mountpoint) !== this.path) {
      throw new FilesystemError(`mountpoint "${mountpoint}" is not in the mount root "${this.path}"`);
    }
    const stays = this.#spares.want(mountpoint);
    if (stays && this.#made.has(mountpoint)) return;
    this.#wanted.add(mountpoint);
    try {
      // Not the caller's signal: a guard must not stay writable because somebody gave up waiting.
      await this.#lock.acquire('guard', async () => {
        if (this.#made.has(mountpoint)) return;
        await this.#prepareGuarded(mountpoint, AbortSignal.timeout(LIMIT_MS));
        this.#made.add(mountpoint);
      });
    } finally {
      this.#wanted.delete(mountpoint);
    }
  }

  /** Its volume is gone: the mountpoint is taken away when that costs nothing, or when many wait for it. */
  spare(mountpoint: string): void {
    if (!this.#spares.spare(mountpoint)) return;
    this.#lock
      .acquire('guard', () => this.#takeAwayAtOneGo(this.#spares.due()))
      .catch((error: unknown) => {
        this.#log.warn({ error: String(error) }, 'mountpoints of volumes that are gone stay for now');
      });
  }

  /**
   * Takes away the mountpoints that an earlier life left: all on which nothing is mounted, here or on the host's side, but for those to be
   * kept. Throws FilesystemError.
   */
  async sweep(kept: ReadonlySet<string>): Promise<void> {
    const guard = this.guardAmong(await readMounts(this.#mountinfo));
    if (guard === undefined) return;
    const spare = (await readdir(this.path))
      .map((name) => path.join(this.path, name))
      .filter((mountpoint) => !kept.has(mountpoint) && !this.#spares.isKnown(mountpoint));
    for (let first = 0; first < spare.length; first += AT_ONE_GO) {
      const some = spare.slice(first, first + AT_ONE_GO);
      await this.#lock.acquire('guard', () =>
        this.#takeAwayAtOneGo(some.filter((mountpoint) => !this.#spares.isKnown(mountpoint))),
      );
    }
  }

  async #takeAwayAtOneGo(mountpoints: readonly string[]): Promise<void> {
    if (mountpoints.length === 0) return;
    await this.#remount('rw', AbortSignal.timeout(LIMIT_MS));
    try {
      await this.#takeAway(mountpoints);
    } finally {
      await this.#remount('ro', AbortSignal.timeout(LIMIT_MS));
    }
  }

  /** While the guard is writable. */
  async #takeAway(mountpoints: readonly string[]): Promise<void> {
    if (mountpoints.length === 0) return;
    const mounts = [...(await readMounts(this.#mountinfo)), ...(await readMounts(this.#hostMountinfo))];
    const used = new Set(mounts.map(({ mountpoint }) => mountpoint));
    await Promise.all(
      mountpoints.map((mountpoint) =>
        this.#spares.takeAway(mountpoint, async () => {
          this.#made.delete(mountpoint);
          return !used.has(mountpoint) && (await removeMountpoint(mountpoint));
        }),
      ),
    );
  }

  async #prepareGuarded(mountpoint: string, signal: AbortSignal): Promise<void> {
    await this.#ensureGuard(signal);
    if (await isDirectory(mountpoint)) return;
    await this.#remount('rw', signal);
    try {
      await this.#takeAway(this.#spares.due().slice(0, AT_ONE_GO));
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
    const args = [
      '-n',
      '-t',
      'tmpfs',
      '-o',
      `${GUARD_OPTIONS},nr_inodes=${this.#inodes}`,
      '--',
      GUARD_SOURCE,
      this.path,
    ];
    await runTool(
      this.#runner,
      { attempt: `guard the mount root "${this.path}"`, program: 'mount', args },
      signal,
    );
  }

  async #ensureDirectory(): Promise<void> {
    try {
      await makeDirectories(this.path, 0o711);
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

/** False when it is not to be had: something is mounted there, or is in it. */
async function removeMountpoint(mountpoint: string): Promise<boolean> {
  try {
    await rmdir(mountpoint);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (hasCode(error, 'EBUSY', 'ENOTEMPTY', 'ENOTDIR')) return false;
    throw new FilesystemError(`cannot take away mountpoint "${mountpoint}"`, { cause: error });
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
