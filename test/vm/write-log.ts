import { type FileHandle, open } from 'node:fs/promises';

/** What dm-log-writes saw: a write, a flush (which has what was written before on the disk), or a mark of ours, in this order. */
export interface LoggedWrite {
  /** On the disk that was written. */
  readonly offset: number;
  readonly bytes: number;
  /** Where its data begins in the log; undefined for what has none. */
  readonly dataAt: number | undefined;
  readonly isFlush: boolean;
  /** On the disk when it was done, whether flushed or not. */
  readonly isDurable: boolean;
  readonly isDiscard: boolean;
  readonly mark: string | undefined;
}

/** The layout [Linux drivers/md/dm-log-writes.c]: a super block, then an entry of one sector before each write's data. */
const MAGIC = 0x6a736677736872n;
const SECTOR = 512;
const FLUSH = 1n;
const FUA = 2n;
const DISCARD = 4n;
const MARK = 8n;
const HEADER_BYTES = 32;

/** Reads a whole log. Throws for a file that is none. */
export async function readWriteLog(file: string): Promise<LoggedWrite[]> {
  const log = await open(file);
  try {
    const superBlock = await readAt(log, 0, SECTOR);
    if (superBlock.readBigUInt64LE(0) !== MAGIC) throw new Error(`"${file}" is no log of dm-log-writes`);
    const count = Number(superBlock.readBigUInt64LE(16));
    const sectorSize = superBlock.readUInt32LE(24);
    const writes: LoggedWrite[] = [];
    let at = sectorSize;
    for (let index = 0; index < count; index += 1) {
      const write = entryIn(await readAt(log, at, sectorSize), at, sectorSize);
      writes.push(write);
      at += sectorSize + (write.dataAt === undefined ? 0 : write.bytes);
    }
    return writes;
  } finally {
    await log.close();
  }
}

function entryIn(entry: Buffer, at: number, sectorSize: number): LoggedWrite {
  const flags = entry.readBigUInt64LE(16);
  const bytes = Number(entry.readBigUInt64LE(8)) * sectorSize;
  const textBytes = Number(entry.readBigUInt64LE(24));
  const [isMark, isDiscard] = [(flags & MARK) !== 0n, (flags & DISCARD) !== 0n];
  const text = entry.toString('utf8', HEADER_BYTES, HEADER_BYTES + textBytes);
  return {
    offset: Number(entry.readBigUInt64LE(0)) * sectorSize,
    bytes,
    dataAt: bytes > 0 && !isDiscard && !isMark ? at + sectorSize : undefined,
    isFlush: (flags & FLUSH) !== 0n,
    isDurable: (flags & FUA) !== 0n,
    isDiscard,
    mark: isMark ? text.replace(/\0+$/, '') : undefined,
  };
}

/** Does a write again on a file that stands for the disk: its first `part`, in whole sectors. */
export async function redo(
  { log, disk }: { readonly log: FileHandle; readonly disk: FileHandle },
  write: LoggedWrite,
  part = 1,
): Promise<void> {
  const bytes = part === 1 ? write.bytes : Math.floor((write.bytes * part) / SECTOR) * SECTOR;
  if (bytes === 0) return;
  const data = write.dataAt === undefined ? Buffer.alloc(bytes) : await readAt(log, write.dataAt, bytes);
  if (write.dataAt !== undefined || write.isDiscard) await disk.write(data, 0, bytes, write.offset);
}

async function readAt(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  await file.read(buffer, 0, bytes, position);
  return buffer;
}
