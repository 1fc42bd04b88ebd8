import type { HostId } from '../array/ids.ts';
import path from 'node:path';
import type { Log } from '../runtime/log.ts';
import { JOURNAL_FILE, readContent } from './journal-content.ts';
import type { JournalFiles } from './journal-files.ts';

/** A volume that this host's plugin has attached to a host. */
export interface MappedHere {
  readonly hostId: HostId;
  /** ISO 8601. */
  readonly since: string;
}

/**
 * Since when this host has which volumes, by volume id: read beside the running plugin and never written. A journal that
 * is not there or cannot be read knows nothing, and the latter is said. Never throws.
 */
export async function readMappedHere(at: {
  readonly dir: string;
  readonly files: Pick<JournalFiles, 'read'>;
  readonly log: Log;
}): Promise<ReadonlyMap<string, MappedHere>> {
  const file = path.join(at.dir, JOURNAL_FILE);
  try {
    const text = await at.files.read(file);
    // Whatever boot it is of: a mapping outlives it.
    const content = text === undefined ? { entries: new Map<string, never>() } : readContent(text, '');
    if (!('entries' in content)) throw new Error(content.why);
    return new Map(
      [...content.entries.values()].flatMap(({ volumeId, hostId, heldSince }) =>
        hostId === undefined || heldSince === undefined ? [] : [[volumeId, { hostId, since: heldSince }]],
      ),
    );
  } catch (error) {
    at.log.warn({ file, why: String(error) }, "the plugin's journal cannot be read");
    return new Map();
  }
}
