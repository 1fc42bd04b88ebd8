import { statfs } from 'node:fs/promises';
import { FilesystemError } from '../errors.ts';
import { CAP_SYS_RESOURCE, hasCapability } from '../host/capabilities.ts';
import type { Runner } from '../host/run.ts';
import type { Device } from '../attach/attacher.ts';
import type { FilesystemType } from '../volumes/volume.ts';
import { pathToOpen } from './path-to-open.ts';
import { readExt4Superblock, readXfsSuperblock } from './superblock.ts';
import { runTool } from './tool.ts';

/**
 * The array grows by 8 GiB, file systems leave less than this unused at the end of a device: ext4 drops a last group
 * too small to be worth its tables.
 */
const SLACK_BYTES = 16 * 1024 * 1024;

export interface MountedFilesystem {
  readonly device: Device;
  readonly mountpoint: string;
  readonly fs: FilesystemType;
}

/** Whether the device is larger than its file system, found without starting a process. */
export async function canGrow(mounted: MountedFilesystem): Promise<boolean> {
  return mounted.device.sizeBytes - (await filesystemBytes(mounted)) >= SLACK_BYTES;
}

/**
 * Grows, mounted, to the size of the device; true when the file system is larger than before. Rejects with
 * FilesystemError, with the reason where this process may not: ext4 asks CAP_SYS_RESOURCE for that [Linux fs/ext4/ioctl.c], the others
 * do not.
 */
export async function growFilesystem(
  runner: Runner,
  mounted: MountedFilesystem,
  signal: AbortSignal,
): Promise<boolean> {
  const attempt = `grow ${mounted.fs} at "${mounted.mountpoint}" to its device`;
  const before = await filesystemBytes(mounted);
  const [program, ...args] = growCommand(mounted);
  try {
    await runTool(runner, { attempt, program, args, timeoutMs: 90_000 }, signal);
  } catch (cause) {
    if (!(cause instanceof FilesystemError)) throw cause;
    throw (await isWithheld(mounted)) ? withheld(attempt, cause) : cause;
  }
  return (await filesystemBytes(mounted)) > before;
}

async function isWithheld({ fs }: MountedFilesystem): Promise<boolean> {
  return fs === 'ext4' && !(await hasCapability(CAP_SYS_RESOURCE));
}

function withheld(attempt: string, cause: FilesystemError): FilesystemError {
  return new FilesystemError(
    `cannot ${attempt}: a mounted ext4 grows only for a process with CAP_SYS_RESOURCE, which this plugin was not given; ` +
      'see docs/configuration.md, "ext4 that grows"',
    { cause },
  );
}

function growCommand({ device, mountpoint, fs }: MountedFilesystem): [string, ...string[]] {
  switch (fs) {
    case 'ext4':
      return ['resize2fs', '--', pathToOpen(device)];
    case 'xfs':
      return ['xfs_growfs', '-d', '--', mountpoint];
    case 'btrfs':
      return ['btrfs', 'filesystem', 'resize', 'max', mountpoint];
  }
}

/**
 * statfs counts all of a btrfs, and all of an xfs but its log, whose size never changes. Of ext4 it leaves out the
 * tables, so there the superblock is asked.
 */
async function filesystemBytes({ device, mountpoint, fs }: MountedFilesystem): Promise<number> {
  if (fs === 'ext4') return (await readExt4Superblock(device)).sizeBytes;
  const { blocks, bsize } = await statfs(mountpoint);
  const log = fs === 'xfs' ? (await readXfsSuperblock(device)).internalLogBytes : 0;
  return blocks * bsize + log;
}
