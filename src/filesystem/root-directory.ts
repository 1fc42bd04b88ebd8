import { chmod, chown, lstat, mkdir, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { FilesystemError } from '../errors.ts';
import { hasCode } from '../host/files.ts';

const MADE_MODE = 0o755;

export interface RootDirectory {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Permission bits. */
  readonly mode: number | undefined;
  /** Directory below the root that users get instead of it; '' for the root itself. */
  readonly subpath: string;
}

/**
 * Gives a new file system's root, and the subpath (made if missing), their owner and mode, and removes `lost+found`,
 * without which the root is not empty: the engine then copies no image content into it and `initdb` refuses it
 * [moby container_unix.go copyExistingContents]. e2fsck makes it again when it needs it.
 */
export async function prepareRootDirectory(mountpoint: string, root: RootDirectory): Promise<void> {
  try {
    await removeLostAndFound(path.join(mountpoint, 'lost+found'));
    await own(mountpoint, root);
    let directory = mountpoint;
    for (const step of steps(root.subpath)) {
      directory = path.join(directory, step);
      await makeDirectory(directory);
      await own(directory, root);
    }
  } catch (error) {
    if (error instanceof FilesystemError) throw error;
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new FilesystemError(`cannot prepare the root of "${mountpoint}": ${why}`, { cause: error });
  }
}

/**
 * The path of a directory below the mountpoint. Rejects with FilesystemError unless each step to it is a real
 * directory. What a container does to those directories later is not seen from here.
 */
export async function resolveDirectory(mountpoint: string, subpath: string): Promise<string> {
  let directory = mountpoint;
  for (const step of steps(subpath)) {
    directory = path.join(directory, step);
    await assertDirectory(directory, subpath);
  }
  return directory;
}

function steps(subpath: string): string[] {
  const parts = subpath.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || subpath.includes('\0')) {
    throw new FilesystemError(
      `subpath "${subpath.replaceAll('\0', '?')}" leads out of the volume; give a path in it`,
    );
  }
  return parts;
}

async function assertDirectory(directory: string, subpath: string): Promise<void> {
  let what: string;
  try {
    const facts = await lstat(directory);
    if (facts.isDirectory()) return;
    what = facts.isSymbolicLink() ? 'is a symbolic link' : 'is no directory';
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw unreadable(directory, error);
    what = 'does not exist';
  }
  throw new FilesystemError(`cannot use subpath "${subpath}": "${directory}" ${what}; make it a directory`);
}

function unreadable(directory: string, error: unknown): FilesystemError {
  const why = error instanceof Error ? error.message : 'unknown error';
  return new FilesystemError(`cannot look at "${directory}": ${why}`, { cause: error });
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory);
    // As mkfs makes the root, whatever the umask of this process is.
    await chmod(directory, MADE_MODE);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    await assertDirectory(directory, path.basename(directory));
  }
}

async function own(directory: string, { uid, gid, mode }: RootDirectory): Promise<void> {
  // -1 keeps what is there [chown(2)].
  if (uid !== undefined || gid !== undefined) await chown(directory, uid ?? -1, gid ?? -1);
  // After chown, which clears set-user-ID and set-group-ID.
  if (mode !== undefined) await chmod(directory, mode);
}

async function removeLostAndFound(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ENOTEMPTY')) throw error;
  }
}
