import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import path from 'node:path';
import { createFilesystems, type FilesystemsOptions } from '../../../src/filesystem/filesystems.ts';
import { createRunner } from '../../../src/host/run.ts';
import type { Filesystems } from '../../../src/volumes/ports.ts';
import type { ArrayName } from '../../../src/array/ids.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';
import { sh } from './loop-device.ts';

/** File systems under a mount root of the test's own, which `dispose` takes away with everything mounted in it. */
export class MountedRoot {
  readonly path: string;
  readonly filesystems: Filesystems;

  private constructor(root: string, filesystems: Filesystems) {
    this.path = root;
    this.filesystems = filesystems;
  }

  static async create(options: Partial<FilesystemsOptions> = {}): Promise<MountedRoot> {
    const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'mounts-')));
    const mountRoot = path.join(directory, 'volumes');
    return new MountedRoot(mountRoot, MountedRoot.filesystems(mountRoot, options));
  }

  static filesystems(mountRoot: string, options: Partial<FilesystemsOptions> = {}): Filesystems {
    return createFilesystems({
      runner: createRunner(),
      log: silentLog,
      mountRoot,
      undoDir: tmpdir(),
      kernelRelease: release(),
      ...options,
    });
  }

  at(name: string): string {
    return this.filesystems.mountpointOf(name as ArrayName);
  }

  async mountedBelow(): Promise<string[]> {
    const text = await readFile('/proc/self/mountinfo', 'utf8');
    const mountpoints = text.split('\n').map((line) => line.split(' ')[4] ?? '');
    return mountpoints.filter((mountpoint) => mountpoint.startsWith(path.dirname(this.path)));
  }

  async dispose(): Promise<void> {
    for (const mountpoint of (await this.mountedBelow()).reverse()) await sh('umount', mountpoint);
    await rm(path.dirname(this.path), { recursive: true, force: true });
  }
}
