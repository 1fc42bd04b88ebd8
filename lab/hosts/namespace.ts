import { execa } from 'execa';
import { plainEnvironment, type ProcessId } from './process.ts';

/** Argument vector that runs a program in the network of a process and nowhere else. */
export function inNetworkOf(member: ProcessId, argv: readonly string[]): string[] {
  return ['nsenter', `--target=${member.pid}`, '--net', '--', ...argv];
}

/** Argument vector that runs a program inside a host, counted to the host's control groups. */
export function insideHost(init: ProcessId, joinFiles: readonly string[], argv: readonly string[]): string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
  const join = 'for file in "$@"; do shift; [ "$file" = -- ] && break; echo 0 >"$file"; done; exec "$@"';
  return [
    ...['sh', '-c', join, 'sh', ...joinFiles, '--'],
    ...['nsenter', `--target=${init.pid}`, ...namespaces, '--', ...argv],
  ];
}

/** A program that ended with another status than 0; the message has what it said. */
class CommandFailedError extends Error {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(shown: string, result: { exitCode?: number | undefined; stdout: string; stderr: string }) {
    const said = result.stderr.trim() === '' ? result.stdout.trim() : result.stderr.trim();
    super(`${shown} ended with status ${result.exitCode ?? 'unknown'}: ${said}`);
    this.name = 'CommandFailedError';
    this.exitCode = result.exitCode;
    this.stdout = result.stdout;
    this.stderr = result.stderr;
  }
}

/**
 * Standard output without the last newline; throws CommandFailedError. The environment is a plain one. `shown` is how
 * messages name the command.
 */
export async function output(
  argv: readonly string[],
  { input = '', shown = `"${argv.join(' ')}"` }: { input?: string; shown?: string } = {},
): Promise<string> {
  const [program = '', ...args] = argv;
  const options = { env: plainEnvironment, extendEnv: false, input, reject: false };
  const result = await execa(program, args, options);
  if (result.exitCode !== 0) throw new CommandFailedError(shown, result);
  return result.stdout;
}

/** True when the program ends with exit code 0. */
export async function succeeds(argv: readonly string[]): Promise<boolean> {
  const [program = '', ...args] = argv;
  const result = await execa(program, args, { env: plainEnvironment, extendEnv: false, reject: false });
  return result.exitCode === 0;
}
