import { open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRunner, type Runner } from '../../../src/host/run.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import { LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

const never = new AbortController().signal;

/** Writes down which programs ran. */
function recording(ran: string[]): Runner {
  const runner = createRunner();
  return {
    run: (program, args, options) => {
      ran.push(program);
      return runner.run(program, args, options);
    },
  };
}

describe('check', () => {
  let loop: LoopDevice;
  let root: MountedRoot;
  let ran: string[];
  beforeEach(async () => {
    ran = [];
    loop = await LoopDevice.create(320 * MIB);
    root = await MountedRoot.create({ runner: recording(ran) });
  });
  afterEach(async () => {
    await root.dispose();
    await loop.detach();
  });

  const mount = async (fs: FilesystemType) => {
    await root.filesystems.mount(
      await loop.device(),
      root.at('db'),
      { fs, options: [], readOnly: false },
      never,
    );
  };
  const corrupt = async (at: number, bytes: Buffer) => {
    const handle = await open(loop.node, 'r+');
    await handle.write(bytes, 0, bytes.length, at);
    await handle.sync();
    await handle.close();
  };

  it.each<FilesystemType>(['ext4', 'xfs'])(
    'runs nothing for %s after a power cut; mounting brings back what was synced',
    async (fs) => {
      await sh(`mkfs.${fs}`, '-q', loop.node);
      await mount(fs);
      const file = path.join(root.at('db'), 'file');
      await writeFile(file, 'synced', { flush: true });
      await sh('xfs_io', '-x', '-c', 'shutdown', root.at('db'));
      await expect(readFile(file).then(() => writeFile(file, 'x'))).rejects.toThrow(/EIO|EROFS/);
      await root.filesystems.unmount(root.at('db'), { lazy: false }, never);
      ran.length = 0;
      await root.filesystems.check(await loop.device(), fs, never);
      expect(ran).toEqual([]);
      await mount(fs);
      expect(await readFile(file, 'utf8')).toBe('synced');
    },
  );

  it('gives an ext4 that met an error to e2fsck, once', async () => {
    await sh('mkfs.ext4', '-q', loop.node);
    await sh('debugfs', '-w', '-R', 'set_super_value state 3', loop.node);
    await root.filesystems.check(await loop.device(), 'ext4', never);
    await root.filesystems.check(await loop.device(), 'ext4', never);
    expect(ran).toEqual(['e2fsck']);
    await mount('ext4');
  });

  it('leaves alone an ext4 that needs more, and says what to run', async () => {
    await sh('mkfs.ext4', '-q', loop.node);
    await sh('debugfs', '-w', '-R', 'set_super_value state 3', loop.node);
    // The group descriptors: e2fsck can only guess what was there.
    await corrupt(4096, Buffer.alloc(4096, 0xa5));
    const before = await readFile(loop.file);
    const checking = root.filesystems.check(await loop.device(), 'ext4', never);
    await expect(checking).rejects.toThrow(/needs more than a replay .* run "e2fsck -f \/dev\/loop\d+"/);
    expect(ran).toEqual(['e2fsck', 'e2undo']);
    expect(before.equals(await readFile(loop.file))).toBe(true);
  });

  it('refuses to check as ext4 what is none', async () => {
    await expect(root.filesystems.check(await loop.device(), 'ext4', never)).rejects.toThrow(
      'holds no ext4 superblock',
    );
  });
});

describe('an xfs snapshot and its origin', () => {
  it('are mounted on one host', async () => {
    const origin = await LoopDevice.create(320 * MIB);
    const snapshot = await LoopDevice.create(320 * MIB);
    const root = await MountedRoot.create();
    try {
      await sh('mkfs.xfs', '-q', origin.node);
      await sh('cp', '--sparse=always', origin.file, snapshot.file);
      const request = { fs: 'xfs', options: [], readOnly: false } as const;
      await root.filesystems.mount(await origin.device(), root.at('origin'), request, never);
      await root.filesystems.mount(await snapshot.device(), root.at('snapshot'), request, never);
      expect((await root.filesystems.mounts()).map(({ device }) => device)).toEqual([
        origin.number,
        snapshot.number,
      ]);
    } finally {
      await root.dispose();
      await origin.detach();
      await snapshot.detach();
    }
  });
});
