import { execa } from 'execa';
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';

/**
 * How a device is named. `loop`: the link leads to the machine's /dev/loopN, for hosts that share /dev. `scini`: a
 * device node scinia, scinib, … in the host's own device directory, as in the field.
 */
export type NodeNaming = 'loop' | 'scini';

export interface DeviceDirectory {
  /** The host's /dev; links are made in its disk/by-id. */
  readonly devDir: string;
  readonly naming: NodeNaming;
}

/** Letters of the n-th device, n from 0: a … z, aa, ab, … */
export function deviceLetters(n: number): string {
  const last = String.fromCharCode('a'.charCodeAt(0) + (n % 26));
  return n < 26 ? last : deviceLetters(Math.floor(n / 26) - 1) + last;
}

/**
 * The host's device names of mapped volumes: `disk/by-id/emc-vol-<system>-<volume>`, as clients look them up
 * [goscaleio, REX-Ray, os-brick]. Ids are 16 lower-case hex digits.
 */
export class DeviceLinks {
  readonly #directory: DeviceDirectory;
  readonly #nodes = new Map<string, string>();
  readonly #taken = new Set<string>();

  constructor(directory: DeviceDirectory) {
    this.#directory = directory;
  }

  get byId(): string {
    return join(this.#directory.devDir, 'disk/by-id');
  }

  path(systemId: string, volumeId: string): string {
    return join(this.byId, `emc-vol-${systemId}-${volumeId}`);
  }

  /** Makes the link appear complete, in one step. `loop` is a kernel name such as `loop3`. */
  async add(link: string, loop: string): Promise<void> {
    const node = this.#directory.naming === 'loop' ? join('/dev', loop) : await this.#makeNode(link, loop);
    const draft = join(this.byId, `.${loop}.new`);
    await rm(draft, { force: true });
    await symlink(relative(this.byId, node), draft);
    await rename(draft, link);
  }

  /** Removes the link and the node that was made for it; gone already is fine. */
  async remove(link: string): Promise<void> {
    await rm(link, { force: true });
    const node = this.#nodes.get(link);
    if (node === undefined) return;
    this.#nodes.delete(link);
    await rm(node, { force: true });
    this.#taken.delete(node);
  }

  /** Makes the directory and takes everything out that an earlier life of this SDC left in it. */
  async clear(): Promise<void> {
    await mkdir(this.byId, { recursive: true });
    for (const name of await readdir(this.byId)) {
      if (!/^emc-vol-|^\.loop\d+\.new$/.test(name)) continue;
      await this.#removeOwnNode(join(this.byId, name));
      await rm(join(this.byId, name), { force: true });
    }
  }

  async #removeOwnNode(link: string): Promise<void> {
    if (this.#directory.naming !== 'scini') return;
    const name = /\/(scini[a-z]+)$/.exec(await readlink(link))?.[1];
    if (name !== undefined) await rm(join(this.#directory.devDir, name), { force: true });
  }

  async #makeNode(link: string, loop: string): Promise<string> {
    const numbers = (await readFile(`/sys/block/${loop}/dev`, 'utf8')).trim().split(':');
    for (let n = 0; ; n += 1) {
      const node = join(this.#directory.devDir, `scini${deviceLetters(n)}`);
      if (this.#taken.has(node)) continue;
      // Before the first await: another volume may be looking for a name at the same time.
      this.#taken.add(node);
      if (await isThere(node)) continue;
      await execa('mknod', ['--mode=600', node, 'b', ...numbers]);
      this.#nodes.set(link, node);
      return node;
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
