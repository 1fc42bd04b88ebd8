import { FilesystemError, RunningPluginError } from '../errors.ts';
import { lockDirectory, type DirectoryLockPorts } from '../journal/directory-lock.ts';
import type { Clock } from '../runtime/clock.ts';
import { DoorClosedError } from '../operator/door-client.ts';
import { handedOn, type OperatorActions } from '../volumes/operator-actions.ts';

/** For a plugin that has taken its directory and does not listen yet, ms. */
const STARTING_MS = 3000;
const AGAIN_MS = 100;

interface Ports {
  /** The running plugin. */
  readonly plugin: OperatorActions;
  /** This process, beside no plugin. */
  readonly self: OperatorActions;
  readonly directory: Omit<DirectoryLockPorts, 'clock'> & { readonly clock: Clock };
  /** Told once, when no plugin runs. */
  readonly say: (line: string) => void;
}

/**
 * Has the running plugin do it, under its locks and in its journal. Where none runs, this process does it and keeps the state
 * directory meanwhile, so that a plugin that starts waits until it is done. Rejects with RunningPluginError when a plugin works with
 * the directory and cannot be asked.
 */
export function pluginOrSelf(ports: Ports): OperatorActions {
  const whoever = new PluginOrSelf(ports);
  return handedOn((_, act, signal) => whoever.do(act, signal));
}

class PluginOrSelf {
  readonly #ports: Ports;
  #isTold = false;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  async do<T>(act: (actions: OperatorActions) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { plugin, self, directory } = this.#ports;
    const { clock } = directory;
    const end = clock.elapsed() + STARTING_MS;
    for (;;) {
      try {
        return await act(plugin);
      } catch (error) {
        if (!(error instanceof DoorClosedError)) throw error;
      }
      const unlock = await this.#directory(end);
      if (unlock === undefined) {
        await clock.sleep(AGAIN_MS, signal);
        continue;
      }
      try {
        this.#tell();
        return await act(self);
      } finally {
        await unlock();
      }
    }
  }

  /** Undefined: a plugin has it, and may be about to listen. */
  async #directory(end: number): Promise<(() => Promise<void>) | undefined> {
    const { directory } = this.#ports;
    try {
      await directory.files.makeDirectory(directory.dir);
    } catch (error) {
      directory.log.debug({ dir: directory.dir, error: String(error) }, 'state directory cannot be made');
    }
    try {
      return await lockDirectory(directory);
    } catch (cause) {
      if (!(cause instanceof FilesystemError)) throw cause;
      if (directory.clock.elapsed() < end) return undefined;
      throw new RunningPluginError(
        `nothing was done: a plugin works with "${directory.dir}" and does not listen to operators there (${cause.message}). ` +
          'Bring it up to the version of this command, and see its log for why its socket cannot be opened',
        { cause },
      );
    }
  }

  #tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const { directory, say } = this.#ports;
    say(`no plugin works with "${directory.dir}" on this host, so this command does it by itself`);
  }
}
