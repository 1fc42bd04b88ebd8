import { type FileHandle, open } from 'node:fs/promises';
import { FilesystemError } from '../errors.ts';
import type { Device } from '../attach/attacher.ts';
import { pathToOpen } from './path-to-open.ts';

const MIB = 1024 * 1024;
const SAMPLE_BYTES = 4096;
const SAMPLES = 32;

interface Stretch {
  readonly start: number;
  readonly bytes: Buffer;
}

/** The first and the last MiB of the device. Rejects with FilesystemError when they cannot be read in full. */
export async function readEnds(device: Device): Promise<readonly Stretch[]> {
  const length = Math.min(MIB, device.sizeBytes);
  return readStretches(device, [0, device.sizeBytes - length], length);
}

/**
 * Rejects with FilesystemError that says where, unless the first and last MiB and 32 blocks spread over the device
 * are zero. Signatures that blkid knows lie in the ends; the blocks between catch data of which only the head was wiped.
 */
export async function assertZero(device: Device): Promise<void> {
  const apart = Math.floor(device.sizeBytes / (SAMPLES + 1) / SAMPLE_BYTES) * SAMPLE_BYTES;
  const starts = Array.from({ length: apart === 0 ? 0 : SAMPLES }, (_, index) => (index + 1) * apart);
  const stretches = [...(await readEnds(device)), ...(await readStretches(device, starts, SAMPLE_BYTES))];
  for (const { start, bytes } of stretches) {
    const offset = firstNonZero(bytes);
    if (offset !== undefined) {
      throw new FilesystemError(
        `"${device.path}" is not blank: it holds data at byte ${start + offset}; it is not formatted, remove the volume by hand if nobody needs it`,
      );
    }
  }
}

async function readStretches(device: Device, starts: readonly number[], length: number): Promise<Stretch[]> {
  let handle: FileHandle | undefined;
  try {
    const opened = await open(pathToOpen(device), 'r');
    handle = opened;
    return await Promise.all(starts.map((start) => readStretch(opened, start, length)));
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new FilesystemError(`cannot read "${device.path}": ${why}; see the kernel log`, { cause: error });
  } finally {
    await handle?.close();
  }
}

async function readStretch(handle: FileHandle, start: number, length: number): Promise<Stretch> {
  const bytes = Buffer.alloc(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, start + filled);
    if (bytesRead === 0) throw new Error(`it ends at byte ${start + filled}, earlier than its size says`);
    filled += bytesRead;
  }
  return { start, bytes };
}

function firstNonZero(bytes: Buffer): number | undefined {
  // Comparing is native and 100 times faster than looking for the byte, which is only needed for the message.
  if (bytes.equals(Buffer.alloc(bytes.length))) return undefined;
  return bytes.findIndex((byte) => byte !== 0);
}
