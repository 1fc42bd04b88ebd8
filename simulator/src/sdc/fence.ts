import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { FenceFile } from '../sdc-protocol.ts';
import { SdcAgentError } from './sdc-agent-error.ts';

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Whether the MDM lets this SDC do I/O on the volume; no fence file lets nobody. */
export async function isAllowed(fenceDir: string, volumeId: string, guid: string): Promise<boolean> {
  try {
    const fence = JSON.parse(await readFile(join(fenceDir, volumeId), 'utf8')) as FenceFile;
    return fence.allowed.includes(guid);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Path of the file that stands for "this SDC can do I/O on this volume". */
export function heldFile(fenceDir: string, volumeId: string, guid: string): string {
  return join(fenceDir, `${volumeId}.${guid}.held`);
}

/**
 * Whether a process still does I/O for this `.held` file. The file is locked (flock) for as long as one does, so a
 * host that lost power holds nothing although its file stayed, whatever pid namespace its processes were in.
 */
export async function isHeld(file: string): Promise<boolean> {
  return (await withHandle(file, async (handle) => !(await lock(handle, '--shared')))) ?? false;
}

/** Removes the `.held` files of this SDC that no process stands behind. An array that has never run has none. */
export async function removeStaleHeldFiles(fenceDir: string, guid: string): Promise<void> {
  for (const name of await namesIn(fenceDir)) {
    if (!name.endsWith(`.${guid}.held`)) continue;
    const file = join(fenceDir, name);
    await withHandle(file, async (handle) => {
      if (await lock(handle, '--exclusive')) await rm(file, { force: true });
    });
  }
}

/** None where there is no such directory. */
async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Locks for as long as the handle is open; false when somebody else has the lock. Node itself has no flock. */
async function lock(handle: FileHandle, mode: '--shared' | '--exclusive'): Promise<boolean> {
  const flags = ['--nonblock', '--conflict-exit-code', '9', mode, '0'];
  const child = spawn('flock', flags, { stdio: [handle.fd, 'ignore', 'inherit'] });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status === 0) return true;
  if (status === 9) return false;
  throw new SdcAgentError(`Locking a ".held" file failed: flock ended with ${String(status)}`);
}

async function withHandle<T>(file: string, use: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
