import path from 'node:path';
import { FilesystemError, NewerVersionError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { HostVolume, Journal, KnownVolume } from '../volumes/ports.ts';
import { LOCK_FILE, lockDirectory } from './directory-lock.ts';
import { GroupCommit } from './group-commit.ts';
import {
  applyChanges,
  JOURNAL_FILE,
  readContent,
  writeContent,
  type JournalChange,
  type JournalContent,
} from './journal-content.ts';
import type { JournalFiles } from './journal-files.ts';
import { KnownVolumes } from './known-volumes.ts';
import { removeLeftovers } from './leftovers.ts';

const KEPT_ASIDE = 5;

export interface JournalPorts {
  /** Made when it is not there. */
  readonly dir: string;
  readonly files: JournalFiles;
  /** Of the running kernel: /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
  /** Of this process. */
  readonly pid: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A journal bound to a directory. */
export interface OpenJournal extends Journal {
  /** Why the last change could not be written, undefined when it could. */
  readonly lastFailure: string | undefined;
  /** Waits for what is being written, writes what is not, and lets go of the directory. */
  close(): Promise<void>;
}

/**
 * Opens the journal of a directory for this process alone. A journal that is not there or cannot be used never stops the
 * start: what is there is moved aside, and mustRebuild is true until rebuilt() was called, through restarts too. Throws
 * FilesystemError when another living process works with the directory, and NewerVersionError when a newer plugin wrote the
 * journal (rule 19): it alone says what is mounted for whom, so it is neither guessed nor moved, and nothing is undone.
 */
export async function openJournal(ports: JournalPorts): Promise<OpenJournal> {
  const { dir, files, log } = ports;
  try {
    await files.makeDirectory(dir);
  } catch (error) {
    log.error({ dir, error: String(error) }, 'journal directory cannot be made');
  }
  const unlock = await lockDirectory(ports);
  try {
    await removeLeftovers(ports, LOCK_FILE);
    const content = await readJournal(ports);
    return new DiskJournal(ports, content, { known: await KnownVolumes.open(ports), unlock });
  } catch (error) {
    await unlock();
    throw error;
  }
}

class DiskJournal implements OpenJournal {
  readonly #ports: JournalPorts;
  readonly #file: string;
  readonly #known: KnownVolumes;
  readonly #unlock: () => Promise<void>;
  readonly #commits = new GroupCommit<JournalChange>((changes) => this.#write(changes));
  readonly #openedAt: number;
  /** When the `since` of an entry last changed in this life, by the clock that cannot be set. */
  readonly #moments = new Map<string, number>();
  #content: JournalContent;
  #lastFailure: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    ports: JournalPorts,
    content: JournalContent,
    open: { known: KnownVolumes; unlock: () => Promise<void> },
  ) {
    this.#ports = ports;
    this.#file = path.join(ports.dir, JOURNAL_FILE);
    this.#content = content;
    this.#known = open.known;
    this.#unlock = open.unlock;
    this.#openedAt = ports.clock.elapsed();
  }

  get mustRebuild(): boolean {
    return this.#content.mustRebuild;
  }

  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  get(name: string): HostVolume | undefined {
    return this.#content.entries.get(name);
  }

  all(): readonly HostVolume[] {
    return [...this.#content.entries.values()];
  }

  ageMs(name: string): number {
    if (!this.#content.entries.has(name)) return Number.POSITIVE_INFINITY;
    return this.#ports.clock.elapsed() - (this.#moments.get(name) ?? this.#openedAt);
  }

  put(entry: HostVolume): Promise<void> {
    return this.#submit({ kind: 'put', entry: { ...entry, holders: [...entry.holders] } });
  }

  delete(name: string): Promise<void> {
    return this.#submit({ kind: 'delete', name });
  }

  rebuilt(): Promise<void> {
    return this.#submit({ kind: 'rebuilt' });
  }

  known(name: string): KnownVolume | undefined {
    return this.#known.get(name);
  }

  allKnown(): readonly KnownVolume[] {
    return this.#known.all();
  }

  remember(volume: KnownVolume): void {
    this.#known.remember(volume);
  }

  forget(name: string): void {
    this.#known.forget(name);
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    await this.#commits.idle();
    await this.#known.close();
    await this.#unlock();
  }

  #submit(change: JournalChange): Promise<void> {
    if (this.#closing === undefined) return this.#commits.submit(change);
    return Promise.reject(
      new FilesystemError(`writing journal "${this.#file}" failed: it is closed; the plugin is stopping`),
    );
  }

  async #write(changes: readonly JournalChange[]): Promise<void> {
    const next = applyChanges(this.#content, changes);
    try {
      await this.#ports.files.writeAtomic(this.#file, await writeContent(next, this.#ports.bootId));
    } catch (cause) {
      this.#lastFailure = `writing journal "${this.#file}" failed: ${reasonOf(cause)}; make room and make it writable, then try again`;
      throw new FilesystemError(this.#lastFailure, { cause, context: { file: this.#file } });
    }
    this.#lastFailure = undefined;
    this.#noteMoments(next);
    this.#content = next;
  }

  #noteMoments(next: JournalContent): void {
    for (const name of this.#moments.keys()) if (!next.entries.has(name)) this.#moments.delete(name);
    for (const [name, { since }] of next.entries)
      if (this.#content.entries.get(name)?.since !== since)
        this.#moments.set(name, this.#ports.clock.elapsed());
  }
}

async function readJournal(ports: JournalPorts): Promise<JournalContent> {
  const { dir, files, bootId, log } = ports;
  const file = path.join(dir, JOURNAL_FILE);
  let why: string;
  try {
    const text = await files.read(file);
    if (text === undefined) {
      log.info({ file }, 'no journal yet');
      return { mustRebuild: true, entries: new Map() };
    }
    const content = readContent(text, bootId);
    if ('entries' in content) return content;
    if (content.isNewer) throw newerJournal(file, content.why);
    ({ why } = content);
  } catch (error) {
    if (error instanceof NewerVersionError) throw error;
    why = reasonOf(error);
  }
  await moveAside(ports, file, why);
  return { mustRebuild: true, entries: new Map() };
}

function newerJournal(file: string, why: string): NewerVersionError {
  return new NewerVersionError(
    `opening journal "${file}" failed: ${why}, so a newer plugin wrote it. It is left as it is, and so is all that is mounted; start ` +
      `the version that wrote it. To go on with this one, remove all containers with volumes from this host with that version first`,
    { context: { file } },
  );
}

async function moveAside(ports: JournalPorts, file: string, why: string): Promise<void> {
  const { dir, files, clock, log } = ports;
  const prefix = `${JOURNAL_FILE}.unusable-`;
  const aside = path.join(dir, prefix + new Date(clock.now()).toISOString().replaceAll(':', ''));
  try {
    await files.rename(file, aside);
    log.error(
      { file, why, aside },
      'journal cannot be used: moved aside, to be rebuilt from the kernel and the array',
    );
    const kept = (await files.list(dir)).filter((name) => name.startsWith(prefix)).sort();
    for (const name of kept.slice(0, -KEPT_ASIDE)) await files.remove(path.join(dir, name));
  } catch (error) {
    log.error(
      { file, why, error: String(error) },
      'journal cannot be used and not be moved aside: to be rebuilt',
    );
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
