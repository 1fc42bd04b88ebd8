import path from 'node:path';
import * as z from 'zod';
import { FilesystemError } from '../errors.ts';
import type { InspectionRecord } from '../volumes/ports.ts';
import { journalFiles } from './journal-files.ts';

const LOOK_FILE = 'look';
const schema = z.object({ volumeId: z.string(), arrayName: z.string() });

/** Which volume the command line attaches to this host just now, in the state directory. Rejects with FilesystemError. */
export function inspectionRecord(dir: string): InspectionRecord {
  const file = path.join(dir, LOOK_FILE);
  const failing = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw new FilesystemError(`cannot ${what} "${file}": ${String(cause)}; nothing was attached`, {
        cause,
      });
    }
  };
  return {
    read: () =>
      failing('read', async () => {
        const text = await journalFiles.read(file);
        return text === undefined ? undefined : schema.parse(JSON.parse(text));
      }),
    write: (record) =>
      failing('write', async () => {
        await journalFiles.makeDirectory(dir);
        await journalFiles.writeAtomic(file, new TextEncoder().encode(JSON.stringify(record)));
      }),
    remove: () => failing('remove', () => journalFiles.remove(file)),
  };
}
