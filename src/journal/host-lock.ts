import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../host/files.ts';
import type { SoleServer } from '../volumes/ports.ts';
import { type LockFilePorts, releaseLockFile, takeLockFile } from './lock-file.ts';

export interface HostLockPorts extends LockFilePorts {
  /**
   * A directory that all plugins of this host share, that only root can write to and that does not outlive a boot: /dev, which
   * the managed plugin sees, too.
   */
  readonly dir: string;
}

/** Keys that this process alone serves on this host, until it lets go of them. */
export interface HostLock extends SoleServer {
  close(): Promise<void>;
}

/**
 * One plugin a host for each key, whatever directories they work with. What is not root's is told and stops nobody: anybody could
 * make it. Where the directory takes no lock, as for a plugin that is not root, there is none.
 */
export function createHostLock(ports: HostLockPorts): HostLock {
  const claims = new Map<string, Promise<string | undefined>>();
  const taken = new Map<string, string>();
  const take = async (file: string): Promise<string | undefined> => {
    try {
      const result = await takeLockFile(ports, file);
      if (result.kind === 'taken') {
        taken.set(file, result.text);
        return undefined;
      }
      if (!(await isOfRoot(file))) {
        ports.log.warn(
          { file },
          "a lock of this plugin's name is not root's, so it is not heeded; remove it",
        );
        return undefined;
      }
      return result.kind === 'held' ? `process ${result.pid}` : 'a process that restarts again and again';
    } catch (error) {
      ports.log.info({ file, error: String(error) }, 'cannot be sure to be the only plugin on this host');
      return undefined;
    }
  };
  return {
    claim: async (key) => {
      const file = path.join(ports.dir, fileOf(key));
      if (taken.has(file)) return undefined;
      const claim = claims.get(file) ?? take(file);
      claims.set(file, claim);
      try {
        return await claim;
      } finally {
        claims.delete(file);
      }
    },
    close: async () => {
      for (const [file, text] of taken) await releaseLockFile(ports, file, text);
      taken.clear();
    },
  };
}

function fileOf(key: string): string {
  return `docker-volume-scaleio.${createHash('sha256').update(key).digest('hex').slice(0, 16)}.lock`;
}

async function isOfRoot(file: string): Promise<boolean> {
  try {
    return (await stat(file)).uid === 0;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
