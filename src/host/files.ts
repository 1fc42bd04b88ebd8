import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';

/**
 * Replaces a file so that after a crash at any moment either the old or the new content is there, whole: written
 * beside it, fsynced, renamed over it, and the directory fsynced. Throws the node:fs error of the step that failed;
 * the old file is untouched then.
 */
export async function writeFileAtomic(
  file: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const beside = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    await writeSynced(beside, content, mode);
    await rename(beside, file);
  } catch (error) {
    await unlink(beside).catch((leftover: unknown) => {
      if (!hasCode(leftover, 'ENOENT'))
        throw new AggregateError([error, leftover], `cannot replace "${file}"`);
    });
    throw error;
  }
  await syncDirectory(path.dirname(file));
}

/**
 * Makes a directory, and those above it that are missing, with this mode whatever the process's umask is (a service's is 0077); one
 * that is there stays as it is. Throws the node:fs error, and always ends.
 */
export async function makeDirectories(directory: string, mode: number): Promise<void> {
  try {
    await makeDirectory(directory, mode);
  } catch (error) {
    const parent = path.dirname(directory);
    if (!hasCode(error, 'ENOENT') || parent === directory) throw error;
    await makeDirectories(parent, mode);
    // Node's own way to make all of them tries for ever where the kernel takes none though the parent is there (/proc).
    await makeDirectory(directory, mode);
  }
}

async function makeDirectory(directory: string, mode: number): Promise<void> {
  try {
    await mkdir(directory, { mode });
    await chmod(directory, mode);
  } catch (error) {
    if (!hasCode(error, 'EEXIST') || !(await stat(directory)).isDirectory()) throw error;
  }
}

/** True when the value is a node:fs (or system call) error with this code, such as ENOENT. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}

async function writeSynced(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
