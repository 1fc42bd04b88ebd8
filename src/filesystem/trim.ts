import { FilesystemError } from '../errors.ts';
import type { Runner, RunResult } from '../host/run.ts';
import { runTool } from './tool.ts';

/** The caller's signal is what limits it; this only catches a caller without one. */
const LIMIT_MS = 3_600_000;

/**
 * Tells the device which blocks of a mounted file system hold nothing, and hands back how many bytes the kernel says it
 * gave up: after a fresh mount all that is free, later only what was freed since (ext4) or all again (xfs). A device that cannot
 * discard gave up nothing. Rejects with FilesystemError, with CancelledError at the signal.
 */
export async function trimFilesystem(
  runner: Runner,
  mountpoint: string,
  signal: AbortSignal,
): Promise<number> {
  const attempt = `trim "${mountpoint}"`;
  const call = {
    attempt,
    program: 'fstrim',
    args: ['--verbose', '--', mountpoint],
    timeoutMs: LIMIT_MS,
    accepts: isUnsupported,
  };
  const result = await runTool(runner, call, signal);
  if (isUnsupported(result)) return 0;
  const { stdout } = result;
  const bytes = /\((\d+) bytes\) trimmed/.exec(stdout)?.[1];
  if (bytes !== undefined) return Number(bytes);
  throw new FilesystemError(`cannot ${attempt}: this plugin does not understand what fstrim printed`);
}

/** Old fstrim has no option for it [util-linux sys-utils/fstrim.c]. */
function isUnsupported({ exitCode, stderr }: RunResult): boolean {
  return exitCode !== 0 && stderr.includes('discard operation is not supported');
}
