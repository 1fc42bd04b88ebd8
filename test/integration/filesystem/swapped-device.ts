import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, truncate, writeFile } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { createFilesystems } from '../../../src/filesystem/filesystems.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { PROGRAM_DIRECTORIES } from '../../../src/host/programs.ts';
import { createRunner } from '../../../src/host/run.ts';
import { createLocalSdc } from '../../../src/sdc/local-sdc.ts';
import type { VolumeHost } from '../../../src/volumes/volume-host.ts';
import type { HostId, PoolId, VolumeId } from '../../../src/array/ids.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';
import type { StoredVolume } from '../../unit/volumes/world/fake-array.ts';
import { World } from '../../unit/volumes/world/world.ts';
import { MIB, sh } from './loop-device.ts';

const GIB = 1024 * MIB;
const PRECIOUS = 'precious';

/** What happens to the device while a program waits. */
export type Swap =
  /** The volume's link leads to the other volume's node. */
  | 'relink'
  /** The volume's own node becomes the other volume's: same path, other number. */
  | 'renode'
  /** The volume is unmapped: its link goes, and its disk as soon as nobody has it open. */
  | 'unmap';

/**
 * One host with real devices, file systems and programs under a played array, which also holds a volume that nobody may
 * touch. Each device has a node of its own, as udev makes them.
 */
