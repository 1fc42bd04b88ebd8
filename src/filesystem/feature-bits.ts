import { type FileHandle, open } from 'node:fs/promises';
import type { Device } from '../attach/attacher.ts';
import type { FilesystemType } from '../volumes/volume.ts';
import { crc32c } from './crc32c.ts';
import { pathToOpen } from './path-to-open.ts';
import type { FeatureBits } from './features.ts';

/** A superblock, and what can be said of it without believing the rest of the file system. */
interface Superblock {
  readonly offset: number;
  readonly length: number;
  /** Undefined when it bears damage: another magic, a checksum that does not fit, a mark that asks for repair. */
  readonly read: (bytes: Buffer) => FeatureBits | undefined;
}

const EXT4_MAGIC = 0xef53;
const EXT4_ERRORS = 0x2;
const EXT4_METADATA_CSUM = 0x400;
const XFS_NEEDSREPAIR = 0x10;
/** Smaller is no sector, larger none that xfs takes. */
const XFS_SECTORS = { least: 512, most: 32_768 };
const BTRFS_SIZE = 4096;

const SUPERBLOCKS: Readonly<Record<FilesystemType, Superblock>> = {
  ext4: { offset: 1024, length: 1024, read: readExt4 },
  xfs: { offset: 0, length: XFS_SECTORS.most, read: readXfs },
  btrfs: { offset: 0x1_0000, length: BTRFS_SIZE, read: readBtrfs },
};

/**
 * The feature bits of a file system whose superblock is whole; undefined when it is not or cannot be read, and then nothing may be
 * called healthy.
 */
export async function readFeatureBits(device: Device, fs: FilesystemType): Promise<FeatureBits | undefined> {
  const { offset, length, read } = SUPERBLOCKS[fs];
  let handle: FileHandle | undefined;
  try {
    handle = await open(pathToOpen(device), 'r');
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    return bytesRead < length ? undefined : read(bytes);
  } catch (error) {
    // The caller has an error to tell that says more than this one.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  } finally {
    await handle?.close();
  }
}

/** [Linux Documentation/filesystems/ext4/super.rst]; the checksum is kept without its last inversion. */
function readExt4(bytes: Buffer): FeatureBits | undefined {
  if (bytes.readUInt16LE(0x38) !== EXT4_MAGIC || (bytes.readUInt16LE(0x3a) & EXT4_ERRORS) !== 0)
    return undefined;
  const roCompat = bytes.readUInt32LE(0x64);
  const sum = ~crc32c(bytes.subarray(0, 0x3fc)) >>> 0;
  // Without a checksum nothing tells rubbish from features that nobody knows yet.
  if ((roCompat & EXT4_METADATA_CSUM) === 0 || bytes.readUInt32LE(0x3fc) !== sum) return undefined;
  return { incompat: bytes.readUInt32LE(0x60), roCompat, logIncompat: 0 };
}

/** [Linux fs/xfs/libxfs/xfs_format.h struct xfs_dsb]; version 4 has no such bits. */
function readXfs(bytes: Buffer): FeatureBits | undefined {
  const sector = bytes.readUInt16BE(102);
  if (bytes.toString('latin1', 0, 4) !== 'XFSB' || (bytes.readUInt16BE(100) & 0xf) !== 5) return undefined;
  if (sector < XFS_SECTORS.least || sector > XFS_SECTORS.most) return undefined;
  const block = Buffer.from(bytes.subarray(0, sector));
  const sum = block.readUInt32LE(224);
  block.writeUInt32LE(0, 224);
  const incompat = block.readUInt32BE(216);
  if (crc32c(block) !== sum || (incompat & XFS_NEEDSREPAIR) !== 0) return undefined;
  return { incompat, roCompat: block.readUInt32BE(212), logIncompat: block.readUInt32BE(220) };
}

/** [Linux include/uapi/linux/btrfs_tree.h struct btrfs_super_block]; of other checksums than crc32c nothing is believed. */
function readBtrfs(bytes: Buffer): FeatureBits | undefined {
  if (bytes.toString('latin1', 0x40, 0x48) !== '_BHRfS_M') return undefined;
  if (bytes.readUInt16LE(0xc4) !== 0 || bytes.readUInt32LE(0) !== crc32c(bytes.subarray(0x20)))
    return undefined;
  return { incompat: bytes.readUInt32LE(0xbc), roCompat: bytes.readUInt32LE(0xb4), logIncompat: 0 };
}
