import type { Runner } from '../host/run.ts';
import type { MakeRequest } from '../volumes/ports.ts';
import type { Device } from '../attach/attacher.ts';
import type { FilesystemType } from '../volumes/volume.ts';
import { pathToOpen } from './path-to-open.ts';
import { runTool } from './tool.ts';

/**
 * A new volume is thin and blank, so discarding it would only cost time. ext4 writes its inode tables later, in the
 * background, and takes the journal as it is: blank.
 */
const defaults: Readonly<Record<FilesystemType, readonly string[]>> = {
  ext4: ['-q', '-E', 'nodiscard,lazy_itable_init=1,lazy_journal_init=1'],
  xfs: ['-q', '-K'],
  btrfs: ['-q', '--nodiscard'],
};

/**
 * Makes a file system on a device that the caller has proven blank. Never forces: mkfs.xfs and mkfs.btrfs refuse what
 * holds one already. Rejects with FilesystemError.
 */
export async function makeFilesystem(
  runner: Runner,
  device: Device,
  request: MakeRequest,
  signal: AbortSignal,
): Promise<void> {
  await runTool(
    runner,
    {
      attempt: `make an ${request.fs} file system on "${device.path}"`,
      program: `mkfs.${request.fs}`,
      args: [...makeArguments(request), '--', pathToOpen(device)],
      timeoutMs: 100_000,
    },
    signal,
  );
}

/**
 * Our defaults, then the user's options. mke2fs keeps only the last -E, so all are put into one, the user's last in it.
 */
export function makeArguments({ fs, options }: MakeRequest): string[] {
  const own = defaults[fs];
  if (fs !== 'ext4') return [...own, ...options];
  const extended: string[] = [];
  const others: string[] = [];
  const all = [...own, ...options];
  for (let index = 0; index < all.length; index++) {
    const option = all[index] ?? '';
    if (option === '-E') extended.push(all[++index] ?? '');
    else if (/^-E./.test(option)) extended.push(option.slice(2));
    else others.push(option);
  }
  return [...others, '-E', extended.join(',')];
}
