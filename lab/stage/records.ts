import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Host } from '../hosts/host.ts';

/** Bytes of one record: a divisor of every page and block size, so that no record is ever half on a volume. */
const RECORD_BYTES = 64;

/** Characters of a writer's name, so that its number, its checksum and the blanks between fit beside it. */
const LONGEST_WRITER = 25;

/**
 * Shell program that appends numbered, checksummed records with the writer's name to /data/records, each with fsync, and
 * prints each number when it is acknowledged ("ok 7") or failed ("failed 7 <why>"). It goes on with the number after the
 * last one of the volume. It never stops by itself: what it writes after a failure must not arrive either. The
 * environment's WRITER is the beginning of the writer's name; the container's id makes it unique.
 */
export const RECORDING = `
writer=$WRITER-$(hostname | cut -c1-6) file=/data/records n=0
trap 'exit 0' TERM
[ \${#writer} -le ${LONGEST_WRITER} ] || { echo "writer $writer has no room in a record"; exit 1; }
[ ! -e $file ] || n=$(($(stat -c %s $file) / ${RECORD_BYTES}))
echo "writer $writer"
while :; do
  n=$((n + 1)) sum=$(printf %s "$((n)) $writer" | md5sum)
  printf '%-${RECORD_BYTES - 1}s\\n' "$n $writer \${sum%% *}" |
    dd of=$file oflag=append conv=notrunc,fsync 2>/tmp/said && echo "ok $n" || echo "failed $n $(head -n 1 /tmp/said)"
  usleep \${PAUSE_US:-50000}
done`;

export interface StoredRecord {
  readonly number: number;
  readonly writer: string;
}

/** What one writer says that it did. */
export interface Testimony {
  readonly writer: string;
  readonly acknowledged: readonly number[];
  /** Numbers whose writing failed, and why. */
  readonly failed: readonly { readonly number: number; readonly why: string }[];
}

/** The records of a volume; throws when one is damaged, missing, or in the wrong place. */
export function parseRecords(text: string): StoredRecord[] {
  if (text.length % RECORD_BYTES !== 0)
    throw new Error(`${text.length} bytes are no whole number of records`);
  return Array.from({ length: text.length / RECORD_BYTES }, (_, index) => {
    const line = text.slice(index * RECORD_BYTES, (index + 1) * RECORD_BYTES);
    const [number = '', writer = '', sum = ''] = line.trim().split(' ');
    const isIntact = createHash('md5').update(`${number} ${writer}`).digest('hex') === sum;
    if (!isIntact || Number(number) !== index + 1)
      throw new Error(`record ${index + 1} of the volume is ${JSON.stringify(line)}`);
    return { number: Number(number), writer };
  });
}

/** Names of the writers in the order in which they had the volume; throws when one wrote again after the next. */
export function writersInTurn(records: readonly StoredRecord[]): string[] {
  const turns = records.map(({ writer }) => writer).filter((writer, index, all) => writer !== all[index - 1]);
  if (new Set(turns).size < turns.length) throw new Error(`writers took turns: ${turns.join(', ')}`);
  return turns;
}

/** Throws when a record that its writer saw acknowledged is not on the volume as that writer's. */
export function assertKept(records: readonly StoredRecord[], testimonies: readonly Testimony[]): void {
  for (const { writer, acknowledged } of testimonies) {
    const lost = acknowledged.filter((number) => records[number - 1]?.writer !== writer);
    if (lost.length > 0) throw new Error(`acknowledged records of ${writer} are lost: ${lost.join(', ')}`);
  }
}

/** Of every container that records or has recorded on a host, also while the host is off or out of reach. */
export async function testimoniesOn(host: Host): Promise<Testimony[]> {
  const containers = path.join(host.directory, 'docker/containers');
  const ids = existsSync(containers) ? await readdir(containers) : [];
  const logs = await Promise.all(ids.map((id) => said(path.join(containers, id, `${id}-json.log`))));
  return logs.flatMap(testimonyOf);
}

async function said(log: string): Promise<string[]> {
  if (!existsSync(log)) return [];
  const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
  return lines.map((line) => (JSON.parse(line) as { log: string }).log.trim());
}

function testimonyOf(lines: readonly string[]): Testimony[] {
  const writer = /^writer (\S+)$/.exec(lines[0] ?? '')?.[1];
  if (writer === undefined) return [];
  const acknowledged = lines.flatMap((line) => /^ok (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  const failed = lines.flatMap((line) => {
    const [, number, why = ''] = /^failed (\d+) (.*)$/.exec(line) ?? [];
    return number === undefined ? [] : [{ number: Number(number), why }];
  });
  return [{ writer, acknowledged, failed }];
}
