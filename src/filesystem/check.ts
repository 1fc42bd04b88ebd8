import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { FilesystemError } from '../errors.ts';
import type { Runner } from '../host/run.ts';
import type { Device } from '../attach/attacher.ts';
import type { FilesystemType } from '../volumes/volume.ts';
import { pathToOpen } from './path-to-open.ts';
import { readExt4Superblock } from './superblock.ts';
import { runTool } from './tool.ts';

/** Bits of e2fsck's exit code from which on a human is needed [e2fsprogs e2fsck(8)]. */
const UNCORRECTED = 4;
const UNDO_LIMIT_MS = 60_000;

/** What a check needs of its host. */
export interface CheckHost {
  readonly runner: Runner;
  /** A directory, for what e2fsck changes until it is known to have succeeded. */
  readonly undoDir: string;
}

/**
 * Brings the file system into a state in which it may be mounted. Nearly always that is nothing at all: the kernel
 * replays the journal of ext4, the log of xfs and of btrfs at mount, after a power cut too, and faster than any tool.
 * Only an ext4 whose superblock says that an error was met is given to `e2fsck -p`, which repairs what is safe to
 * repair. That superblock is read here in one small read, because starting e2fsck on every mount would cost more than
 * the mount. xfs and btrfs notice damage when mounting and refuse; `xfs_repair` is never run, it takes a human (and with
 * -n, on terabytes, longer than a mount may take). Rejects with FilesystemError that names the command to run; the device is
 * then as it was, or the error names the undo file.
 */
export async function checkFilesystem(
  { runner, undoDir }: CheckHost,
  device: Device,
  fs: FilesystemType,
  signal: AbortSignal,
): Promise<void> {
  if (fs !== 'ext4' || !(await readExt4Superblock(device)).needsCheck) return;
  const undoFile = path.join(undoDir, `${path.basename(device.path)}.e2undo`);
  await rm(undoFile, { force: true });
  const { exitCode } = await runTool(
    runner,
    {
      attempt: `check "${device.path}"`,
      program: 'e2fsck',
      args: ['-p', '-z', undoFile, '--', pathToOpen(device)],
      accepts: () => true,
      timeoutMs: 90_000,
    },
    signal,
  );
  if (exitCode >= UNCORRECTED) {
    await undo(runner, device, undoFile);
    throw new FilesystemError(
      `will not mount "${device.path}": its ext4 needs more than a replay (e2fsck -p ended with ${exitCode}), and what it takes may ` +
        `lose files; nothing was changed, take a snapshot, map the volume by hand and run "e2fsck -f ${device.path}"`,
      { context: { device: device.path, exitCode } },
    );
  }
  await rm(undoFile, { force: true });
}

/** Before it gives up, `e2fsck -p` may have deleted a journal that it could not read, with all that was to be replayed. */
async function undo(runner: Runner, device: Device, undoFile: string): Promise<void> {
  if (!existsSync(undoFile)) return;
  const call = {
    attempt: `take back what "e2fsck -p" changed on "${device.path}" before it gave up; run "e2undo ${undoFile} ${device.path}" by hand`,
    program: 'e2undo',
    args: [undoFile, pathToOpen(device)],
    timeoutMs: UNDO_LIMIT_MS,
  };
  // Not the Mount's signal: who gives up waiting must not leave it half undone.
  await runTool(runner, call, AbortSignal.timeout(UNDO_LIMIT_MS));
  await rm(undoFile, { force: true });
}
