import path from 'node:path';
import * as z from 'zod';
import type { FenceLog, FenceRecord, Log } from '../volumes/ports.ts';
import { parseLine, readChecked, writeChecked } from './checked-text.ts';
import { GroupCommit } from './group-commit.ts';
import type { JournalFiles } from './journal-files.ts';

/** What the plugin fenced by itself, and what an operator forced from the command line. */
export const FENCES_FILE = 'fences';
export const FORCED_FENCES_FILE = 'forced-fences';
const FORMAT = 'docker-volume-scaleio fences';
const MOST_KEPT = 1000;

const fenceRecord: z.ZodType<FenceRecord> = z.object({
  at: z.string(),
  volume: z.string(),
  volumeId: z.string(),
  by: z.string(),
  byName: z.string(),
  from: z.string(),
  fromName: z.string(),
  policy: z.enum(['never', 'disconnected', 'idle', 'always', 'forced']),
  holderState: z.enum(['connected', 'disconnected', 'unknown']),
  recentIo: z.number().nullable(),
  durationMs: z.number(),
  outcome: z.enum(['taken', 'late', 'failed', 'unknown']),
});

export interface FenceLogPorts {
  readonly dir: string;
  readonly files: JournalFiles;
  readonly log: Log;
  /** Each writer has its own file; default: the plugin's. */
  readonly name?: typeof FENCES_FILE | typeof FORCED_FENCES_FILE;
}

/** A fence log bound to a file. */
export interface OpenFenceLog extends FenceLog {
  /** Waits for what is being written. */
  close(): Promise<void>;
}

/**
 * The last 1000 fences, in memory at once, on disk a moment later. A file that cannot be read is said so and a new one
 * begun: the records are for people and for the move limit, and no takeover waits for them. Never throws.
 */
export async function openFenceLog(ports: FenceLogPorts): Promise<OpenFenceLog> {
  const file = path.join(ports.dir, ports.name ?? FENCES_FILE);
  return new FenceFile(ports, file, await readFences(ports, file));
}

class FenceFile implements OpenFenceLog {
  readonly #ports: FenceLogPorts;
  readonly #file: string;
  readonly #commits = new GroupCommit<FenceRecord>(() => this.#write());
  #records: readonly FenceRecord[];

  constructor(ports: FenceLogPorts, file: string, records: readonly FenceRecord[]) {
    this.#ports = ports;
    this.#file = file;
    this.#records = records;
  }

  record(fence: FenceRecord): void {
    const { log } = this.#ports;
    this.#records = [...this.#records, fence].slice(-MOST_KEPT);
    log.warn({ fence }, wordsFor(fence));
    this.#commits.submit(fence).catch((error: unknown) => {
      log.error({ file: this.#file, error: String(error) }, 'fence is not recorded on disk');
    });
  }

  of(volumeId: string): readonly FenceRecord[] {
    return this.#records.filter((fence) => fence.volumeId === volumeId);
  }

  close(): Promise<void> {
    return this.#commits.idle();
  }

  async #write(): Promise<void> {
    const records = this.#records;
    const lines = records.map((fence) => JSON.stringify(fence));
    const content = await writeChecked(FORMAT, { fences: records.length }, lines);
    await this.#ports.files.writeAtomic(this.#file, content);
  }
}

function wordsFor({ outcome }: FenceRecord): string {
  if (outcome === 'taken') return 'volume taken from another host';
  if (outcome === 'late') return 'volume taken from a host, and mapped again at once';
  if (outcome === 'unknown') return 'no gateway said whether a volume was taken from another host';
  return 'taking a volume from another host failed';
}

async function readFences({ files, log }: FenceLogPorts, file: string): Promise<readonly FenceRecord[]> {
  try {
    const text = await files.read(file);
    if (text === undefined) return [];
    const checked = readChecked(FORMAT, text);
    if (checked.usable) return z.array(fenceRecord).parse(checked.lines.map(parseLine)).slice(-MOST_KEPT);
    log.warn({ file, why: checked.why }, 'earlier fences cannot be read and are forgotten');
  } catch (error) {
    log.warn({ file, why: String(error) }, 'earlier fences cannot be read and are forgotten');
  }
  return [];
}
