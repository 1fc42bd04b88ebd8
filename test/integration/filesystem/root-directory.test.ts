import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VolumeLabel } from '../../../src/volumes/options/label.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import { LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

const never = new AbortController().signal;
const asItIs = { uid: undefined, gid: undefined, mode: undefined, subpath: '' };
const label: VolumeLabel = {
  version: 1,
  name: 'a very long name – with "quotes", \\ and ümlauts',
  fs: 'xfs',
  mountOptions: ['discard', 'logbsize=256k'],
  subpath: 'data',
  iops: 1000,
  bandwidthKiBps: 1024,
  failover: 'idle',
  requestedKiB: 10 * 1024 * 1024,
};

describe.each<FilesystemType>(['ext4', 'xfs', 'btrfs'])('the root of %s', (fs) => {
  let loop: LoopDevice;
  let root: MountedRoot;
  let mountpoint: string;
  beforeEach(async () => {
    loop = await LoopDevice.create(320 * MIB);
    root = await MountedRoot.create();
    await sh(`mkfs.${fs}`, '-q', loop.node);
    mountpoint = root.at('db');
    const request = { fs, options: [], readOnly: false };
    await root.filesystems.mount(await loop.device(), mountpoint, request, never);
  });
  afterEach(async () => {
    await root.dispose();
    await loop.detach();
  });

  it('carries the label, the last one written', async () => {
    expect(await root.filesystems.readLabel(mountpoint, never)).toBeUndefined();
    await root.filesystems.writeLabel(mountpoint, { ...label, name: 'old' }, never);
    await root.filesystems.writeLabel(mountpoint, label, never);
    expect(await root.filesystems.readLabel(mountpoint, never)).toEqual(label);
  });

  it('does not show the label without CAP_SYS_ADMIN, nor let it be changed', async () => {
    await root.filesystems.writeLabel(mountpoint, label, never);
    const asContainer = ['--bounding-set', '-sys_admin', '--inh-caps', '-all'];
    expect(await sh('setpriv', ...asContainer, 'getfattr', '-d', '-m', '-', mountpoint)).toBe('');
    const forging = sh(
      'setpriv',
      ...asContainer,
      'setfattr',
      '-x',
      'trusted.docker-volume-scaleio',
      mountpoint,
    );
    await expect(forging).rejects.toThrow();
    expect(await root.filesystems.readLabel(mountpoint, never)).toEqual(label);
  });

  it('is empty afterwards, unless somebody has put something in lost+found', async () => {
    await root.filesystems.prepareRoot(mountpoint, asItIs, never);
    expect(await readdir(mountpoint)).toEqual([]);
    await mkdir(path.join(mountpoint, 'lost+found'));
    await writeFile(path.join(mountpoint, 'lost+found', '#12'), 'found');
    await root.filesystems.prepareRoot(mountpoint, asItIs, never);
    expect(await readdir(mountpoint)).toEqual(['lost+found']);
  });
});

describe('under the umask of a service', () => {
  let loop: LoopDevice;
  let root: MountedRoot;
  let before: number;
  beforeEach(async () => {
    loop = await LoopDevice.create(64 * MIB);
    await sh('mkfs.ext4', '-q', loop.node);
    // As UMask=0077 of the unit sets it.
    before = process.umask(0o077);
    root = await MountedRoot.create();
    const request = { fs: 'ext4', options: [], readOnly: false } as const;
    await root.filesystems.mount(await loop.device(), root.at('db'), request, never);
  });
  afterEach(async () => {
    process.umask(before);
    await root.dispose();
    await loop.detach();
  });

  it('has the same modes as without it', async () => {
    await root.filesystems.prepareRoot(root.at('db'), { ...asItIs, subpath: 'data/main' }, never);
    await root.filesystems.prepareRoot(root.at('db'), { ...asItIs, mode: 0o2777, subpath: 'own/sub' }, never);
    const modes = ['.', 'data', 'data/main', 'own', 'own/sub'].map(async (below) =>
      ((await stat(path.join(root.at('db'), below))).mode & 0o7777).toString(8),
    );
    expect(await Promise.all(modes)).toEqual(['2777', '755', '755', '2777', '2777']);
  });
});

