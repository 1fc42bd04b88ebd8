import { readFile } from 'node:fs/promises';

const MAGIC = 0x7f454c46;
const DYNAMIC_SEGMENT = 2;
const tags = { end: 0, needed: 1, strings: 5 } as const;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/**
 * Names of the shared libraries that a 64-bit little-endian program or library asks for (DT_NEEDED), so also of one
 * built for another processor, which ldd cannot tell. Undefined for a file that is no such program.
 */
export async function neededLibraries(file: string): Promise<string[] | undefined> {
  const image = await readFile(file);
  if (image.length < 64 || image.readUInt32BE(0) !== MAGIC) return undefined;
  if (image[4] !== 2 || image[5] !== 1) throw new Error(`"${file}" is not a 64-bit little-endian program`);
  const segments = readSegments(image);
  const dynamic = segments.find(({ type }) => type === DYNAMIC_SEGMENT);
  if (dynamic === undefined) return [];
  const entries = readDynamic(image, dynamic);
  const strings = entries.find(([tag]) => tag === tags.strings)?.[1];
  if (strings === undefined) return [];
  const table = offsetOf(strings, segments);
  return entries.filter(([tag]) => tag === tags.needed).map(([, at]) => textAt(image, table + at));
}

function readSegments(image: Buffer): Segment[] {
  const start = Number(image.readBigUInt64LE(32));
  const [size, count] = [image.readUInt16LE(54), image.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    return {
      type: image.readUInt32LE(at),
      offset: Number(image.readBigUInt64LE(at + 8)),
      address: Number(image.readBigUInt64LE(at + 16)),
      size: Number(image.readBigUInt64LE(at + 32)),
    };
  });
}

function readDynamic(image: Buffer, { offset, size }: Segment): [tag: number, value: number][] {
  const entries: [number, number][] = [];
  for (let at = offset; at < offset + size; at += 16) {
    const tag = Number(image.readBigInt64LE(at));
    if (tag === tags.end) break;
    entries.push([tag, Number(image.readBigUInt64LE(at + 8))]);
  }
  return entries;
}

function offsetOf(address: number, segments: readonly Segment[]): number {
  const holder = segments.find(
    (one) => one.type === 1 && address >= one.address && address < one.address + one.size,
  );
  if (holder === undefined) throw new Error(`no segment holds address ${address}`);
  return address - holder.address + holder.offset;
}

function textAt(image: Buffer, at: number): string {
  return image.toString('latin1', at, image.indexOf(0, at));
}
