import { open } from 'node:fs/promises';
import { FilesystemError } from '../errors.ts';
import type { Device } from '../attach/attacher.ts';
import { pathToOpen } from './path-to-open.ts';

/** What the superblock of an ext4 says about its health and size [Linux Documentation/filesystems/ext4/super.rst]. */
export interface Ext4Superblock {
  readonly sizeBytes: number;
  /** An error was found while it was mounted, or it was not unmounted and has no journal to replay. */
  readonly needsCheck: boolean;
  readonly hasJournal: boolean;
  /** The journal is in use, or was when the device was taken away. */
  readonly needsRecovery: boolean;
}

/** What the superblock of an xfs says about its log [Linux fs/xfs/libxfs/xfs_format.h struct xfs_dsb]. */
export interface XfsSuperblock {
  /** Bytes of the log, when it lies in the data device (else 0). */
  readonly internalLogBytes: number;
}

const EXT4_OFFSET = 1024;
const EXT4_MAGIC = 0xef53;
const STATE_CLEAN = 0x1;
const STATE_ERRORS = 0x2;
const HAS_JOURNAL = 0x4;
const NEEDS_RECOVERY = 0x4;
const HAS_64BIT = 0x80;
const XFS_MAGIC = 'XFSB';

/**
 * Reads it from the device, without a process. True also of a mounted file system: ext4 keeps its superblock in the
 * page cache of the device. Throws FilesystemError when there is none.
 */
export async function readExt4Superblock(device: Device): Promise<Ext4Superblock> {
  const bytes = await readAt(device, EXT4_OFFSET, 1024);
  if (bytes.readUInt16LE(0x38) !== EXT4_MAGIC) throw noSuperblock(device, 'ext4');
  const state = bytes.readUInt16LE(0x3a);
  const hasJournal = (bytes.readUInt32LE(0x5c) & HAS_JOURNAL) !== 0;
  const incompat = bytes.readUInt32LE(0x60);
  const is64bit = (incompat & HAS_64BIT) !== 0;
  const blocks = bytes.readUInt32LE(0x4) + (is64bit ? bytes.readUInt32LE(0x150) * 2 ** 32 : 0);
  return {
    sizeBytes: blocks * 1024 * 2 ** bytes.readUInt32LE(0x18),
    needsCheck: (state & STATE_ERRORS) !== 0 || (!hasJournal && (state & STATE_CLEAN) === 0),
    hasJournal,
    needsRecovery: (incompat & NEEDS_RECOVERY) !== 0,
  };
}

/** Reads it from the device, without a process. Throws FilesystemError when there is none. */
export async function readXfsSuperblock(device: Device): Promise<XfsSuperblock> {
  const bytes = await readAt(device, 0, 512);
  if (bytes.toString('latin1', 0, 4) !== XFS_MAGIC) throw noSuperblock(device, 'xfs');
  const isInternal = bytes.readBigUInt64BE(48) !== 0n;
  return { internalLogBytes: isInternal ? bytes.readUInt32BE(96) * bytes.readUInt32BE(4) : 0 };
}

async function readAt(device: Device, offset: number, length: number): Promise<Buffer> {
  try {
    const handle = await open(pathToOpen(device), 'r');
    try {
      const bytes = Buffer.alloc(length);
      await handle.read(bytes, 0, length, offset);
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new FilesystemError(`cannot read the superblock of "${device.path}": ${why}`, { cause: error });
  }
}

function noSuperblock(device: Device, fs: string): FilesystemError {
  return new FilesystemError(
    `"${device.path}" holds no ${fs} superblock; look with "blkid -p ${device.node}"`,
  );
}
