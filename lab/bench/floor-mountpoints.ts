import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Mountpoints guarded as the plugin's are: in a tmpfs that is writable only while one is made. */
export class FloorMountpoints {
  readonly #dir: string;
  #making = Promise.resolve();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async start(dir: string): Promise<FloorMountpoints> {
    await mkdir(dir);
    await run('mount', ['-n', '-t', 'tmpfs', '-o', 'ro,size=64k,nr_inodes=200k', '--', 'floor', dir]);
    return new FloorMountpoints(dir);
  }

  at(name: string): string {
    return path.join(this.#dir, name);
  }

  /** Makes those that are missing, all at one go. */
  async ensure(mountpoints: readonly string[]): Promise<void> {
    const missing = mountpoints.filter((mountpoint) => !existsSync(mountpoint));
    if (missing.length === 0) return;
    this.#making = this.#making.then(() => this.#make(missing));
    await this.#making;
  }

  async #make(mountpoints: readonly string[]): Promise<void> {
    await this.#remount('rw');
    for (const mountpoint of mountpoints) await mkdir(mountpoint, { mode: 0 });
    await this.#remount('ro');
  }

  async #remount(access: 'rw' | 'ro'): Promise<void> {
    await run('mount', ['-n', '-t', 'tmpfs', '-o', `remount,${access}`, '--', 'floor', this.#dir]);
  }
}
