import path from 'node:path';
import type { HostVolume } from '../volumes/ports.ts';
import { JOURNAL_FILE, readContent, SAME_BOOT } from './journal-content.ts';
import type { JournalFiles } from './journal-files.ts';

/** What the running plugin's journal holds, or why that cannot be said. */
export interface RunningJournal {
  readonly journal: readonly HostVolume[] | undefined;
  readonly journalTrouble: string | undefined;
}

/**
 * The journal of the plugin that runs with this state directory: read beside it and never written. One that was never
 * written holds nothing. Never throws.
 */
export async function readRunningJournal(at: {
  readonly dir: string;
  readonly files: Pick<JournalFiles, 'read'>;
}): Promise<RunningJournal> {
  const file = path.join(at.dir, JOURNAL_FILE);
  try {
    const text = await at.files.read(file);
    if (text === undefined) return { journal: [], journalTrouble: undefined };
    const content = readContent(text, SAME_BOOT);
    if (!('entries' in content)) return { journal: undefined, journalTrouble: `"${file}": ${content.why}` };
    return { journal: [...content.entries.values()], journalTrouble: undefined };
  } catch (error) {
    return { journal: undefined, journalTrouble: `"${file}" cannot be read: ${String(error)}` };
  }
}
