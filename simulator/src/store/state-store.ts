import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MdmState } from '../mdm/state.ts';
import type { Change } from '../mdm/table.ts';
import { StateJournal, readJournal, type Durability } from './state-journal.ts';
import { readSnapshot, syncFolder, writeSnapshot } from './snapshot.ts';

/** [table, id, record], null for one that went. */
type SavedChange = readonly [string, string, unknown];

export interface StateStoreOptions {
  readonly dir: string;
  readonly durability: Durability;
  /** A snapshot is made when the journal has grown past this and past the snapshot before it. */
  readonly journalBytes: number;
}

/**
 * The MDM's state in one folder: `snapshot.<n>` and the journals `journal.<n>`, `journal.<n+1>`, … of changes after
 * it. A new snapshot is written while changes go on into the next journal, so at any moment, also one of kill -9,
 * the newest snapshot and the journals from its number on make up the state.
 */
export class StateStore {
  readonly state: MdmState;
  readonly #options: StateStoreOptions;
  #journal: StateJournal;
  #generation: number;
  #threshold: number;
  #compaction: Promise<void> | undefined;

  private constructor(
    state: MdmState,
    options: StateStoreOptions,
    journal: { generation: number; goodBytes: number },
  ) {
    this.state = state;
    this.#options = options;
    this.#generation = journal.generation;
    this.#journal = new StateJournal(
      this.#path('journal', journal.generation),
      journal.goodBytes,
      options.durability,
    );
    this.#threshold = options.journalBytes;
  }

  /** Opens or makes the folder and reads what it holds. A torn last change is dropped: nobody got a reply for it. */
  static async open(options: StateStoreOptions): Promise<StateStore> {
    await mkdir(options.dir, { recursive: true, mode: 0o700 });
    const names = await readdir(options.dir);
    const state = new MdmState();
    const base = Math.max(0, ...numbersOf('snapshot', names));
    const snapshot = join(options.dir, `snapshot.${base}`);
    if (base > 0)
      await readSnapshot(snapshot, (saved) => {
        restore(state, saved as SavedChange);
      });
    const journals = numbersOf('journal', names)
      .filter((generation) => generation >= base)
      .sort((a, b) => a - b);
    let goodBytes = 0;
    for (const generation of journals) {
      const read = readJournal(join(options.dir, `journal.${generation}`));
      for (const changes of read.entries as SavedChange[][])
        for (const saved of changes) restore(state, saved);
      goodBytes = read.goodBytes;
    }
    const store = new StateStore(state, options, { generation: journals.at(-1) ?? base, goodBytes });
    await syncFolder(options.dir);
    return store;
  }

  /** Runs a change and saves it. What it changed is visible at once; wait for `saved` before answering anybody. */
  transact<T>(work: () => T): { result: T; changes: Change[]; saved: Promise<void> } {
    const { result, changes } = this.state.transact(work);
    if (changes.length === 0) return { result, changes, saved: Promise.resolve() };
    const saved = this.#journal.append(outcomeOf(changes));
    if (this.#journal.bytes > this.#threshold) this.#compaction ??= this.#compact();
    return { result, changes, saved };
  }

  /** Makes a snapshot now. */
  async compact(): Promise<void> {
    this.#compaction ??= this.#compact();
    await this.#compaction;
  }

  async close(): Promise<void> {
    await this.#compaction;
    await this.#journal.close();
  }

  async #compact(): Promise<void> {
    try {
      const before = this.#journal;
      const generation = this.#generation + 1;
      const records = this.state
        .records()
        .map(({ table, record }): SavedChange => [table, record.id, record]);
      this.#journal = new StateJournal(this.#path('journal', generation), 0, this.#options.durability);
      this.#generation = generation;
      await before.close();
      await writeSnapshot(this.#path('snapshot', generation), records);
      this.#threshold = Math.max(this.#options.journalBytes, records.length * 400);
      await this.#removeBefore(generation);
    } finally {
      this.#compaction = undefined;
    }
  }

  async #removeBefore(generation: number): Promise<void> {
    const names = await readdir(this.#options.dir);
    for (const kind of ['snapshot', 'journal'] as const) {
      const old = numbersOf(kind, names).filter((number) => number < generation);
      for (const number of old) await rm(this.#path(kind, number), { force: true });
    }
  }

  #path(kind: 'snapshot' | 'journal', generation: number): string {
    return join(this.#options.dir, `${kind}.${generation}`);
  }
}

/** What each record became: only the last of several changes counts. */
function outcomeOf(changes: readonly Change[]): SavedChange[] {
  const outcome = new Map<string, SavedChange>();
  for (const { table, id, after } of changes) outcome.set(`${table} ${id}`, [table, id, after ?? null]);
  return [...outcome.values()];
}

function numbersOf(kind: 'snapshot' | 'journal', names: readonly string[]): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const match = new RegExp(`^${kind}\\.(\\d+)$`).exec(name);
    if (match) numbers.push(Number(match[1]));
  }
  return numbers;
}

function restore(state: MdmState, [table, id, record]: SavedChange): void {
  state.restore(table, id, record ?? undefined);
}
