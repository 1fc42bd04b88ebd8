import { execa } from 'execa';
import { CancelledError } from '../errors.ts';
import { cancelled } from './cancelled.ts';
import { debianPackageOf, findProgram, PROGRAM_DIRECTORIES } from './programs.ts';

export interface RunOptions {
  /** When it fires the program gets SIGTERM, then SIGKILL, and the run rejects with CancelledError. */
  readonly signal: AbortSignal;
  /** Own limit of this one program; default 60,000. */
  readonly timeoutMs?: number;
  /** What the program reads on stdin; nothing by default. */
  readonly input?: string;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Starts programs of this host. */
export interface Runner {
  /**
   * Runs a program to its end, without a shell and with a minimal environment (LC_ALL=C), and hands back whatever
   * exit code it had. `program` is absolute, or a bare name looked up in fixed directories. Rejects with
   * CancelledError at the signal, with MissingProgramError, and with CommandError when it was killed, ran out of
   * time, or could not be started.
   */
  run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult>;
}

/** One program that has ended, or was given up: what a log may tell of it. */
export interface RunReport {
  /** As it was asked for; arguments hold names and paths of users. */
  readonly program: string;
  /** exited: with `exitCode`. failed: killed, out of time, or never started. */
  readonly outcome: 'exited' | 'cancelled' | 'failed';
  readonly exitCode: number | undefined;
  readonly ms: number;
}

export interface RunnerOptions {
  /** Told of each program when it is over. */
  readonly observer?: (report: RunReport) => void;
  readonly directories?: readonly string[];
  /** From SIGTERM to SIGKILL; default 2,000. */
  readonly killAfterMs?: number;
  /**
   * From the signal (or the time limit) to giving up on a program that even SIGKILL does not end, because it sleeps
   * in the kernel on a dead device or left its pipes to a child; default 5,000.
   */
  readonly abandonAfterMs?: number;
}

/** How a program failed, for use as `cause`: it says nothing about what was attempted for the operator. */
export class CommandError extends Error {
  readonly program: string;
  readonly args: readonly string[];
  readonly exitCode: number | undefined;
  readonly stderrTail: string;

  constructor(
    what: string,
    command: {
      program: string;
      args: readonly string[];
      exitCode?: number;
      stderr?: string;
      cause?: unknown;
    },
  ) {
    const tail = stderrTail(command.stderr ?? '');
    super(
      `${command.program} ${what}${tail === '' ? '' : `: ${tail}`}`,
      command.cause === undefined ? undefined : { cause: command.cause },
    );
    this.name = new.target.name;
    this.program = command.program;
    this.args = command.args;
    this.exitCode = command.exitCode;
    this.stderrTail = tail;
  }
}

/** The program is not on this host. */
export class MissingProgramError extends CommandError {
  /** The message without the remedy. */
  readonly reason: string;
  /** Names the Debian package that brings it; '' where there is none. */
  readonly remedy: string;

