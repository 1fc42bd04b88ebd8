import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { SimulatorError } from '../simulator-error.ts';
import { dataPathsOf, isDataPath, signal, unlessGone } from './data-path-end.ts';

const POLL_MS = 2;
/** Hosts do not wait longer for their I/O than this: who copies for longer could be waiting for them. */
const LONGEST_PAUSE_MS = 10_000;

/**
 * Does the work while the data paths of these `.held` files stand still, so that what is copied is of one moment. The list is on disk
 * meanwhile, at `record`: whoever finds it after a kill lets them go on. Who stood still before does so afterwards. Rejects, the work being
 * done or not, when they had to go on before it ended.
 */
export async function whilePaused<T>(
  { heldFiles, record }: { readonly heldFiles: readonly string[]; readonly record: string },
  work: () => Promise<T>,
): Promise<T> {
  const pids: number[] = [];
  for (const file of heldFiles)
    for (const pid of await dataPathsOf(file)) if (!(await isStill(pid))) pids.push(pid);
  if (pids.length === 0) return work();
  await writeFile(record, JSON.stringify(pids), { mode: 0o600 });
  const overdue = setTimeout(goOn, LONGEST_PAUSE_MS, pids);
  const startedAt = performance.now();
  try {
    for (const pid of pids) signal(pid, 'SIGSTOP');
    for (const pid of pids) while (!(await isStill(pid))) await pause(POLL_MS);
    const result = await work();
    if (performance.now() - startedAt < LONGEST_PAUSE_MS) return result;
  } finally {
    clearTimeout(overdue);
    goOn(pids);
    await rm(record, { force: true });
  }
  throw new SimulatorError('Copying the data of volumes took so long that their hosts could not wait for it');
}

/** Lets go on who was paused when a simulator was killed. */
export async function resumePaused(record: string): Promise<void> {
  const list = await unlessGone(readFile(record, 'utf8'));
  if (list === undefined) return;
  for (const pid of pidsIn(list)) if (await isDataPath(String(pid))) signal(pid, 'SIGCONT');
  await rm(record, { force: true });
}

function goOn(pids: readonly number[]): void {
  for (const pid of pids) signal(pid, 'SIGCONT');
}

/** A kill in the middle of writing leaves no list, and then nobody was stopped yet. */
function pidsIn(list: string): number[] {
  return [...list.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

/** All its threads are stopped; a process that is gone does nothing more either. */
async function isStill(pid: number): Promise<boolean> {
  const threads = (await unlessGone(readdir(`/proc/${pid}/task`))) ?? [];
  for (const thread of threads) {
    const stat = await unlessGone(readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8'));
    if (stat !== undefined && !/\) [TtXZ] /.test(stat)) return false;
  }
  return true;
}
