import path from 'node:path';
import * as z from 'zod';
import { hasCode } from '../host/files.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { isLeftover, type JournalFiles } from './journal-files.ts';

const ATTEMPTS = 5;

const ownerSchema = z.object({ pid: z.number(), start: z.string(), bootId: z.string(), token: z.string() });
type Owner = z.output<typeof ownerSchema>;

export interface LockFilePorts {
  readonly files: JournalFiles;
  /** Of this process. */
  readonly pid: number;
  readonly bootId: string;
  readonly clock: Pick<Clock, 'randomHex'>;
  readonly log: Log;
}

/** What came of it: ours now, or the process that has it; 'contested' where others took it again and again. */
export type Taken =
  | { readonly kind: 'taken'; readonly text: string }
  | { readonly kind: 'held'; readonly pid: number }
  | { readonly kind: 'contested' };

/**
 * Takes a lock file for this process. The owner is known by process id, start time and boot, so that the lock of a killed
 * process, of an earlier boot, or of a process whose id was given to another is no obstacle. A process in a PID namespace
 * of its own cannot be seen from outside and counts as dead. Throws the node:fs error of a disk that takes no lock.
 */
export async function takeLockFile(ports: LockFilePorts, file: string): Promise<Taken> {
  const { files, pid, bootId, clock } = ports;
  const start = (await startOf(files, pid)) ?? '';
  const mine = JSON.stringify({ pid, start, bootId, token: clock.randomHex(16) } satisfies Owner);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await files.createExclusive(file, mine)) {
      await removeLeftovers(ports, file);
      return { kind: 'taken', text: mine };
    }
    const held = await files.read(file);
    if (held === undefined) continue;
    const owner = ownerOf(held);
    if (owner !== undefined && (await isAlive(ports, owner))) return { kind: 'held', pid: owner.pid };
    await breakLock(ports, file, held);
  }
  return { kind: 'contested' };
}

/** Lets go of it, if it is still ours. Never throws. */
export async function releaseLockFile(
  { files, log }: Pick<LockFilePorts, 'files' | 'log'>,
  file: string,
  text: string,
): Promise<void> {
  try {
    if ((await files.read(file)) === text) await files.remove(file);
  } catch (error) {
    log.warn({ file, error: String(error) }, 'lock cannot be removed');
  }
}

/** Removes the dead owner's lock, and no lock that a living one made meanwhile. */
async function breakLock(ports: LockFilePorts, file: string, held: string): Promise<void> {
  const { files, clock, log } = ports;
  const aside = `${file}.${clock.randomHex(12)}.new`;
  try {
    await files.rename(file, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = await files.read(aside);
  if (moved !== undefined && moved !== held) await files.createExclusive(file, moved);
  else log.info({ file }, 'took a lock over from a process that is gone');
  await files.remove(aside);
}

/** What died while it took the lock left a file beside it. Who lives and tries just now keeps his; a torn one is nobody's. */
async function removeLeftovers(ports: LockFilePorts, file: string): Promise<void> {
  const { files, log } = ports;
  const [dir, name] = [path.dirname(file), path.basename(file)];
  try {
    for (const found of await files.list(dir)) {
      if (!isLeftover(name, found)) continue;
      const owner = ownerOf((await files.read(path.join(dir, found))) ?? '');
      if (owner === undefined || !(await isAlive(ports, owner))) await files.remove(path.join(dir, found));
    }
  } catch (error) {
    log.warn({ file, error: String(error) }, 'leftovers of a lock cannot be removed');
  }
}

async function isAlive({ files, bootId }: LockFilePorts, owner: Owner): Promise<boolean> {
  return owner.bootId === bootId && owner.start !== '' && (await startOf(files, owner.pid)) === owner.start;
}

/** Start time in clock ticks since boot, field 22 of /proc/PID/stat [proc(5)]; undefined when there is no such process. */
async function startOf(files: JournalFiles, pid: number): Promise<string | undefined> {
  const stat = await files.read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function ownerOf(text: string): Owner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
