import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { hasCode, makeDirectories, writeFileAtomic } from '../host/files.ts';

/** What the journal needs of a disk. Rejections are node:fs errors. */
export interface JournalFiles {
  makeDirectory(directory: string): Promise<void>;
  /** Undefined when there is no such file. */
  read(file: string): Promise<string | undefined>;
  /** A text that is another one after each change of the file; undefined when there is no such file. */
  stateOf(file: string): Promise<string | undefined>;
  /** When its content last changed, ms since 1970 as the disk has it; undefined when there is no such file. */
  modifiedMs(file: string): Promise<number | undefined>;
  /** After a crash at any moment the old or the new content is there, whole; on disk when it resolves. */
  writeAtomic(file: string, content: Uint8Array): Promise<void>;
  /** Makes the file with its whole content, or answers false when it is there already. */
  createExclusive(file: string, text: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** No such file is success. */
  remove(file: string): Promise<void>;
  list(directory: string): Promise<string[]>;
}

/** The real disk. Only root may read what is written. */
export const journalFiles: JournalFiles = {
  makeDirectory: (directory) => makeDirectories(directory, 0o700),
  read: (file) => unless('ENOENT', readFile(file, 'utf8'), undefined),
  stateOf: (file) => unless('ENOENT', stateOf(file), undefined),
  modifiedMs: (file) => unless('ENOENT', modifiedMs(file), undefined),
  writeAtomic: (file, content) => writeFileAtomic(file, content),
  createExclusive: async (file, text) => {
    const beside = `${file}.${randomBytes(6).toString('hex')}.new`;
    await writeFile(beside, text, { flag: 'wx', mode: 0o600, flush: true });
    try {
      // ENOENT: whoever has the file took what we made beside it for a leftover.
      return await unless('ENOENT', unless('EEXIST', made(link(beside, file)), false), false);
    } finally {
      await unless('ENOENT', unlink(beside), undefined);
    }
  },
  rename: (from, to) => rename(from, to),
  remove: (file) => unless('ENOENT', unlink(file), undefined),
  list: (directory) => readdir(directory),
};

/** Temporary files that a crash left beside `name`, as writeAtomic calls them. */
export function isLeftover(name: string, file: string): boolean {
  return file.startsWith(`${name}.`) && /^[0-9a-f]{12}\.new$/.test(file.slice(name.length + 1));
}

async function stateOf(file: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(file, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

async function modifiedMs(file: string): Promise<number> {
  return (await stat(file)).mtimeMs;
}

async function made(link: Promise<void>): Promise<boolean> {
  await link;
  return true;
}

async function unless<T, U>(code: string, work: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, code)) return otherwise;
    throw error;
  }
}
