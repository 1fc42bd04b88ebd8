import { existsSync, type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../host/files.ts';

/**
 * Tells of changes in a directory that need not exist yet: then its nearest existing ancestor is watched, until it
 * does. Where nothing can be watched (the user's inotify limit is reached) it tells nothing: look now and then anyway.
 */
export class DirectoryWatch implements Disposable {
  readonly #directory: string;
  #watcher: FSWatcher | undefined;
  #watched: string | undefined;
  #pending = Promise.withResolvers<undefined>();

  constructor(directory: string) {
    this.#directory = directory;
    this.#follow();
  }

  /** Resolves at the first change since the last call of `rearm`. */
  get changed(): Promise<undefined> {
    return this.#pending.promise;
  }

  /** To be called before looking, so that what happens while looking is told. */
  rearm(): void {
    this.#pending = Promise.withResolvers<undefined>();
    this.#follow();
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }

  /** Again after each new watch: the next directory down may have come before its parent was watched. */
  #follow(): void {
    let place = deepestExisting(this.#directory);
    while (place !== this.#watched && this.#watchAt(place)) place = deepestExisting(this.#directory);
  }

  #watchAt(place: string): boolean {
    try {
      const watcher = watch(place, { persistent: false }, () => {
        this.#pending.resolve(undefined);
      });
      // A watched directory that goes away may report an error; the next look starts a new watch.
      watcher.on('error', () => {
        this.#lose(watcher);
      });
      this.#watcher?.close();
      this.#watcher = watcher;
      this.#watched = place;
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EMFILE')) return false;
      throw error;
    }
  }

  #lose(watcher: FSWatcher): void {
    if (watcher !== this.#watcher) return;
    this.#watched = undefined;
    this.#pending.resolve(undefined);
  }
}

function deepestExisting(directory: string): string {
  return existsSync(directory) ? directory : deepestExisting(path.dirname(directory));
}