export class Stage {
  readonly world = new World(1);
  readonly host: VolumeHost;
  /** What the array does to the image of a volume that it overwrites. */
  overwritten: (volume: StoredVolume) => void = () => undefined;
  readonly #directory: string;
  readonly #sdcId: HostId;
  readonly #loops = new Map<VolumeId, string>();
  #done = false;
  #passing: Promise<void> | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
    const { life, sdcId } = this.world.host(1);
    this.#sdcId = sdcId;
    this.world.array.listeners.set(sdcId, {
      attached: (volume) => {
        this.#attach(volume);
      },
      detached: ({ id }) => {
        this.#detach(id);
      },
      overwritten: (volume) => {
        this.overwritten(volume);
      },
    });
    const runner = createRunner({ directories: [path.join(directory, 'bin'), ...PROGRAM_DIRECTORIES] });
    const sdc = createLocalSdc({
      runner,
      clock: systemClock,
      log: silentLog,
      guid: 'GUID-1',
      drvCfgPath: path.join(directory, 'no-drv_cfg'),
      places: { byId: path.join(directory, 'by-id') },
    });
    const mountRoot = path.join(directory, 'volumes');
    const filesystems = createFilesystems({
      runner,
      log: silentLog,
      mountRoot,
      undoDir: directory,
      kernelRelease: release(),
    });
    this.host = { ...life.host, attacher: sdc, filesystems, clock: systemClock };
  }

  /** The other volume is mapped here; it holds such a file system, or, without one, what has no signature. */
  static async create(fs?: FilesystemType): Promise<Stage> {
    const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'swap-')));
    for (const made of ['by-id', 'bin', 'dev']) await mkdir(path.join(directory, made));
    const stage = new Stage(directory);
    const { id } = await stage.addVolume(PRECIOUS, fs);
    stage.world.array.map(id, stage.#sdcId, false);
    stage.#passing = stage.#letTimePass();
    return stage;
  }

  /** A volume of the array that holds the file system, which is smaller than its device. */
  async addVolume(name: string, fs: FilesystemType | undefined): Promise<StoredVolume> {
    const volume = this.world.array.add({
      name: `docker-${name}`,
      storagePoolId: 'd0d0000000000001' as PoolId,
      createdAtSeconds: 0,
    });
    const image = this.#image(volume.id);
    await writeFile(image, fs === undefined ? Buffer.alloc(MIB, 'nobody may touch this; ') : '');
    await truncate(image, 320 * MIB);
    if (fs !== undefined) await sh(`mkfs.${fs}`, '-q', image);
    await truncate(image, 8 * GIB);
    return volume;
  }

  imageOf(name: string): string {
    return this.#image(this.world.volume(name).id);
  }

  /**
   * The program, when it is started with such a word among its arguments for the first time, waits before it does anything until
   * the volume's device was swapped. Resolves then.
   */
  async swapWhile(at: { program: string; word: string }, how: Swap, id: () => VolumeId): Promise<void> {
    const [reached, go] = ['reached', 'go'].map((name) => path.join(this.#directory, name)) as [
      string,
      string,
    ];
    const script = `#!/bin/sh
case " $* " in
  *" ${at.word} "*) if mkdir '${reached}' 2>/dev/null; then while [ ! -e '${go}' ]; do sleep 0.01; done; fi ;;
esac
PATH=${PROGRAM_DIRECTORIES.join(':')} exec ${at.program} "$@"
`;
    // At once: what the test does next may start it.
    writeFileSync(path.join(this.#directory, 'bin', at.program), script, { mode: 0o755 });
    await vi.waitUntil(() => existsSync(reached), { interval: 5, timeout: 30_000 });
    this.#swap(how, id());
    writeFileSync(go, '');
  }

  provisionalId(): VolumeId {
    const volume = [...this.world.array.volumes.values()].find(({ name }) => name.startsWith('~new.'));
    if (volume === undefined) throw new Error('no provisional volume');
    return volume.id;
  }

  /** Of all bytes of the other volume, and of who has it mapped. */
  async precious(): Promise<string> {
    const { id, mappings } = this.world.volume(PRECIOUS);
    await sh('blockdev', '--flushbufs', this.#loop(id));
    // As good as the bytes, and quick: where there is data, and that data.
    const sum = `tar --create --sparse --mtime=@0 --file=- '${this.#image(id)}' 2>/dev/null | sha256sum`;
    return `${await sh('sh', '-c', sum)} ${[...mappings.keys()].join()}`;
  }

  async mountpoints(): Promise<string[]> {
    return (await this.host.filesystems.mounts()).map(({ mountpoint }) => mountpoint);
  }

  async dispose(): Promise<void> {
    this.#done = true;
    await this.#passing;
    for (const mountpoint of await this.mountpoints()) await sh('umount', '--lazy', mountpoint);
    const root = path.join(this.#directory, 'volumes');
    if (existsSync(root)) await sh('umount', root).catch(() => '');
    const list = await sh('losetup', '--list', '--noheadings', '--output', 'NAME,BACK-FILE');
    for (const line of list.split('\n')) {
      const [loop = '', file = ''] = line.trim().split(/\s+/);
      if (file.startsWith(`${this.#directory}/`)) await sh('losetup', '--detach', loop);
    }
    await rm(this.#directory, { recursive: true });
  }

  #swap(how: Swap, id: VolumeId): void {
    const other = this.world.volume(PRECIOUS).id;
    rmSync(this.#link(other));
    switch (how) {
      case 'relink':
        rmSync(this.#link(id));
        symlinkSync(this.#node(other), this.#link(id));
        return;
      case 'renode':
        makeNode(`${this.#node(id)}.new`, this.#loop(other));
        renameSync(`${this.#node(id)}.new`, this.#node(id));
        return;
      case 'unmap':
        rmSync(this.#link(id));
        execFileSync('losetup', ['--detach', this.#loop(id)]);
    }
  }

  /** The played array waits on a clock of its own. */
  async #letTimePass(): Promise<void> {
    const never = new AbortController().signal;
    while (!this.#done) {
      await this.world.pass(10);
      await systemClock.sleep(1, never);
    }
  }

  #attach({ id, sizeKiB }: StoredVolume): void {
    execFileSync('truncate', ['--size', `${sizeKiB}K`, this.#image(id)]);
    const loop = execFileSync('losetup', ['--find', '--show', this.#image(id)])
      .toString()
      .trim();
    this.#loops.set(id, loop);
    makeNode(this.#node(id), loop);
    symlinkSync(this.#node(id), this.#link(id));
  }

  #detach(id: VolumeId): void {
    const file = execFileSync('losetup', ['--noheadings', '--output', 'BACK-FILE', '--list']).toString();
    if (file.includes(this.#image(id))) execFileSync('losetup', ['--detach', this.#loop(id)]);
    for (const gone of [this.#link(id), this.#node(id)]) rmSync(gone, { force: true });
    this.#loops.delete(id);
  }

  #loop(id: VolumeId): string {
    const loop = this.#loops.get(id);
    if (loop === undefined) throw new Error(`volume ${id} has no device`);
    return loop;
  }

  #image(id: VolumeId): string {
    return path.join(this.#directory, `${id}.img`);
  }

  #node(id: VolumeId): string {
    return path.join(this.#directory, 'dev', `scini-${id}`);
  }

  #link(id: VolumeId): string {
    return path.join(this.#directory, 'by-id', `emc-vol-${this.world.array.systemId}-${id}`);
  }
}

function makeNode(node: string, loop: string): void {
  const { rdev } = statSync(loop);
  // Numbers of loop devices are small enough for the old layout: 8 bits each.
  execFileSync('mknod', [node, 'b', String(rdev >> 8), String(rdev & 0xff)]);
}
