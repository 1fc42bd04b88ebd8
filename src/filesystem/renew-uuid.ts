import { DeviceHeldError, FilesystemError } from '../errors.ts';
import type { Runner } from '../host/run.ts';
import type { Device } from '../attach/attacher.ts';
import type { FilesystemType } from '../volumes/volume.ts';
import { hasBtrfsLog, renewBtrfsFsid } from './btrfs-fsid.ts';
import { isClaimed } from './exclusive-open.ts';
import { pathToOpen } from './path-to-open.ts';
import { probeDevice } from './probe.ts';
import { runTool } from './tool.ts';

/** Bits of e2fsck's exit code from which on a human is needed [e2fsprogs e2fsck(8)]. */
const UNCORRECTED = 4;
const LIMIT_MS = 90_000;

/** What a new UUID takes. */
export interface UuidHost {
  readonly runner: Runner;
  /** Mounts and unmounts the device once, so that the kernel replays its log. */
  readonly replay: (signal: AbortSignal) => Promise<void>;
}

/**
 * Gives the file system of a copy another UUID, and believes it when that is read back: `xfs_admin`, for one, ends with 0 and changes
 * nothing where the log is to be replayed. Its content stays. Not the kernel but the programs make it fit for that: tune2fs takes only what
 * e2fsck has just been through, and a btrfs cannot be mounted beside the one it was copied from. xfs_repair is never run. May be done
 * again after it failed half-way. Rejects with DeviceHeldError for one that is mounted or claimed, and with FilesystemError.
 */
export async function renewUuid(
  { runner, replay }: UuidHost,
  device: Device,
  fs: FilesystemType,
  signal: AbortSignal,
): Promise<void> {
  if (await isClaimed(device))
    throw new DeviceHeldError(
      `cannot give "${device.path}" a new UUID: its file system is in use; unmount it`,
    );
  const before = await uuidOf(runner, device, { fs, signal });
  const run = async (program: string, args: readonly string[]): Promise<void> => {
    const attempt = `give the ${fs} on "${device.path}" a new UUID`;
    const all = [...args, pathToOpen(device)];
    await runTool(runner, { attempt, program, args: all, timeoutMs: LIMIT_MS }, signal);
  };
  if (fs === 'ext4') {
    await checkThrough(runner, device, signal);
    await run('tune2fs', ['-U', 'random']);
  } else if (fs === 'xfs') {
    await replay(signal);
    // What xfs_admin, a shell script, does (rule 12).
    await run('xfs_db', ['-x', '-p', 'xfs_admin', '-c', 'uuid generate']);
  } else if (await hasBtrfsLog(device)) {
    await renewBtrfsFsid(device);
  } else {
    await run('btrfstune', ['-f', '-m']);
  }
  if ((await uuidOf(runner, device, { fs, signal })) !== before) return;
  throw new FilesystemError(
    `cannot give the ${fs} on "${device.path}" a new UUID: it still has ${before}, though nothing says why; see the kernel log`,
    { context: { device: device.path, uuid: before } },
  );
}

/** Replays the journal and looks through all of it, which is what tune2fs asks for. */
async function checkThrough(runner: Runner, device: Device, signal: AbortSignal): Promise<void> {
  const { exitCode } = await runTool(
    runner,
    {
      attempt: `check "${device.path}"`,
      program: 'e2fsck',
      args: ['-p', '-f', '--', pathToOpen(device)],
      accepts: () => true,
      timeoutMs: LIMIT_MS,
    },
    signal,
  );
  if (exitCode < UNCORRECTED) return;
  throw new FilesystemError(
    `cannot give the ext4 on "${device.path}" a new UUID: it needs more than a replay (e2fsck -p -f ended with ${exitCode})`,
    { context: { device: device.path, exitCode } },
  );
}

async function uuidOf(
  runner: Runner,
  device: Device,
  { fs, signal }: { readonly fs: FilesystemType; readonly signal: AbortSignal },
): Promise<string> {
  const probe = await probeDevice(runner, device, signal);
  if (probe.kind === 'filesystem' && probe.fs === fs && probe.uuid !== null) return probe.uuid;
  const found = probe.kind === 'filesystem' ? `${probe.fs} with UUID ${probe.uuid ?? 'none'}` : probe.kind;
  throw new FilesystemError(
    `cannot give "${device.path}" a new UUID: no ${fs} is seen on it but ${found}; nothing was changed`,
  );
}
