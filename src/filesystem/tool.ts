import { FilesystemError } from '../errors.ts';
import { CommandError, exitError, type Runner, type RunResult, stderrTail } from '../host/run.ts';

export interface ToolCall {
  /** What the operator would call it, to follow "cannot": `mount "/dev/scinia" at "/…"`. */
  readonly attempt: string;
  readonly program: string;
  readonly args: readonly string[];
  /** What else than exit code 0 is fine. */
  readonly accepts?: (result: RunResult) => boolean;
  /** Own limit, ms; the Runner's default otherwise. */
  readonly timeoutMs?: number;
}

/**
 * Runs a file system program. Rejects with FilesystemError that says what was attempted and the program's own last
 * words, and with CancelledError.
 */
export async function runTool(runner: Runner, call: ToolCall, signal: AbortSignal): Promise<RunResult> {
  const { program, args } = call;
  let result: RunResult;
  try {
    const limit = call.timeoutMs === undefined ? {} : { timeoutMs: call.timeoutMs };
    result = await runner.run(program, args, { signal, ...limit });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new FilesystemError(`cannot ${call.attempt}: ${error.message}`, { cause: error });
  }
  if (result.exitCode === 0 || call.accepts?.(result) === true) return result;
  const words = stderrTail(result.stderr) || stderrTail(result.stdout) || `exit code ${result.exitCode}`;
  throw new FilesystemError(`cannot ${call.attempt}: ${words}`, { cause: exitError(program, args, result) });
}
