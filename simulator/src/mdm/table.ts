/** One change of one record; `before` and `after` are undefined where the record did not or does not exist. */
export interface Change {
  readonly table: string;
  readonly id: string;
  readonly before: unknown;
  readonly after: unknown;
}

interface Keyed {
  readonly id: string;
}

/** Told of every change of a table's records, undoing and loading included. */
export interface Observer<T> {
  replace(before: T | undefined, after: T | undefined): void;
}

/** Ids by some key of the record. A key with one id holds it bare: most do, and there may be 100,000 of them. */
export class Index<T extends Keyed> implements Observer<T> {
  readonly #keysOf: (record: T) => readonly string[];
  readonly #ids = new Map<string, string | Set<string>>();

  constructor(keysOf: (record: T) => readonly string[]) {
    this.#keysOf = keysOf;
  }

  /** Ids under a key, in the order in which they came. */
  ids(key: string): readonly string[] {
    const found = this.#ids.get(key);
    if (found === undefined) return [];
    return typeof found === 'string' ? [found] : [...found];
  }

  first(key: string): string | undefined {
    return this.ids(key)[0];
  }

  count(key: string): number {
    const found = this.#ids.get(key);
    if (found === undefined) return 0;
    return typeof found === 'string' ? 1 : found.size;
  }

  replace(before: T | undefined, after: T | undefined): void {
    const was = before === undefined ? [] : this.#keysOf(before);
    const is = after === undefined ? [] : this.#keysOf(after);
    for (const key of was) if (before && !is.includes(key)) this.#remove(key, before.id);
    for (const key of is) if (after && !was.includes(key)) this.#add(key, after.id);
  }

  #add(key: string, id: string): void {
    const found = this.#ids.get(key);
    if (found === undefined) this.#ids.set(key, id);
    else if (typeof found === 'string') this.#ids.set(key, new Set([found, id]));
    else found.add(id);
  }

  #remove(key: string, id: string): void {
    const found = this.#ids.get(key);
    if (found === id) this.#ids.delete(key);
    else if (typeof found === 'object' && found.delete(id) && found.size === 0) this.#ids.delete(key);
  }
}

/** Records of one type by id. Every change goes to the shared list of changes, from which it is saved or undone. */
export class Table<T extends Keyed> {
  readonly name: string;
  readonly #records = new Map<string, T>();
  readonly #observers: Observer<T>[] = [];
  readonly #changes: Change[];

  constructor(name: string, changes: Change[]) {
    this.name = name;
    this.#changes = changes;
  }

  index(keysOf: (record: T) => readonly string[]): Index<T> {
    return this.observed(new Index(keysOf));
  }

  /** Lets an observer follow this table, from empty on. */
  observed<O extends Observer<T>>(observer: O): O {
    this.#observers.push(observer);
    return observer;
  }

  get size(): number {
    return this.#records.size;
  }

  get(id: string): T | undefined {
    return this.#records.get(id);
  }

  values(): IterableIterator<T> {
    return this.#records.values();
  }

  /** Those of the ids that exist. */
  many(ids: Iterable<string>): T[] {
    const found: T[] = [];
    for (const id of ids) {
      const record = this.#records.get(id);
      if (record !== undefined) found.push(record);
    }
    return found;
  }

  put(record: T): void {
    this.#changes.push({
      table: this.name,
      id: record.id,
      before: this.#records.get(record.id),
      after: record,
    });
    this.restore(record.id, record);
  }

  delete(id: string): void {
    const before = this.#records.get(id);
    if (before === undefined) return;
    this.#changes.push({ table: this.name, id, before, after: undefined });
    this.restore(id, undefined);
  }

  /** Sets a record without noting a change: for loading and undoing. */
  restore(id: string, record: T | undefined): void {
    const before = this.#records.get(id);
    if (record === undefined) this.#records.delete(id);
    else this.#records.set(id, record);
    for (const observer of this.#observers) observer.replace(before, record);
  }
}
