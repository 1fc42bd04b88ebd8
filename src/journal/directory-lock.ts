import path from 'node:path';
import * as z from 'zod';
import { FilesystemError } from '../errors.ts';
import { hasCode } from '../host/files.ts';
import type { Clock, Log } from '../volumes/ports.ts';
import type { JournalFiles } from './journal-files.ts';

const LOCK_FILE = 'lock';
const ATTEMPTS = 5;

const ownerSchema = z.object({ pid: z.number(), start: z.string(), bootId: z.string(), token: z.string() });
type Owner = z.output<typeof ownerSchema>;

export interface DirectoryLockPorts {
  readonly dir: string;
  readonly files: JournalFiles;
  /** Of this process. */
  readonly pid: number;
  readonly bootId: string;
  readonly clock: Pick<Clock, 'randomHex'>;
  readonly log: Log;
}

/**
 * Makes this process the only one that writes in the directory, and answers how to let go of it. Throws FilesystemError
 * that names the process which has it. The owner is known by process id, start time and boot, so that the lock of a
 * killed process, of an earlier boot, or of a process whose id was given to another never stops a start. A process in
 * a PID namespace of its own cannot be seen from outside and counts as dead.
 */
export async function lockDirectory(ports: DirectoryLockPorts): Promise<() => Promise<void>> {
  const { files, pid, bootId, clock, log } = ports;
  const file = path.join(ports.dir, LOCK_FILE);
  const start = (await startOf(files, pid)) ?? '';
  const mine = JSON.stringify({ pid, start, bootId, token: clock.randomHex(16) } satisfies Owner);
  try {
    await take(ports, file, mine);
  } catch (error) {
    if (error instanceof FilesystemError) throw error;
    // A disk that takes no lock takes no second writer's journal either.
    log.error({ file, error: String(error) }, 'journal directory cannot be locked');
  }
  return async () => {
    try {
      if ((await files.read(file)) === mine) await files.remove(file);
    } catch (error) {
      log.warn({ file, error: String(error) }, 'lock of the journal directory cannot be removed');
    }
  };
}

async function take(ports: DirectoryLockPorts, file: string, mine: string): Promise<void> {
  const { files, dir } = ports;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await files.createExclusive(file, mine)) return;
    const held = await files.read(file);
    if (held === undefined) continue;
    const owner = ownerOf(held);
    if (owner !== undefined && (await isAlive(ports, owner))) {
      throw new FilesystemError(
        `opening journal directory "${dir}" failed: process ${owner.pid} works with it; stop that process or use another --state-dir`,
        { context: { pid: owner.pid } },
      );
    }
    await breakLock(ports, file, held);
  }
  throw new FilesystemError(
    `opening journal directory "${dir}" failed: others keep taking its lock; start one process only`,
  );
}

/** Removes the dead owner's lock, and no lock that a living one made meanwhile. */
async function breakLock(ports: DirectoryLockPorts, file: string, held: string): Promise<void> {
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
  else log.info({ file }, 'took the journal directory over from a process that is gone');
  await files.remove(aside);
}

async function isAlive({ files, bootId }: DirectoryLockPorts, owner: Owner): Promise<boolean> {
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
