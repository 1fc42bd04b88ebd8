import { FilesystemError } from '../errors.ts';
import { CommandError, type Runner } from '../host/run.ts';
import type { MountRequest } from '../volumes/ports.ts';
import type { Device } from '../attach/attacher.ts';
import type { FilesystemType } from '../volumes/volume.ts';
import { pathToOpen } from './path-to-open.ts';
import { readFeatureBits } from './feature-bits.ts';
import { lackingFeatures } from './features.ts';
import { runTool } from './tool.ts';

/**
 * noatime: reading must not write over the network. nodev: nobody needs a device node in a volume, and a
 * container makes its own; suid stays, images rely on it. No online discard: it makes every deletion a request to the
 * array and stalls on it; a periodic fstrim returns the same space cheaper (btrfs discards by itself unless told not
 * to). xfs nouuid: a snapshot has its origin's UUID and both may be mounted on one host. ext4 stops writing at the
 * first error, as the others do by themselves. The user's options come later and win.
 */
const defaults: Readonly<Record<FilesystemType, readonly string[]>> = {
  ext4: ['noatime', 'nodev', 'nodiscard', 'errors=remount-ro'],
  xfs: ['noatime', 'nodev', 'nodiscard', 'nouuid'],
  btrfs: ['noatime', 'nodev', 'nodiscard'],
};
const ACCESS_TIMES: readonly string[] = ['atime', 'relatime', 'strictatime'];

/** A read-only mapping cannot replay; what was not written back when it was taken is not seen. */
const withoutReplay: Readonly<Record<FilesystemType, string>> = {
  ext4: 'noload',
  xfs: 'norecovery',
  btrfs: 'rescue=nologreplay',
};

const LIMIT_MS = 90_000;

/** The options that a file system is mounted with, as mount(8) takes them. */
export function mountOptions({ fs, options, readOnly }: MountRequest): string {
  // To the kernel noatime is stronger than a relatime after it, so it has to go.
  const own = options.some((option) => ACCESS_TIMES.includes(option))
    ? defaults[fs].filter((option) => option !== 'noatime')
    : defaults[fs];
  return [...own, ...options, ...(readOnly ? ['ro', withoutReplay[fs]] : [])].join(',');
}

/** What a mount needs of its host. */
export interface MountHost {
  readonly runner: Runner;
  /** As uname -r says it. */
  readonly kernelRelease: string;
}

/** Mounts by mount(8). Rejects with FilesystemError, and never settles for read-only when that was not asked for. */
export async function runMount(
  { runner, kernelRelease }: MountHost,
  at: { device: Device; mountpoint: string },
  request: MountRequest,
  signal: AbortSignal,
): Promise<void> {
  const { device, mountpoint } = at;
  const access = request.readOnly ? '--read-only' : '--read-write';
  const args = [
    '-n',
    access,
    '-t',
    request.fs,
    '-o',
    mountOptions(request),
    '--',
    pathToOpen(device),
    mountpoint,
  ];
  const attempt = `mount "${device.path}" at "${mountpoint}"`;
  try {
    await runTool(runner, { attempt, program: 'mount', args, timeoutMs: LIMIT_MS }, signal);
  } catch (error) {
    if (!(error instanceof FilesystemError)) throw error;
    const words = error.cause instanceof CommandError ? mountFailure(error.cause.stderrTail) : undefined;
    if (words === undefined) throw error;
    const lacking = words === NO_REASON ? await lackingOf(at, request, kernelRelease) : undefined;
    if (lacking !== undefined) throw new FilesystemError(`cannot ${attempt}: ${lacking}`, error);
    throw new FilesystemError(`cannot ${attempt}: ${words}; ${advice[request.fs]} ${device.path}"`, {
      cause: error.cause,
    });
  }
}

const advice: Readonly<Record<FilesystemType, string>> = {
  ext4: 'see the kernel log, map the volume by hand and check it with "e2fsck -n',
  xfs: 'see the kernel log, map the volume by hand and check it with "xfs_repair -n',
  btrfs: 'see the kernel log, map the volume by hand and check it with "btrfs check --readonly',
};

/** What the kernel says when it does not know a feature, and of much else. */
const NO_REASON = 'bad option or damaged superblock';

/** That the file system is newer than the kernel, in words; undefined when that is not so, or cannot be seen. */
async function lackingOf(
  { device }: { device: Device },
  { fs, readOnly }: MountRequest,
  kernelRelease: string,
): Promise<string | undefined> {
  const bits = await readFeatureBits(device, fs);
  if (bits === undefined) return undefined;
  // A mount that only reads needs to know nothing of these.
  const asked = readOnly ? { ...bits, roCompat: 0, logIncompat: 0 } : bits;
  const lacking = lackingFeatures(fs, asked, kernelRelease);
  if (lacking === undefined) return undefined;
  const newer = lacking.needs === undefined ? 'a newer kernel' : `Linux ${lacking.needs} or newer`;
  return (
    `Linux ${kernelRelease} of this host lacks features of its ${fs}: ${lacking.features.join(', ')}. ` +
    `The file system is whole, do not repair it: mount it on a host with ${newer}. For new volumes that every host mounts, ` +
    `make them on the host with the oldest kernel, or leave the features out with the option mkfs or SCALEIO_MKFS`
  );
}

/** mount(8) words a refusal of the kernel as a list of guesses, or ends with the kernel's own reason. */
function mountFailure(stderr: string): string | undefined {
  const reason = /system call failed: ([^.;]+)/.exec(stderr)?.[1];
  if (reason !== undefined) return reason;
  if (stderr.includes('probably corrupted filesystem')) return 'a damaged file system';
  return stderr.includes('bad superblock') ? NO_REASON : undefined;
}

/** Unmounts what is uppermost at the mountpoint. Rejects with FilesystemError. */
export async function runUnmount(
  runner: Runner,
  mountpoint: string,
  how: { lazy: boolean },
  signal: AbortSignal,
): Promise<void> {
  const args = ['-n', ...(how.lazy ? ['--lazy'] : []), '--', mountpoint];
  await runTool(
    runner,
    { attempt: `unmount "${mountpoint}"`, program: 'umount', args, timeoutMs: LIMIT_MS },
    signal,
  );
}
