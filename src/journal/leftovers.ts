import path from 'node:path';
import type { Log } from '../runtime/log.ts';
import { FENCES_FILE, FORCED_FENCES_FILE } from './fence-log.ts';
import { JOURNAL_FILE } from './journal-content.ts';
import { isLeftover, type JournalFiles } from './journal-files.ts';
import { KNOWN_HOSTS_FILE } from './known-hosts.ts';
import { KNOWN_VOLUMES_FILE } from './known-volumes.ts';

const WRITTEN_HERE = [JOURNAL_FILE, KNOWN_VOLUMES_FILE, KNOWN_HOSTS_FILE, FENCES_FILE];
/** Another process may be writing it just now, which takes no time at all. */
const HOUR_MS = 3_600_000;
/** A person may have been told to use it. */
const UNDO_KEPT_MS = 30 * 24 * HOUR_MS;
const UNDO_FILE = /^emc-vol-.+\.e2undo$/;

/**
 * Removes the temporary files that earlier lives left in a directory which this process has locked, and of others those that
 * are old beside `fresh`, a file written just now. Never throws: they are in nobody's way.
 */
export async function removeLeftovers(
  { dir, files, log }: { readonly dir: string; readonly files: JournalFiles; readonly log: Log },
  fresh: string,
): Promise<void> {
  try {
    const now = await files.modifiedMs(path.join(dir, fresh));
    for (const name of await files.list(dir)) {
      const file = path.join(dir, name);
      const keptMs = keptFor(name);
      const modified = keptMs === 0 ? now : await files.modifiedMs(file);
      const isOld = now !== undefined && modified !== undefined && modified <= now - (keptMs ?? 0);
      if (keptMs === 0 || (keptMs !== undefined && isOld)) await files.remove(file);
    }
  } catch (error) {
    log.warn({ dir, error: String(error) }, 'leftovers of the journal cannot be removed');
  }
}

/** For how long a file of this name is left alone, ms; undefined: it is none of ours. */
function keptFor(name: string): number | undefined {
  if (WRITTEN_HERE.some((written) => isLeftover(written, name))) return 0;
  if (isLeftover(FORCED_FENCES_FILE, name)) return HOUR_MS;
  return UNDO_FILE.test(name) ? UNDO_KEPT_MS : undefined;
}
