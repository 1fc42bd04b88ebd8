import type { Device } from '../attach/attacher.ts';
import type { Runner } from '../host/run.ts';
import { pathToOpen } from './path-to-open.ts';
import { runTool } from './tool.ts';

/**
 * Takes the device's content out of the page cache (BLKFLSBUF), so that the next look reads what is on the disk by then. Pages that somebody
 * has mapped or written and not synced are none of those. Rejects with FilesystemError.
 */
export async function dropCaches(runner: Runner, device: Device, signal: AbortSignal): Promise<void> {
  const flush = {
    attempt: `read "${device.path}" anew`,
    program: 'blockdev',
    args: ['--flushbufs', pathToOpen(device)],
  };
  await runTool(runner, flush, signal);
}
