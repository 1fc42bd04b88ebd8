import path from 'node:path';
import * as z from 'zod';
import { asVolumeId, type VolumeId } from '../array/ids.ts';
import { FilesystemError } from '../errors.ts';
import type { DroppedRestore, DroppedRestores } from '../volumes/ports.ts';
import { journalFiles } from './journal-files.ts';

const FILE = 'dropped-restores';
const MOST = 100;
const schema = z.array(
  z.object({
    at: z.string(),
    volume: z.string(),
    volumeId: z.string().transform(asVolumeId),
    snapshot: z.string(),
    keptAs: z.string(),
    why: z.string(),
  }),
);

/** Restores that were cut short and dropped, in a file of the state directory; the last 100. One process writes it. */
export function droppedRestores(dir: string): DroppedRestores {
  const file = path.join(dir, FILE);
  const all = async (): Promise<readonly DroppedRestore[]> => {
    try {
      const read = schema.safeParse(JSON.parse((await journalFiles.read(file)) ?? '[]'));
      return read.success ? read.data : [];
    } catch (error) {
      // Not there to be read, or no JSON: then nothing is known.
      if (error instanceof Error) return [];
      throw error;
    }
  };
  const write = async (records: readonly DroppedRestore[]): Promise<void> => {
    try {
      if (records.length === 0) await journalFiles.remove(file);
      else await journalFiles.writeAtomic(file, new TextEncoder().encode(JSON.stringify(records)));
    } catch (cause) {
      throw new FilesystemError(`cannot write "${file}": ${String(cause)}`, { cause });
    }
  };
  return {
    all,
    add: async (dropped) => {
      const others = (await all()).filter((one) => one.volumeId !== dropped.volumeId);
      await write([...others, dropped].slice(-MOST));
    },
    forget: async (volumeId: VolumeId) => {
      const before = await all();
      const left = before.filter((one) => one.volumeId !== volumeId);
      if (left.length < before.length) await write(left);
    },
  };
}
