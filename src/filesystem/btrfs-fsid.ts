import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { FilesystemError } from '../errors.ts';
import type { Device } from '../attach/attacher.ts';
import { crc32c } from './crc32c.ts';
import { pathToOpen } from './path-to-open.ts';

/* [Linux include/uapi/linux/btrfs_tree.h struct btrfs_super_block] */
const SUPER_BYTES = 4096;
/** The first, which alone counts, and its mirrors. */
const OFFSETS = [0x1_0000, 0x400_0000, 0x40_0000_0000];
const FSID = 0x20;
const MAGIC = { at: 0x40, text: '_BHRfS_M' };
const LOG_ROOT = 0x60;
const INCOMPAT = 0xbc;
const INCOMPAT_METADATA_UUID = 0x400n;
const CHECKSUM_TYPE = 0xc4;
const METADATA_UUID = 0x23b;
const UUID_BYTES = 16;

/** Whether it has a log to be replayed by the next mount: what was synced since its last commit. Throws FilesystemError. */
export async function hasBtrfsLog(device: Device): Promise<boolean> {
  return onDevice(device, constants.O_RDONLY, async (handle) => {
    const block = await readSuper(handle, OFFSETS[0] ?? 0);
    if (block === undefined) throw new Error('its superblock cannot be read');
    return block.readBigUInt64LE(LOG_ROOT) !== 0n;
  });
}

/**
 * Gives a btrfs another UUID as `btrfstune -m` does, which writes it to the superblocks and has the old one known as that of the metadata,
 * but without its two commits: after those the kernel finds the log too old, and what was synced is lost with it [btrfs-progs
 * tune/change-metadata-uuid.c, Linux fs/btrfs/disk-io.c btrfs_replay_log]. Only for checksums of the usual kind. Throws FilesystemError.
 */
export async function renewBtrfsFsid(device: Device): Promise<void> {
  const fsid = randomUuid();
  await onDevice(device, constants.O_RDWR | constants.O_EXCL, async (handle) => {
    // Mirrors first: until the last write it is the file system that it was.
    for (const offset of OFFSETS.toReversed()) {
      if (offset + SUPER_BYTES > device.sizeBytes) continue;
      const block = await readSuper(handle, offset);
      if (block === undefined && offset === OFFSETS[0]) throw new Error('its superblock cannot be read');
      if (block === undefined) continue;
      await handle.write(withFsid(block, fsid), 0, SUPER_BYTES, offset);
    }
    await handle.sync();
  });
}

function withFsid(block: Buffer, fsid: Buffer): Buffer {
  const changed = Buffer.from(block);
  const incompat = changed.readBigUInt64LE(INCOMPAT);
  if ((incompat & INCOMPAT_METADATA_UUID) === 0n) {
    block.copy(changed, METADATA_UUID, FSID, FSID + UUID_BYTES);
    changed.writeBigUInt64LE(incompat | INCOMPAT_METADATA_UUID, INCOMPAT);
  }
  fsid.copy(changed, FSID);
  changed.writeUInt32LE(crc32c(changed.subarray(FSID)), 0);
  return changed;
}

/** Undefined for what is none, is damaged, or has a checksum of another kind. */
async function readSuper(handle: FileHandle, offset: number): Promise<Buffer | undefined> {
  const block = Buffer.alloc(SUPER_BYTES);
  const { bytesRead } = await handle.read(block, 0, SUPER_BYTES, offset);
  const isWhole =
    bytesRead === SUPER_BYTES && block.toString('latin1', MAGIC.at, MAGIC.at + 8) === MAGIC.text;
  if (!isWhole || block.readUInt16LE(CHECKSUM_TYPE) !== 0) return undefined;
  return block.readUInt32LE(0) === crc32c(block.subarray(FSID)) ? block : undefined;
}

/** Of version 4 [RFC 9562]. */
function randomUuid(): Buffer {
  const bytes = randomBytes(UUID_BYTES);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes;
}

async function onDevice<T>(
  device: Device,
  flags: number,
  work: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  try {
    const handle = await open(pathToOpen(device), flags);
    try {
      return await work(handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new FilesystemError(`cannot give the btrfs on "${device.path}" a new UUID: ${why}`, {
      cause: error,
    });
  }
}
