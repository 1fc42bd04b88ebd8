import { execa } from 'execa';
import { MissingProgramError } from './run.ts';
import { findProgram, PROGRAM_DIRECTORIES } from './programs.ts';

/** A program that runs once its time has come, also when this process has been killed by then. */
export interface DelayedRun {
  /** Lets it run now, unless it has; resolves when it is over. How it ended nobody is told. */
  now(): Promise<void>;
}

/**
 * Has the program run after so many ms. Two small processes wait for it, which outlive this one: `sleep` keeps a pipe open, and `xargs`
 * begins when it is closed. What ends every process of a service or container at once ends them, too. Throws MissingProgramError.
 */
export function runLater(program: string, args: readonly string[], ms: number): DelayedRun {
  const [file, xargs, sleep] = [program, 'xargs', 'sleep'].map((name) => {
    const found = findProgram(name, PROGRAM_DIRECTORIES);
    if (found === undefined) throw new MissingProgramError(name, []);
    return found;
  });
  const options = {
    env: { PATH: PROGRAM_DIRECTORIES.join(':'), LC_ALL: 'C' },
    extendEnv: false,
    reject: false,
    detached: true,
    cleanup: false,
    stderr: 'ignore',
  } as const;
  const runs = execa(xargs ?? '', [file ?? '', ...args], { ...options, stdin: 'pipe', stdout: 'ignore' });
  const waits = execa(sleep ?? '', [String(ms / 1000)], { ...options, stdin: 'ignore', stdout: runs.stdin });
  // The end of `sleep` alone is to close it.
  runs.stdin.destroy();
  return {
    now: async () => {
      waits.kill('SIGKILL');
      await runs;
    },
  };
}
