import { FilesystemError } from '../errors.ts';
import type { Runner } from '../host/run.ts';
import type { Device, FilesystemType } from '../volumes/volume.ts';
import { readExt4Superblock } from './superblock.ts';
import { runTool } from './tool.ts';

/** Bits of e2fsck's exit code from which on a human is needed [e2fsprogs e2fsck(8)]. */
const UNCORRECTED = 4;

/**
 * Brings the file system into a state in which it may be mounted. Nearly always that is nothing at all: the kernel
 * replays the journal of ext4, the log of xfs and of btrfs at mount, after a power cut too, and faster than any tool.
 * Only an ext4 whose superblock says that an error was met is given to `e2fsck -p`, which repairs what is safe to
 * repair. That superblock is read here in one small read, because starting e2fsck on every mount would cost more than
 * the mount. xfs and btrfs notice damage when mounting and refuse; `xfs_repair` is never run, it takes a human (and with
 * -n, on terabytes, longer than a mount may take). Rejects with FilesystemError that names the command to run.
 */
export async function checkFilesystem(
  runner: Runner,
  device: Device,
  fs: FilesystemType,
  signal: AbortSignal,
): Promise<void> {
  if (fs !== 'ext4' || !(await readExt4Superblock(device)).needsCheck) return;
  const { exitCode } = await runTool(
    runner,
    {
      attempt: `check "${device.path}"`,
      program: 'e2fsck',
      args: ['-p', '--', device.node],
      accepts: () => true,
      timeoutMs: 90_000,
    },
    signal,
  );
  if (exitCode >= UNCORRECTED) {
    throw new FilesystemError(
      `ext4 on "${device.path}" needs more than a replay (e2fsck -p ended with ${exitCode}); map the volume by hand and run "e2fsck -f ${device.path}"`,
      { context: { device: device.path, exitCode } },
    );
  }
}
