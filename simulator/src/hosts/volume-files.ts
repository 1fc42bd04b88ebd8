import { execa } from 'execa';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../store/snapshot.ts';
import type { Durability } from '../store/state-journal.ts';

/** Ends the name of a file whose content waits to become a volume's. */
const STAGED = '.staged';

/** The volumes' data: one sparse file each, made when it is first needed. */
export class VolumeFiles {
  readonly #dir: string;
  readonly #durability: Durability;
  readonly #writtenKiB = new Map<string, number>();

  private constructor(dir: string, durability: Durability) {
    this.#dir = dir;
    this.#durability = durability;
  }

  /** Opens the folder; files of volumes that no longer exist, and half-made copies, are removed. Staged content stays while it is wanted. */
  static async open(
    dir: string,
    known: {
      readonly exists: (volumeId: string) => boolean;
      readonly takesStaged: (volumeId: string) => boolean;
    },
    durability: Durability,
  ): Promise<VolumeFiles> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const files = new VolumeFiles(dir, durability);
    for (const name of await readdir(dir)) {
      if (known.exists(name)) files.#writtenKiB.set(name, 0);
      else if (!name.endsWith(STAGED) || !known.takesStaged(name.slice(0, -STAGED.length)))
        await rm(join(dir, name), { force: true });
    }
    await files.measure();
    return files;
  }

  path(volumeId: string): string {
    return join(this.#dir, volumeId);
  }

  /** KiB written at the last measuring. */
  writtenKiB(volumeId: string): number {
    return this.#writtenKiB.get(volumeId) ?? 0;
  }

  has(volumeId: string): boolean {
    return this.#writtenKiB.has(volumeId);
  }

  /** Ids of volumes with a file. */
  present(): Iterable<string> {
    return this.#writtenKiB.keys();
  }

  /** Makes the file, or grows it, to the volume's size. */
  async ensure(volumeId: string, sizeKiB: number): Promise<void> {
    const file = await open(this.path(volumeId), 'a', 0o600);
    try {
      const { size } = await file.stat();
      if (size < sizeKiB * 1024) await file.truncate(sizeKiB * 1024);
    } finally {
      await file.close();
    }
    if (!this.#writtenKiB.has(volumeId)) this.#writtenKiB.set(volumeId, 0);
  }

  /** Asks the file system how much each file really holds. */
  async measure(): Promise<void> {
    for (const id of [...this.#writtenKiB.keys()]) await this.#measureOne(id);
  }

  async #measureOne(id: string): Promise<void> {
    try {
      this.#writtenKiB.set(id, (await stat(this.path(id))).blocks / 2);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      this.#writtenKiB.delete(id);
    }
  }

  /** A new volume gets the data of another; the file appears as a whole. */
  async copy(sourceId: string, targetId: string): Promise<void> {
    if (!this.#writtenKiB.has(sourceId)) return;
    const temporary = `${this.path(targetId)}.copy`;
    await this.#copy(this.path(sourceId), temporary);
    await this.#replace(temporary, this.path(targetId));
    await this.#measureOne(targetId);
  }

  /** Lays a volume's data ready to become another's. */
  async stage(sourceId: string, targetId: string, sizeKiB: number): Promise<void> {
    if (!this.#writtenKiB.has(sourceId)) await this.ensure(sourceId, sizeKiB);
    const temporary = `${this.path(targetId)}.copy`;
    await this.#copy(this.path(sourceId), temporary);
    await this.#replace(temporary, this.#staged(targetId));
  }

  /** What lies ready becomes the volume's data, in the same file, because devices may be standing on it. May be done again. */
  async takeStaged(targetId: string): Promise<void> {
    await this.#copy(this.#staged(targetId), this.path(targetId));
    this.#writtenKiB.set(targetId, 0);
    await this.#measureOne(targetId);
  }

  async dropStaged(targetId: string): Promise<void> {
    await rm(this.#staged(targetId), { force: true });
  }

  #staged(volumeId: string): string {
    return this.path(volumeId) + STAGED;
  }

  async #copy(from: string, to: string): Promise<void> {
    await execa('cp', ['--sparse=always', '--reflink=auto', '--', from, to]);
    if (this.#durability !== 'machine') return;
    const file = await open(to, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #replace(from: string, to: string): Promise<void> {
    await rename(from, to);
    if (this.#durability === 'machine') await syncFolder(this.#dir);
  }

  async remove(volumeId: string): Promise<void> {
    this.#writtenKiB.delete(volumeId);
    await rm(this.path(volumeId), { force: true });
  }
}
