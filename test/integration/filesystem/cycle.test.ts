import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import { hasCapability, LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

/** Growing a mounted ext4 takes CAP_SYS_RESOURCE, which a sandbox may withhold from root. */
const maySetResources = await hasCapability(24);
if (!maySetResources) console.warn('no CAP_SYS_RESOURCE here: growing ext4 is not tested');

const never = new AbortController().signal;

describe.each<FilesystemType>(['ext4', 'xfs', 'btrfs'])('%s from blank to unmounted', (fs) => {
  let loop: LoopDevice;
  let root: MountedRoot;
  beforeEach(async () => {
    loop = await LoopDevice.create(320 * MIB);
    root = await MountedRoot.create();
  });
  afterEach(async () => {
    await root.dispose();
    await loop.detach();
  });

  async function makeAndMount(): Promise<string> {
    const device = await loop.device();
    await root.filesystems.make(device, { fs, options: [] }, never);
    await root.filesystems.mount(device, root.at('db'), { fs, options: [], readOnly: false }, never);
    return root.at('db');
  }

  it('is blank, is made, is found, and is then not blank', async () => {
    const device = await loop.device();
    expect(await root.filesystems.probe(device, never)).toEqual({ kind: 'blank' });
    await root.filesystems.proveBlank(device, never);
    await root.filesystems.make(device, { fs, options: [] }, never);
    expect(await root.filesystems.probe(device, never)).toMatchObject({ kind: 'filesystem', fs });
    await expect(root.filesystems.proveBlank(device, never)).rejects.toThrow(`it holds ${fs}`);
  });

  it('keeps what was written through unmount, check and mount', async () => {
    const device = await loop.device();
    const mountpoint = await makeAndMount();
    await writeFile(path.join(mountpoint, 'file'), 'kept');
    await root.filesystems.unmount(mountpoint, { lazy: false }, never);
    await root.filesystems.unmount(mountpoint, { lazy: false }, never);
    await root.filesystems.check(device, fs, never);
    await root.filesystems.mount(device, mountpoint, { fs, options: [], readOnly: false }, never);
    await root.filesystems.mount(device, mountpoint, { fs, options: [], readOnly: false }, never);
    expect(await readFile(path.join(mountpoint, 'file'), 'utf8')).toBe('kept');
    expect(await root.mountedBelow()).toHaveLength(2);
  });

  it('gives back what files no longer use, and says how much', async () => {
    const mountpoint = await makeAndMount();
    const file = path.join(mountpoint, 'file');
    await sh('dd', 'if=/dev/urandom', `of=${file}`, 'bs=1M', 'count=64', 'conv=fsync', 'status=none');
    const held = (await stat(loop.file)).blocks * 512;
    await rm(file);
    // xfs frees the blocks of a removed file in the background, so the first trim may not see them.
    let said = 0;
    const trimmed = async (): Promise<number> => {
      await sh('sync', '--file-system', mountpoint);
      said += await root.filesystems.trim(mountpoint, never);
      return (await stat(loop.file)).blocks * 512;
    };
    await expect.poll(trimmed, { timeout: 20_000, interval: 200 }).toBeLessThan(held - 60 * MIB);
    expect(said).toBeGreaterThanOrEqual(60 * MIB);
  });

  it('shows in mounts with the number of its device', async () => {
    const mountpoint = await makeAndMount();
    expect(await root.filesystems.mounts()).toMatchObject([
      { device: loop.number, mountpoint, root: '/', fsType: fs, readOnly: false },
    ]);
    await root.filesystems.assertVisibleToHost(await loop.device(), mountpoint);
  });

  it('mounts without atime, device nodes and online discard', async () => {
    const mountpoint = await makeAndMount();
    const options = (await sh('findmnt', '-n', '-o', 'OPTIONS', mountpoint)).trim().split(',');
    expect(options).toEqual(expect.arrayContaining(['rw', 'noatime', 'nodev']));
    expect(options.filter((option) => option.startsWith('discard'))).toEqual([]);
  });

  it('has an empty root with the owner and mode asked for', async () => {
    const mountpoint = await makeAndMount();
    const wish = { uid: 999, gid: 998, mode: 0o1770, subpath: 'a/b' };
    await root.filesystems.prepareRoot(mountpoint, { ...wish, subpath: '' }, never);
    expect(await readdir(mountpoint)).toEqual([]);
    await root.filesystems.prepareRoot(mountpoint, wish, never);
    for (const directory of [mountpoint, await root.filesystems.resolveSubpath(mountpoint, 'a/b')]) {
      const { uid, gid, mode } = await stat(directory);
      expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 999, gid: 998, mode: 0o1770 });
    }
  });

  it('mounts read-only what was not unmounted, changing nothing', async () => {
    const mountpoint = await makeAndMount();
    await writeFile(path.join(mountpoint, 'file'), 'x');
    await sh('sync', '-f', mountpoint);
    const snapshot = await LoopDevice.create(320 * MIB);
    try {
      await sh('cp', '--sparse=always', loop.file, snapshot.file);
      await sh('blockdev', '--setro', snapshot.node);
      const device = await snapshot.device();
      await root.filesystems.mount(device, root.at('snap'), { fs, options: [], readOnly: true }, never);
      await expect(writeFile(path.join(root.at('snap'), 'other'), 'x')).rejects.toThrow('EROFS');
      await root.filesystems.unmount(root.at('snap'), { lazy: false }, never);
    } finally {
      await snapshot.detach();
    }
  });

  it('refuses to come up read-only when that was not asked for', async () => {
    const device = await loop.device();
    await root.filesystems.make(device, { fs, options: [] }, never);
    await sh('blockdev', '--setro', loop.node);
    const mounting = root.filesystems.mount(
      device,
      root.at('db'),
      { fs, options: [], readOnly: false },
      never,
    );
    await expect(mounting).rejects.toMatchObject({ code: 'FILESYSTEM' });
    expect(await root.filesystems.mounts()).toEqual([]);
  });

  it.skipIf(fs === 'ext4' && !maySetResources)('grows once to a larger device', async () => {
    const mountpoint = await makeAndMount();
    expect(await root.filesystems.grow(await loop.device(), mountpoint, fs, never)).toBe(false);
    await loop.resize(640 * MIB);
    expect(await root.filesystems.grow(await loop.device(), mountpoint, fs, never)).toBe(true);
    expect(await root.filesystems.grow(await loop.device(), mountpoint, fs, never)).toBe(false);
  });
});

it('a device that cannot discard gives back nothing, and that is no failure', async () => {
  const root = await MountedRoot.create();
  // A tmpfs knows no discard.
  const memory = await mkdtemp(path.join(tmpdir(), 'no-discard-'));
  await sh('mount', '-t', 'tmpfs', 'none', memory);
  try {
    expect(await root.filesystems.trim(memory, never)).toBe(0);
  } finally {
    await sh('umount', memory);
    await rm(memory, { recursive: true });
    await root.dispose();
  }
});
