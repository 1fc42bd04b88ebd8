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

/** Standard output without the last newline; rejects with the program's stderr. The environment is a plain one. */
export async function output(argv: readonly string[], options: { input?: string } = {}): Promise<string> {
  const [program = '', ...args] = argv;
  const { stdout } = await execa(program, args, {
    env: plainEnvironment,
    extendEnv: false,
    input: options.input ?? '',
  });
  return stdout;
}

/** True when the program ends with exit code 0. */
export async function succeeds(argv: readonly string[]): Promise<boolean> {
  const [program = '', ...args] = argv;
  const result = await execa(program, args, { env: plainEnvironment, extendEnv: false, reject: false });
  return result.exitCode === 0;
}
