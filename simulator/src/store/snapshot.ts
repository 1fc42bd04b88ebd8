import { createReadStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as breathe } from 'node:timers/promises';
import { sealed, unsealed } from './state-journal.ts';

/** Saved records are written this many at a time, so that requests are answered meanwhile. */
const BATCH = 500;

/** Replaces a file as a whole: written beside it, synced, renamed over it, the folder synced. */
export async function writeSnapshot(path: string, records: readonly unknown[]): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    for (let start = 0; start < records.length; start += BATCH) {
      await file.write(
        records
          .slice(start, start + BATCH)
          .map(sealed)
          .join(''),
      );
      await breathe();
    }
    await file.write(sealed({ end: records.length }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Makes a rename or a new file in a folder outlive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Hands each record to `take`. Throws when the file is damaged: it was renamed only when complete. */
export async function readSnapshot(path: string, take: (record: unknown) => void): Promise<void> {
  let count = 0;
  let complete = false;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const read = unsealed(line);
    if (read === undefined) throw new Error(`saved state "${path}" is damaged at record ${count + 1}`);
    const entry = read.entry as { end?: number };
    if (entry.end === undefined) take(read.entry);
    else complete = entry.end === count;
    count += 1;
  }
  if (!complete) throw new Error(`saved state "${path}" ends early, after ${count} records`);
}
