import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { FenceLog, FenceRecord } from '../volumes/ports.ts';
import { fenceRecordSchema } from '../volumes/takeover/fence-record.ts';
import { parseLine, readChecked, writeChecked } from './checked-text.ts';
import { GroupCommit } from './group-commit.ts';
import type { JournalFiles } from './journal-files.ts';

/** What the plugin fenced by itself, and what an operator forced from the command line: each writer has its own file. */
export const FENCES_FILE = 'fences';
export const FORCED_FENCES_FILE = 'forced-fences';
const FORMAT = 'docker-volume-scaleio fences';
const MOST_KEPT = 1000;

export interface FenceLogPorts {
  readonly dir: string;
  readonly files: JournalFiles;
  readonly clock: Pick<Clock, 'now' | 'elapsed'>;
  readonly log: Log;
  /** Whose records are written; default: the plugin's. */
  readonly name?: typeof FENCES_FILE | typeof FORCED_FENCES_FILE;
}

/** A fence log bound to a file. */
export interface OpenFenceLog extends FenceLog {
  /**
   * What another process recorded since the last call, or since the log was opened: in the plugin's log, what an operator
   * forced on this host. Oldest first. Never rejects.
   */
  newOfOthers(): Promise<readonly FenceRecord[]>;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

/**
 * The last 1000 fences, in memory at once, on disk a moment later. A file that cannot be read is said so and a new one
 * begun: the records are for people and for the move limit, and no takeover waits for them. A newer plugin's file stays as it
 * is, and new records in memory. Never throws.
 */
export async function openFenceLog(ports: FenceLogPorts): Promise<OpenFenceLog> {
  const name = ports.name ?? FENCES_FILE;
  const file = path.join(ports.dir, name);
  const others = new OthersFences(ports, name === FENCES_FILE ? FORCED_FENCES_FILE : FENCES_FILE);
  await others.fresh();
  return new FenceFile(ports, { file, others }, await readFences(ports, file));
}

/** The file that another process writes; read again when it has changed. */
class OthersFences {
  readonly #ports: FenceLogPorts;
  readonly #file: string;
  #state: string | undefined;
  #records: readonly FenceRecord[] = [];
  #told: FenceRecord | undefined;

  constructor(ports: FenceLogPorts, name: string) {
    this.#ports = ports;
    this.#file = path.join(ports.dir, name);
  }

  async of(volumeId: string): Promise<readonly FenceRecord[]> {
    await this.#refresh();
    return this.#records.filter((fence) => fence.volumeId === volumeId);
  }

  /** What came since the last call. */
  async fresh(): Promise<readonly FenceRecord[]> {
    await this.#refresh();
    const told = this.#told;
    // Not found: the file was begun anew, so all that it holds is new.
    const from =
      told === undefined ? 0 : this.#records.findLastIndex((one) => isDeepStrictEqual(one, told)) + 1;
    this.#told = this.#records.at(-1) ?? told;
    return this.#records.slice(from);
  }

  async #refresh(): Promise<void> {
    const { files, log } = this.#ports;
    try {
      const state = await files.stateOf(this.#file);
      if (state === this.#state) return;
      this.#records = (await readFences(this.#ports, this.#file)).records;
      this.#state = state;
    } catch (error) {
      log.debug({ file: this.#file, error: String(error) }, 'fences of another process cannot be looked up');
    }
  }
}

class FenceFile implements OpenFenceLog {
  readonly #ports: FenceLogPorts;
  readonly #file: string;
  readonly #others: OthersFences;
  readonly #commits = new GroupCommit<FenceRecord>(() => this.#write());
  /** When the records of this life were made, by the clock that cannot be set. */
  readonly #moments = new WeakMap<FenceRecord, number>();
  readonly #earlier: EarlierFences;
  #records: readonly FenceRecord[];

  constructor(
    ports: FenceLogPorts,
    { file, others }: { file: string; others: OthersFences },
    earlier: EarlierFences,
  ) {
    this.#ports = ports;
    this.#file = file;
    this.#others = others;
    this.#earlier = earlier;
    this.#records = earlier.records;
  }

  record(fence: FenceRecord): void {
    const { clock, log } = this.#ports;
    this.#moments.set(fence, clock.elapsed());
    this.#records = [...this.#records, fence].slice(-MOST_KEPT);
    log.warn({ fence }, wordsFor(fence));
    if (this.#earlier.isNewer) return;
    this.#commits.submit(fence).catch((error: unknown) => {
      log.error({ file: this.#file, error: String(error) }, 'fence is not recorded on disk');
    });
  }

  recentOf(volumeId: string, windowMs: number): readonly FenceRecord[] {
    return this.#of(volumeId).filter((fence) => !(this.#ageMs(fence) > windowMs));
  }

  async latest(volumeId: string): Promise<FenceRecord | undefined> {
    const all = [...this.#of(volumeId), ...(await this.#others.of(volumeId))];
    return all.sort((one, other) => one.at.localeCompare(other.at)).at(-1);
  }

  newOfOthers(): Promise<readonly FenceRecord[]> {
    return this.#others.fresh();
  }

  close(): Promise<void> {
    return this.#commits.idle();
  }

  #of(volumeId: string): readonly FenceRecord[] {
    return this.#records.filter((fence) => fence.volumeId === volumeId);
  }

  #ageMs(fence: FenceRecord): number {
    const { clock } = this.#ports;
    const madeAt = this.#moments.get(fence);
    if (madeAt !== undefined) return clock.elapsed() - madeAt;
    return clock.now() - Date.parse(fence.at);
  }

  async #write(): Promise<void> {
    const records = this.#records;
    const lines = [...this.#earlier.strange, ...records.map((fence) => JSON.stringify(fence))];
    const content = await writeChecked(FORMAT, { fences: lines.length }, lines);
    await this.#ports.files.writeAtomic(this.#file, content);
  }
}

function wordsFor({ outcome }: FenceRecord): string {
  if (outcome === 'taken') return 'volume taken from another host';
  if (outcome === 'late') return 'volume taken from a host, and mapped again at once';
  if (outcome === 'unknown') return 'no gateway said whether a volume was taken from another host';
  return 'taking a volume from another host failed';
}

/** What a file of fences held (rule 19). */
interface EarlierFences {
  readonly records: readonly FenceRecord[];
  /** Lines of records that only a newer plugin understands, to be written back. */
  readonly strange: readonly string[];
  /** The whole file is a newer plugin's. */
  readonly isNewer: boolean;
}

async function readFences({ files, log }: FenceLogPorts, file: string): Promise<EarlierFences> {
  const nothing = { records: [], strange: [], isNewer: false };
  try {
    const text = await files.read(file);
    if (text === undefined) return nothing;
    const checked = readChecked(FORMAT, text);
    if (checked.usable) return understood(checked.lines.slice(-MOST_KEPT));
    const left = checked.isNewer ? 'not used and left as they are' : 'forgotten';
    log.warn({ file, why: checked.why }, `earlier fences cannot be read and are ${left}`);
    return { ...nothing, isNewer: checked.isNewer };
  } catch (error) {
    log.warn({ file, why: String(error) }, 'earlier fences cannot be read and are forgotten');
    return nothing;
  }
}

function understood(lines: readonly string[]): EarlierFences {
  const read = lines.map((line) => ({ line, fence: fenceRecordSchema.safeParse(parseLine(line)).data }));
  return {
    records: read.flatMap(({ fence }) => fence ?? []),
    strange: read.flatMap(({ line, fence }) => (fence === undefined ? [line] : [])),
    isNewer: false,
  };
}
