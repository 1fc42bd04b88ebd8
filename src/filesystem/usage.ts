import { statfs } from 'node:fs/promises';

/** Room in a mounted file system, bytes. */
export interface FilesystemUsage {
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** For programs that are not root. */
  readonly availableBytes: number;
}

/** Of the guard at the mount root [statfs(2)]: what is seen at a mountpoint where nothing is mounted. */
const TMPFS_MAGIC = 0x01021994;

/**
 * What the kernel says of the file system mounted there; undefined when none is. Can take as long as a dead device makes
 * the kernel wait, and holds one of libuv's four threads meanwhile. Rejects with what the kernel says.
 */
export async function readUsage(mountpoint: string): Promise<FilesystemUsage | undefined> {
  const { type, bsize, blocks, bfree, bavail } = await statfs(mountpoint);
  if (type === TMPFS_MAGIC) return undefined;
  return {
    sizeBytes: blocks * bsize,
    usedBytes: (blocks - bfree) * bsize,
    availableBytes: bavail * bsize,
  };
}
