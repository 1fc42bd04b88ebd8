import { lstat, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const PREFIX = 'scaleio-simulator-';
/** In the folder: whose it is. */
const OWNER_FILE = 'owner';

/** A process, told from others that got its number; numbers say something within one PID namespace only. */
const ownerSchema = z.object({ pid: z.number(), start: z.string(), pidNamespace: z.string() });
type Owner = z.output<typeof ownerSchema>;

/**
 * A new folder in `parent` for the state of this process, which removes it at its end. Where one of its kind was killed, its folder
 * goes now; what cannot be told to be such a one stays.
 */
export async function makeTemporaryFolder(parent: string): Promise<string> {
  const me = await ownerOf(process.pid);
  if (me !== undefined) await removeAbandoned(parent, me);
  const dir = await mkdtemp(join(parent, PREFIX));
  if (me !== undefined) await writeFile(join(dir, OWNER_FILE), JSON.stringify(me));
  return dir;
}

/** The folder is used by name from now on, so nobody removes it. */
export async function keepFolder(dir: string): Promise<void> {
  await rm(join(dir, OWNER_FILE), { force: true });
}

async function removeAbandoned(parent: string, me: Owner): Promise<void> {
  for (const name of await readdir(parent)) {
    const dir = join(parent, name);
    const owner = name.startsWith(PREFIX) ? parseOwner(await read(join(dir, OWNER_FILE))) : undefined;
    if (owner?.pidNamespace !== me.pidNamespace) continue;
    const living = await ownerOf(owner.pid);
    if (living?.start === owner.start || !(await isOurs(dir))) continue;
    // Two that start at once may both be at it.
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** True for a folder in which nobody else can put anything in the way of its removal. */
async function isOurs(dir: string): Promise<boolean> {
  // Gone meanwhile: whoever removed it was quicker.
  const found = await unlessGone(lstat(dir));
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
}

/** Undefined for a process that is not there, and where there is no /proc. */
async function ownerOf(pid: number): Promise<Owner | undefined> {
  const stat = await read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // Field 22 [proc(5)]; the second one may hold blanks.
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return { pid, start, pidNamespace: await readlink('/proc/self/ns/pid') };
}

function parseOwner(text: string | undefined): Owner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(text ?? 'null')).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function read(file: string): Promise<string | undefined> {
  return unlessGone(readFile(file, 'utf8'));
}

/** Undefined where there is none, or it is not for us to see. */
async function unlessGone<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ESRCH', 'EISDIR'].includes(String(code))) return undefined;
    throw error;
  }
}
