import path from 'node:path';
import * as z from 'zod';
import { FilesystemError } from '../errors.ts';
import { journalFiles } from './journal-files.ts';

const FROZEN_FILE = 'frozen';
const schema = z.array(z.string());

/** Which mountpoints this plugin has frozen just now, in the state directory, for the next life of a killed one. */
export interface FrozenRecord {
  /** None where nothing is written, or what is there cannot be understood. */
  read(): Promise<readonly string[]>;
  /** Rejects with FilesystemError. */
  write(mountpoints: readonly string[]): Promise<void>;
}

export function frozenRecord(dir: string): FrozenRecord {
  const file = path.join(dir, FROZEN_FILE);
  return {
    read: async () => {
      const text = await journalFiles.read(file);
      if (text === undefined) return [];
      const read = schema.safeParse(jsonOf(text));
      return read.success ? read.data : [];
    },
    write: async (mountpoints) => {
      try {
        if (mountpoints.length === 0) await journalFiles.remove(file);
        else await journalFiles.writeAtomic(file, new TextEncoder().encode(JSON.stringify(mountpoints)));
      } catch (cause) {
        throw new FilesystemError(`cannot write "${file}": ${String(cause)}`, { cause });
      }
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