describe('the label', () => {
  it('is refused when it cannot be read, and when it is of a newer version; none at all is none', async () => {
    const loop = await LoopDevice.create(64 * MIB);
    const root = await MountedRoot.create();
    const put = (text: string) => {
      const value = `0s${Buffer.from(text).toString('base64')}`;
      return sh('setfattr', '-n', 'trusted.docker-volume-scaleio', '-v', value, root.at('db'));
    };
    const reading = () => root.filesystems.readLabel(root.at('db'), never);
    try {
      await sh('mkfs.ext4', '-q', loop.node);
      const request = { fs: 'ext4', options: [], readOnly: false } as const;
      await root.filesystems.mount(await loop.device(), root.at('db'), request, never);
      await expect(reading()).resolves.toBeUndefined();
      for (const value of ['{"version":1', 'null', '', JSON.stringify({ ...label, fs: 'f2fs' })]) {
        await put(value);
        await expect(reading()).rejects.toMatchObject({ code: 'FILESYSTEM' });
      }
      await put('{"version":2,"needs":"0.7.0"}');
      await expect(reading()).rejects.toMatchObject({
        code: 'NEWER_VERSION',
        message: expect.stringMatching(
          /has version 2 and this plugin reads 1; .* version 0\.7\.0 or later/,
        ) as string,
      });
      await put(JSON.stringify({ ...label, failover: 'quorum', tier: 'gold' }));
      await expect(reading()).resolves.toEqual({ ...label, failover: 'quorum', tier: 'gold' });
      await expect(root.filesystems.readLabel('/proc/0', never)).rejects.toMatchObject({
        code: 'FILESYSTEM',
      });
    } finally {
      await root.dispose();
      await loop.detach();
    }
  });
});

describe('mount options of the user', () => {
  it('win over the defaults', async () => {
    const loop = await LoopDevice.create(64 * MIB);
    const root = await MountedRoot.create();
    try {
      await sh('mkfs.ext4', '-q', loop.node);
      const request = { fs: 'ext4', options: ['discard', 'dev', 'relatime'], readOnly: false } as const;
      await root.filesystems.mount(await loop.device(), root.at('db'), request, never);
      const options = (await sh('findmnt', '-n', '-o', 'OPTIONS', root.at('db'))).trim().split(',');
      expect(options).toEqual(expect.arrayContaining(['rw', 'relatime', 'discard']));
      expect(options).not.toContain('nodev');
    } finally {
      await root.dispose();
      await loop.detach();
    }
  });
});

describe('resolveSubpath', () => {
  let loop: LoopDevice;
  let root: MountedRoot;
  beforeEach(async () => {
    loop = await LoopDevice.create(64 * MIB);
    root = await MountedRoot.create();
    await sh('mkfs.ext4', '-q', loop.node);
    const request = { fs: 'ext4', options: [], readOnly: false } as const;
    await root.filesystems.mount(await loop.device(), root.at('db'), request, never);
  });
  afterEach(async () => {
    await root.dispose();
    await loop.detach();
  });

  it('is the mountpoint for the empty one', async () => {
    expect(await root.filesystems.resolveSubpath(root.at('db'), '')).toBe(root.at('db'));
  });

  it('leads through directories only', async () => {
    await mkdir(path.join(root.at('db'), 'a/b'), { recursive: true });
    await symlink('/etc', path.join(root.at('db'), 'a/link'));
    await writeFile(path.join(root.at('db'), 'a/file'), '');
    const resolve = (subpath: string) => root.filesystems.resolveSubpath(root.at('db'), subpath);
    expect(await resolve('/a//./b/')).toBe(path.join(root.at('db'), 'a/b'));
    await expect(resolve('a/link')).rejects.toThrow('is a symbolic link');
    await expect(resolve('a/link/ssl')).rejects.toThrow('is a symbolic link');
    await expect(resolve('a/file')).rejects.toThrow('is no directory');
    await expect(resolve('a/none')).rejects.toThrow('does not exist');
    await expect(resolve('a/../..')).rejects.toThrow('leads out of the volume');
  });

  it('is not made through a symbolic link', async () => {
    await symlink('/tmp', path.join(root.at('db'), 'link'));
    const making = root.filesystems.prepareRoot(root.at('db'), { ...asItIs, subpath: 'link/in' }, never);
    await expect(making).rejects.toThrow('is a symbolic link');
  });
});
