import { stat, statfs } from 'node:fs/promises';
import { FilesystemError } from '../errors.ts';
import { deviceNumber } from '../host/device-number.ts';
import type { Runner } from '../host/run.ts';
import type { Device } from '../attach/attacher.ts';
import type { Log } from '../runtime/log.ts';
import type { MountEntry } from '../volumes/ports.ts';
import { pathToOpen } from './path-to-open.ts';
import { readExt4Superblock } from './superblock.ts';
import { runTool } from './tool.ts';

const LIMIT_MS = 5000;

/** What a look at a mounted file system needs of its host. */
export interface FrozenHost {
  readonly runner: Runner;
  readonly log: Log;
}

/**
 * Whether a mounted file system is frozen (fsfreeze -f, FIFREEZE), so that whoever writes to it sleeps in the kernel until it is thawed.
 * Only reads: no program can try a write and give up, since not even SIGKILL wakes it, and the kernel shows the state itself nowhere.
 * What shows is what a freeze does besides: ext4 takes "needs recovery" out of its superblock, xfs gives its reserved blocks back. A
 * frozen btrfs, and an ext4 without a journal, look like any other and give false, as does what cannot be looked at. Rejects with
 * CancelledError.
 */
export async function isFrozen(
  { runner, log }: FrozenHost,
  device: Device,
  { mountpoint, fsType, readOnly }: Pick<MountEntry, 'mountpoint' | 'fsType' | 'readOnly'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (readOnly) return false;
  try {
    if (fsType === 'ext4') return await isQuietJournal(device);
    return fsType === 'xfs' && (await isWithoutReserve(runner, mountpoint, signal));
  } catch (error) {
    if (!(error instanceof FilesystemError)) throw error;
    log.debug({ mountpoint, error: error.message }, 'cannot tell whether the file system is frozen');
    return false;
  }
}

/** [Linux fs/ext4/super.c ext4_freeze] */
async function isQuietJournal(device: Device): Promise<boolean> {
  const { hasJournal, needsRecovery } = await readExt4Superblock(device);
  // Read from another device meanwhile (rule 14), one that nobody has mounted, it would look frozen.
  return hasJournal && !needsRecovery && (await isStill(device));
}

async function isStill(device: Device): Promise<boolean> {
  const { rdev } = await stat(pathToOpen(device), { bigint: true }).catch((cause: unknown) => {
    throw new FilesystemError(`cannot look at the device "${device.path}": ${String(cause)}`, { cause });
  });
  return deviceNumber(rdev) === device.number;
}

/** [Linux fs/xfs/xfs_super.c xfs_fs_freeze, xfs_save_resvblks] */
async function isWithoutReserve(runner: Runner, mountpoint: string, signal: AbortSignal): Promise<boolean> {
  const attempt = `read the reserve of the xfs at "${mountpoint}"`;
  const args = ['-r', '-x', '-c', 'resblks', '--', mountpoint];
  const { stdout } = await runTool(runner, { attempt, program: 'xfs_io', args, timeoutMs: LIMIT_MS }, signal);
  const blocks = /^reserved blocks = (\d+)$/m.exec(stdout)?.[1];
  if (blocks === undefined) {
    throw new FilesystemError(`cannot ${attempt}: this plugin does not understand what xfs_io printed`);
  }
  // One that was full when it was mounted may have got no reserve.
  return blocks === '0' && (await statfs(mountpoint)).bavail > 0;
}
