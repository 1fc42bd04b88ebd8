import path from 'node:path';
import { FilesystemError } from '../errors.ts';
import { type LockFilePorts, releaseLockFile, takeLockFile } from './lock-file.ts';

/*
 * Written by hand on purpose. proper-lockfile goes by the age of a file, which is the machine's settable time, and frees the lock of a
 * process that hangs; flock needs a native addon, which the one-file program cannot hold. See lock-file.ts for who counts as alive.
 */

export const LOCK_FILE = 'lock';

export interface DirectoryLockPorts extends LockFilePorts {
  readonly dir: string;
}

/**
 * Makes this process the only one that writes in the directory, and answers how to let go of it. Throws FilesystemError
 * that names the process which has it; whose lock counts, takeLockFile says.
 */
export async function lockDirectory(ports: DirectoryLockPorts): Promise<() => Promise<void>> {
  const { dir, log } = ports;
  const file = path.join(dir, LOCK_FILE);
  try {
    const taken = await takeLockFile(ports, file);
    if (taken.kind === 'taken') return () => releaseLockFile(ports, file, taken.text);
    if (taken.kind === 'contested') {
      throw new FilesystemError(
        `opening journal directory "${dir}" failed: others keep taking its lock; start one process only`,
      );
    }
    throw new FilesystemError(
      `opening journal directory "${dir}" failed: process ${taken.pid} works with it; stop that process or use another --state-dir`,
      { context: { pid: taken.pid } },
    );
  } catch (error) {
    if (error instanceof FilesystemError) throw error;
    // A disk that takes no lock takes no second writer's journal either.
    log.error({ file, error: String(error) }, 'journal directory cannot be locked');
    return () => Promise.resolve();
  }
}
