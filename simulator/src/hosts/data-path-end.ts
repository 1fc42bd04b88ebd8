import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename } from 'node:path';

/**
 * The processes that do a volume's I/O for one SDC: those that hold its `.held` file open. Processes that this one cannot see, such as on
 * another machine, are not among them.
 */
export async function dataPathsOf(heldFile: string): Promise<number[]> {
  const held = await unlessGone(stat(heldFile));
  if (held === undefined) return [];
  const file = { name: basename(heldFile), inode: String(held.ino) };
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)))
    if ((await isDataPath(pid)) && (await hasOpen(pid, file))) found.push(Number(pid));
  return found;
}

/**
 * SIGKILL to the data paths of a `.held` file. None of their I/O comes after it, also when they are stopped or frozen now: the first thing
 * they do when they go on is to die.
 */
export async function killDataPath(heldFile: string): Promise<void> {
  for (const pid of await dataPathsOf(heldFile)) signal(pid, 'SIGKILL');
}

export async function isDataPath(pid: string): Promise<boolean> {
  return (await unlessGone(readFile(`/proc/${pid}/comm`, 'utf8'))) === 'scini\n';
}

async function hasOpen(pid: string, file: { name: string; inode: string }): Promise<boolean> {
  const descriptors = (await unlessGone(readdir(`/proc/${pid}/fd`))) ?? [];
  const found = await Promise.all(descriptors.map((descriptor) => leadsTo(file, pid, descriptor)));
  return found.includes(true);
}

/** Never by stat: among the open files is the very one that a stopped data path serves, and it would wait for that. */
async function leadsTo(
  file: { name: string; inode: string },
  pid: string,
  descriptor: string,
): Promise<boolean> {
  const target = await unlessGone(readlink(`/proc/${pid}/fd/${descriptor}`));
  if (target === undefined || basename(target) !== file.name) return false;
  const facts = await unlessGone(readFile(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8'));
  return /^ino:\s*(\d+)$/m.exec(facts ?? '')?.[1] === file.inode;
}

/** Undefined in place of what is no longer there. */
export async function unlessGone<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH') || hasCode(error, 'EACCES')) return undefined;
    throw error;
  }
}

/** Sends a signal to a process, if it is still there. */
export function signal(pid: number, name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
