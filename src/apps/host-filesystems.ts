import { release, uptime } from 'node:os';
import type { LocalSettings } from '../config/settings.ts';
import { createFilesystems } from '../filesystem/filesystems.ts';
import type { Runner } from '../host/run.ts';
import type { Log } from '../runtime/log.ts';
import type { Filesystems } from '../volumes/ports.ts';
import { type NewStartPorts, startAnew } from './new-start.ts';

interface HostParts {
  readonly runner: Runner;
  readonly log: Log;
  readonly owner: Pick<NewStartPorts, 'files' | 'bootId'>;
  /** Has this program started anew; undefined where nobody would start it. */
  readonly end: (() => void) | undefined;
}

/** The file systems of this host. A managed plugin whose mounts the engine has cut off from the host asks for a new start, once. */
export function filesystemsHere(
  { mountRoot, stateDir, hostMountinfo }: LocalSettings,
  { runner, log, owner, end }: HostParts,
): Filesystems {
  let asked: Promise<void> | undefined;
  return createFilesystems({
    mountRoot,
    undoDir: stateDir,
    hostMountinfo,
    kernelRelease: release(),
    runner,
    log,
    onCutOff: () => {
      if (end === undefined) return;
      const why = "this plugin's mounts no longer reach the host";
      asked ??= startAnew(why, { ...owner, dir: stateDir, uptimeMs: () => uptime() * 1000, log, end });
    },
  });
}
