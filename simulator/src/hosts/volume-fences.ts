import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { heldFile, isHeld } from '../sdc/fence.ts';
import { killDataPath } from './data-path-end.ts';
import { resumePaused, whilePaused } from './data-path-pause.ts';
import type { FenceFile } from '../sdc-protocol.ts';

const POLL_MS = 15;
/** Lists the processes that stand still while data is copied. */
const PAUSED = 'paused';

/**
 * Who may do I/O on which volume, in files that agents also see when they cannot hear the MDM, as the real SDSs refuse
 * I/O of a host whose mapping is gone.
 */
export class Fences {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async open(dir: string): Promise<Fences> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await resumePaused(join(dir, PAUSED));
    return new Fences(dir);
  }

  /** Ids of volumes that have a fence. */
  async present(): Promise<string[]> {
    return (await readdir(this.#dir)).filter((name) => /^[0-9a-f]{16}$/.test(name));
  }

  /** Replaces the list of GUIDs that may use a volume. */
  async allow(volumeId: string, allowed: readonly string[]): Promise<void> {
    if (await this.#isAllowed(volumeId, allowed)) return;
    const fence: FenceFile = { volumeId, allowed };
    const temporary = join(this.#dir, `.${volumeId}.new`);
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(fence));
    } finally {
      await file.close();
    }
    await rename(temporary, join(this.#dir, volumeId));
  }

  async #isAllowed(volumeId: string, allowed: readonly string[]): Promise<boolean> {
    try {
      const fence = JSON.parse(await readFile(join(this.#dir, volumeId), 'utf8')) as FenceFile;
      return fence.allowed.length === allowed.length && allowed.every((guid) => fence.allowed.includes(guid));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  async remove(volumeId: string): Promise<void> {
    await rm(join(this.#dir, volumeId), { force: true });
  }

  /** GUIDs outside `allowed` that still can do I/O on the volume; a host that lost power holds nothing. */
  async holders(volumeId: string, allowed: readonly string[]): Promise<string[]> {
    const holders: string[] = [];
    for (const name of await readdir(this.#dir)) {
      if (!name.startsWith(`${volumeId}.`) || !name.endsWith('.held')) continue;
      const guid = name.slice(volumeId.length + 1, -'.held'.length);
      if (!allowed.includes(guid) && (await isHeld(join(this.#dir, name)))) holders.push(guid);
    }
    return holders;
  }

  /** Does the work while nobody does I/O on these volumes; it waits, as far as its processes are on this machine. */
  async whileStill<T>(volumeIds: readonly string[], work: () => Promise<T>): Promise<T> {
    const heldFiles = (await readdir(this.#dir))
      .filter((name) => name.endsWith('.held') && volumeIds.some((id) => name.startsWith(`${id}.`)))
      .map((name) => join(this.#dir, name));
    return whilePaused({ heldFiles, record: join(this.#dir, PAUSED) }, work);
  }

  /** Waits until nobody outside `allowed` can do I/O on the volume any more; false when the time is up. */
  async released(volumeId: string, allowed: readonly string[], timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while ((await this.holders(volumeId, allowed)).length > 0) {
      if (performance.now() > deadline) return false;
      await pause(POLL_MS);
    }
    return true;
  }

  /**
   * Ends the I/O of everybody outside `allowed` from here, for hosts that do not see the fence themselves, such as one
   * that stands still and would write on when it goes on. The real SDSs refuse such I/O.
   */
  async enforce(volumeId: string, allowed: readonly string[]): Promise<void> {
    for (const guid of await this.holders(volumeId, allowed)) {
      await killDataPath(heldFile(this.#dir, volumeId, guid));
    }
  }
}
