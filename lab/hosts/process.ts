import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open, readdir, readFile, readlink } from 'node:fs/promises';
import { until } from './until.ts';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks after boot, field 22 of /proc/PID/stat. */
  readonly start: string;
}

/** What a host or the array may see of the environment: no proxies, no configuration of the caller. */
export const plainEnvironment = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
} as const;

/** The identity of a running process, undefined when there is none (a zombie counts as none). */
export function identify(pid: number): ProcessId | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, start] = [fields[0], fields[19]];
  return state === 'Z' || state === 'X' || start === undefined ? undefined : { pid, start };
}

export function isRunning(process: ProcessId): boolean {
  return identify(process.pid)?.start === process.start;
}

/** Starts a program that outlives its caller; both outputs are appended to the log file. */
export async function startDetached(argv: readonly string[], logFile: string): Promise<ProcessId> {
  const [program = '', ...args] = argv;
  const log = await open(logFile, 'a');
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: plainEnvironment,
  });
  await once(child, 'spawn');
  child.unref();
  await log.close();
  const id = child.pid === undefined ? undefined : identify(child.pid);
  if (id === undefined) throw new Error(`"${argv.join(' ')}" did not start: see ${logFile}`);
  return id;
}

/** One letter for each thread, as in /proc/PID/stat; none when the process is gone. */
export async function threadStates({ pid }: ProcessId): Promise<string[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const stats = tasks.map((task) => readFile(`/proc/${pid}/task/${task}/stat`, 'utf8').catch(() => ''));
  return (await Promise.all(stats)).map((stat) => stat.charAt(stat.lastIndexOf(')') + 2) || 'X');
}

/** Sends SIGKILL and returns when the process is gone. Gone already is success. */
export async function killHard(target: ProcessId): Promise<void> {
  signal(target, 'SIGKILL');
  await until(`process ${target.pid} to end`, () => !isRunning(target), { everyMs: 10 });
}

/** Sends a signal to exactly this process; gone already is success. */
export function signal(target: ProcessId, name: NodeJS.Signals): void {
  if (!isRunning(target)) return;
  try {
    process.kill(target.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The one child of a process, as soon as it has one. */
export async function onlyChild(parent: ProcessId): Promise<ProcessId> {
  return until(`the child of process ${parent.pid}`, async () => {
    const children = await readFile(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8');
    const pid = Number(children.trim().split(' ')[0]);
    return pid > 0 ? identify(pid) : undefined;
  });
}

export interface SeenProcess extends ProcessId {
  readonly argv: readonly string[];
}

/** Every process in the same PID namespace as the given one. */
export async function processesBeside(member: ProcessId): Promise<SeenProcess[]> {
  const namespace = await readlink(`/proc/${member.pid}/ns/pid`);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const seen = await Promise.all(pids.map(async (pid) => inspect(pid, namespace)));
  return seen.filter((one) => one !== undefined);
}

async function inspect(pid: number, namespace: string): Promise<SeenProcess | undefined> {
  try {
    if ((await readlink(`/proc/${pid}/ns/pid`)) !== namespace) return undefined;
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);
    const id = identify(pid);
    return id && { ...id, argv };
  } catch {
    return undefined; // it ended while we looked
  }
}
