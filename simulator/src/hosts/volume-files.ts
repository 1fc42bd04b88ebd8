import { execa } from 'execa';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The volumes' data: one sparse file each, made when it is first needed. */
export class VolumeFiles {
  readonly #dir: string;
  readonly #writtenKiB = new Map<string, number>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Opens the folder; files of volumes that no longer exist, and half-made copies, are removed. */
  static async open(dir: string, exists: (volumeId: string) => boolean): Promise<VolumeFiles> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const files = new VolumeFiles(dir);
    for (const name of await readdir(dir)) {
      if (exists(name)) files.#writtenKiB.set(name, 0);
      else await rm(join(dir, name), { force: true });
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
    await execa('cp', ['--sparse=always', '--reflink=auto', '--', this.path(sourceId), temporary]);
    await rename(temporary, this.path(targetId));
    await this.#measureOne(targetId);
  }

  /** A volume's data becomes another's, in the same file, because devices may be standing on it. */
  async overwrite(sourceId: string, targetId: string, sizeKiB: number): Promise<void> {
    if (!this.#writtenKiB.has(sourceId)) await this.ensure(sourceId, sizeKiB);
    await execa('cp', ['--sparse=always', '--reflink=auto', '--', this.path(sourceId), this.path(targetId)]);
    await this.#measureOne(targetId);
  }

  async remove(volumeId: string): Promise<void> {
    this.#writtenKiB.delete(volumeId);
    await rm(this.path(volumeId), { force: true });
  }
}
