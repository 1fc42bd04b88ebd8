import path from 'node:path';
import type { JournalFiles } from '../journal/journal-files.ts';
import type { Log } from '../runtime/log.ts';

const FILE = 'new-start';
/** What is not mended by one new start is not mended by many. */
const APART_MS = 600_000;

export interface NewStartPorts {
  readonly dir: string;
  readonly files: Pick<JournalFiles, 'read' | 'writeAtomic'>;
  readonly bootId: string;
  /** Since the host's boot. */
  readonly uptimeMs: () => number;
  readonly log: Log;
  /** Ends this program in order and with a failure, so that whoever runs it starts it again. */
  readonly end: () => void;
}

/**
 * Has the program started anew, by the engine that runs it, to mend what only that mends; at most once in ten minutes, which the state
 * directory remembers. Never rejects; where it cannot be remembered, nothing is done.
 */
export async function startAnew(why: string, ports: NewStartPorts): Promise<void> {
  const { dir, files, bootId, log, end } = ports;
  const file = path.join(dir, FILE);
  try {
    const uptimeMs = ports.uptimeMs();
    const [boot, at] = ((await files.read(file)) ?? '').split(' ');
    if (boot === bootId && uptimeMs - Number(at) < APART_MS) {
      log.error({ why }, 'a new start a few minutes ago has not mended it; not trying that again now');
      return;
    }
    await files.writeAtomic(file, new TextEncoder().encode(`${bootId} ${uptimeMs}`));
  } catch (error) {
    log.error({ why, file, error: String(error) }, 'no new start, because it cannot be remembered');
    return;
  }
  log.error({ why }, 'ending, so that the engine starts this plugin anew');
  end();
}
