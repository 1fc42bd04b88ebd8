import { FilesystemError, isPluginError } from '../errors.ts';
import type { DelayedRun } from '../host/delayed-run.ts';
import { CommandError, type Runner } from '../host/run.ts';
import type { Log } from '../runtime/log.ts';
import type { Freezer, FrozenMount } from '../volumes/ports.ts';
import { runTool } from './tool.ts';

/** For the program that freezes or thaws, ms. What it flushes was flushed before. */
const FREEZE_MS = 2000;
const FLUSH_MS = 20_000;

export interface FreezerParts {
  readonly runner: Runner;
  /** See runLater. */
  readonly runLater: (program: string, args: readonly string[], ms: number) => DelayedRun;
  /** See FrozenRecord. */
  readonly record: {
    read(): Promise<readonly string[]>;
    write(mountpoints: readonly string[]): Promise<void>;
  };
  readonly log: Log;
}

/** Freezes by fsfreeze(8), and has a second process thaw where this one does not get to it. */
export function createFreezer(parts: FreezerParts): Freezer {
  return new HostFreezer(parts);
}

class HostFreezer implements Freezer {
  readonly #parts: FreezerParts;
  readonly #frozen = new Set<string>();

  constructor(parts: FreezerParts) {
    this.#parts = parts;
  }

  async freeze(mountpoint: string, limitMs: number, signal: AbortSignal): Promise<FrozenMount> {
    const { runner, log } = this.#parts;
    await this.#flush(mountpoint, signal);
    this.#frozen.add(mountpoint);
    // On disk before it happens: a life that is killed in between is made good by the next (rule 18).
    await this.#record();
    let guard: DelayedRun | undefined;
    try {
      guard = this.#guard(mountpoint, limitMs);
      const attempt = `freeze the file system at "${mountpoint}"`;
      await runTool(
        runner,
        { attempt, program: 'fsfreeze', args: ['--freeze', mountpoint], timeoutMs: FREEZE_MS },
        signal,
      );
    } catch (cause) {
      // It may be frozen all the same.
      await guard?.now();
      await this.#over(mountpoint);
      throw cause;
    }
    const thaw = async (): Promise<boolean> => {
      try {
        return await this.#thaw(mountpoint);
      } catch (cause) {
        if (!isPluginError(cause)) throw cause;
        log.warn({ mountpoint, error: cause.message }, 'file system not thawed at the first try');
        return false;
      } finally {
        await guard.now();
        await this.#over(mountpoint);
      }
    };
    return { thaw };
  }

  async thawLeft(): Promise<void> {
    const { record, log } = this.#parts;
    const left = await record.read();
    for (const mountpoint of left) {
      const wasFrozen = await this.#thaw(mountpoint).catch((cause: unknown) => {
        if (!isPluginError(cause)) throw cause;
        log.warn(
          { mountpoint, error: cause.message },
          'a file system that an earlier life froze cannot be thawed',
        );
        return false;
      });
      if (wasFrozen) log.warn({ mountpoint }, 'file system thawed that an earlier life had left frozen');
    }
    if (left.length > 0) await record.write([]);
  }

  /** True: it was frozen until now. */
  async #thaw(mountpoint: string): Promise<boolean> {
    const attempt = `thaw the file system at "${mountpoint}"`;
    const { exitCode } = await runTool(
      this.#parts.runner,
      // 1: it is not frozen, or nothing is mounted there.
      {
        attempt,
        program: 'fsfreeze',
        args: ['--unfreeze', mountpoint],
        timeoutMs: FREEZE_MS,
        accepts: (result) => result.exitCode === 1,
      },
      // Whoever gives up waiting must not leave it frozen.
      AbortSignal.timeout(2 * FREEZE_MS),
    );
    return exitCode === 0;
  }

  /** What is written now need not be written while everybody waits. */
  async #flush(mountpoint: string, signal: AbortSignal): Promise<void> {
    const { runner, log } = this.#parts;
    const call = {
      attempt: `flush the file system at "${mountpoint}"`,
      program: 'xfs_io',
      args: ['-r', '-c', 'syncfs', '--', mountpoint],
      timeoutMs: FLUSH_MS,
    };
    try {
      await runTool(runner, call, signal);
    } catch (cause) {
      if (!(cause instanceof FilesystemError)) throw cause;
      log.debug({ mountpoint, error: cause.message }, 'not flushed before it is frozen');
    }
  }

  #guard(mountpoint: string, limitMs: number): DelayedRun {
    try {
      return this.#parts.runLater('fsfreeze', ['--unfreeze', mountpoint], limitMs);
    } catch (cause) {
      if (!(cause instanceof CommandError)) throw cause;
      throw new FilesystemError(
        `cannot freeze the file system at "${mountpoint}": nobody could thaw it if this plugin were killed (${cause.message})`,
        { cause },
      );
    }
  }

  async #over(mountpoint: string): Promise<void> {
    this.#frozen.delete(mountpoint);
    try {
      await this.#record();
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      // The next start thaws what is not frozen, which does nothing.
      this.#parts.log.warn({ mountpoint, error: cause.message }, 'what was frozen is still recorded');
    }
  }

  #record(): Promise<void> {
    return this.#parts.record.write([...this.#frozen]);
  }
}