  constructor(program: string, args: readonly string[]) {
    const debianPackage = debianPackageOf(program);
    const remedy = debianPackage === undefined ? '' : `install the Debian package ${debianPackage}`;
    const what = 'is not on this host';
    super(remedy === '' ? what : `${what}; ${remedy}`, { program, args });
    this.reason = `${program} ${what}`;
    this.remedy = remedy;
  }
}

/** The last words of a program on one line, at most 160 characters: its error is at the end of what it says. */
export function stderrTail(stderr: string): string {
  const line = stderr
    .trim()
    .replaceAll(/\s*\n\s*/g, '; ')
    .replaceAll(/\p{Cc}+/gu, ' ');
  return line.length <= 160 ? line : `…${line.slice(-159)}`;
}

/** The error for a program that ended with an exit code that its caller cannot accept. */
export function exitError(program: string, args: readonly string[], result: RunResult): CommandError {
  return new CommandError(`ended with exit code ${result.exitCode}`, { program, args, ...result });
}

/** A Runner of real processes. */
export function createRunner(options: RunnerOptions = {}): Runner {
  const directories = options.directories ?? PROGRAM_DIRECTORIES;
  const settings = { killAfterMs: 2000, abandonAfterMs: 5000, ...options };
  const { observer } = options;
  const run: Runner['run'] = async (program, args, runOptions) => {
    if (runOptions.signal.aborted) throw cancelled(`running ${program}`, runOptions.signal);
    const file = findProgram(program, directories);
    if (file === undefined) throw new MissingProgramError(program, args);
    return runToEnd({ program, file, args }, runOptions, settings);
  };
  return { run: observer === undefined ? run : observed(run, observer) };
}

function observed(run: Runner['run'], observer: (report: RunReport) => void): Runner['run'] {
  return async (program, args, options) => {
    const startedMs = performance.now();
    let end: Pick<RunReport, 'outcome' | 'exitCode'> = { outcome: 'failed', exitCode: undefined };
    try {
      const result = await run(program, args, options);
      end = { outcome: 'exited', exitCode: result.exitCode };
      return result;
    } catch (error) {
      if (error instanceof CancelledError) end = { ...end, outcome: 'cancelled' };
      throw error;
    } finally {
      observer({ program, ...end, ms: Math.round(performance.now() - startedMs) });
    }
  };
}

interface Command {
  readonly program: string;
  readonly file: string;
  readonly args: readonly string[];
}

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_CHARACTERS = 4 * 1024 * 1024;

async function runToEnd(
  command: Command,
  options: RunOptions,
  limits: { killAfterMs: number; abandonAfterMs: number },
): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const subprocess = execa(command.file, command.args, {
    cancelSignal: options.signal,
    forceKillAfterDelay: limits.killAfterMs,
    timeout: timeoutMs,
    env: { PATH: PROGRAM_DIRECTORIES.join(':'), LC_ALL: 'C' },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: MAX_OUTPUT_CHARACTERS,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  const patience = new Patience(options.signal, timeoutMs, limits.abandonAfterMs);
  try {
    const ended = await Promise.race([subprocess, patience.lost]);
    if (ended !== undefined) return judge(command, options, timeoutMs, ended);
    if (options.signal.aborted) throw cancelled(`running ${command.program}`, options.signal);
    throw new CommandError(`took longer than ${timeoutMs} ms and could not be killed`, command);
  } finally {
    patience.end();
  }
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly isCanceled: boolean;
  readonly timedOut: boolean;
  readonly isMaxBuffer: boolean;
  readonly cause?: unknown;
}

function judge(command: Command, options: RunOptions, timeoutMs: number, ended: Ended): RunResult {
  if (ended.isCanceled) throw cancelled(`running ${command.program}`, options.signal);
  const failure = { program: command.program, args: command.args, stderr: ended.stderr, cause: ended.cause };
  if (ended.timedOut) throw new CommandError(`took longer than ${timeoutMs} ms`, failure);
  if (ended.isMaxBuffer) throw new CommandError('printed more than this program reads', failure);
  if (ended.exitCode !== undefined) {
    return { stdout: ended.stdout, stderr: ended.stderr, exitCode: ended.exitCode };
  }
  throw new CommandError(
    ended.signal === undefined ? 'could not be started' : `was killed by ${ended.signal}`,
    failure,
  );
}

/**
 * How long a program may outlive its end. `lost` resolves when that has passed: a program that sleeps in the kernel
 * on a dead device ignores even SIGKILL, and a caller with a deadline cannot wait for it (rule 8).
 */
class Patience {
  readonly lost: Promise<undefined>;
  readonly #signal: AbortSignal;
  readonly #abandonAfterMs: number;
  readonly #lose: () => void;
  #timer: NodeJS.Timeout;

  constructor(signal: AbortSignal, timeoutMs: number, abandonAfterMs: number) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.lost = promise;
    this.#lose = () => {
      resolve(undefined);
    };
    this.#signal = signal;
    this.#abandonAfterMs = abandonAfterMs;
    this.#timer = setTimeout(this.#lose, timeoutMs + abandonAfterMs);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#lose, this.#abandonAfterMs);
  };
}
