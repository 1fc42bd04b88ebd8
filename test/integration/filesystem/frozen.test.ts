import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrozenError } from '../../../src/errors.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import { LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

const never = new AbortController().signal;

describe.each(['ext4', 'xfs'] as const)('a frozen %s', (fs) => {
  let loop: LoopDevice;
  let root: MountedRoot;
  let isFrozenNow = false;
  beforeEach(async () => {
    loop = await LoopDevice.create(400 * MIB);
    root = await MountedRoot.create();
    await sh(`mkfs.${fs}`, '-q', loop.node);
    await mount(fs);
  });
  afterEach(async () => {
    if (isFrozenNow) await thaw();
    await root.dispose();
    await loop.detach();
  });

  const mount = async (as: FilesystemType): Promise<void> =>
    root.filesystems.mount(
      await loop.device(),
      root.at('db'),
      { fs: as, options: [], readOnly: false },
      never,
    );
  const freeze = async (): Promise<void> => {
    await sh('fsfreeze', '-f', root.at('db'));
    isFrozenNow = true;
  };
  const thaw = async (): Promise<void> => {
    await sh('fsfreeze', '-u', root.at('db'));
    isFrozenNow = false;
  };
  const isFrozen = async (): Promise<boolean> =>
    root.filesystems.isFrozen(await loop.device(), root.at('db'), never);

  it('is told from one that is not, by reading alone', async () => {
    await expect(isFrozen()).resolves.toBe(false);
    await freeze();
    await expect(isFrozen()).resolves.toBe(true);
    // What a second Mount looks at before that does not wait either.
    await expect(root.filesystems.readLabel(root.at('db'), never)).resolves.toBeUndefined();
    await expect(root.filesystems.resolveSubpath(root.at('db'), '')).resolves.toBe(root.at('db'));
    await thaw();
    await expect(isFrozen()).resolves.toBe(false);
  });

  it('that was unmounted is not handed out by the next mount, and is after it was thawed', async () => {
    await freeze();
    await root.filesystems.unmount(root.at('db'), { lazy: true }, never);
    // So who lets go of a volume leaves a frozen one mounted.
    await expect(root.filesystems.isHeld(await loop.device())).resolves.toBe(true);
    await expect(mount(fs)).rejects.toThrow(FrozenError);
    await expect(root.mountedBelow()).resolves.not.toContain(root.at('db'));
    await sh('mount', loop.node, root.at('db'));
    await thaw();
    await sh('umount', root.at('db'));
    await mount(fs);
    await expect(isFrozen()).resolves.toBe(false);
  });

  it('is not what a full one looks like, nor one mounted reading only', async () => {
    await sh('fallocate', '--length', '200M', `${root.at('db')}/most`);
    // It ends because there is no more room.
    await expect(sh('dd', 'if=/dev/zero', `of=${root.at('db')}/rest`, 'bs=1M')).rejects.toThrow();
    await expect(isFrozen()).resolves.toBe(false);
    await sh('umount', root.at('db'));
    await mount(fs);
    await expect(isFrozen()).resolves.toBe(false);
    await sh('umount', root.at('db'));
    await root.filesystems.mount(
      await loop.device(),
      root.at('db'),
      { fs, options: [], readOnly: true },
      never,
    );
    await expect(isFrozen()).resolves.toBe(false);
  });
});

describe('a file system whose freezing cannot be seen', () => {
  it.each([
    ['btrfs', []],
    ['ext4', ['-O', '^has_journal']],
  ] as const)('%s %j counts as usable', async (fs, options) => {
    const loop = await LoopDevice.create(400 * MIB);
    const root = await MountedRoot.create();
    try {
      await sh(`mkfs.${fs}`, '-q', ...options, loop.node);
      const device = await loop.device();
      await root.filesystems.mount(device, root.at('db'), { fs, options: [], readOnly: false }, never);
      await sh('fsfreeze', '-f', root.at('db'));
      try {
        await expect(root.filesystems.isFrozen(device, root.at('db'), never)).resolves.toBe(false);
      } finally {
        await sh('fsfreeze', '-u', root.at('db'));
      }
    } finally {
      await root.dispose();
      await loop.detach();
    }
  });
});
