import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Device } from '../../../src/attach/attacher.ts';
import { until } from '../../../lab/hosts/until.ts';
import { LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

const never = new AbortController().signal;
const request = { fs: 'ext4', options: [], readOnly: false } as const;

describe('the guarded mount root', () => {
  let loop: LoopDevice;
  let device: Device;
  let root: MountedRoot;
  beforeEach(async () => {
    loop = await LoopDevice.create(64 * MIB);
    device = await loop.device();
    await sh('mkfs.ext4', '-q', loop.node);
    root = await MountedRoot.create();
  });
  afterEach(async () => {
    await root.dispose();
    await loop.detach();
  });

  const guards = async () => (await root.mountedBelow()).filter((mountpoint) => mountpoint === root.path);

  it('lets nobody write to a mountpoint without its volume, not even root', async () => {
    await root.filesystems.mount(device, root.at('db'), request, never);
    await writeFile(path.join(root.at('db'), 'file'), 'into the volume');
    await root.filesystems.unmount(root.at('db'), { lazy: false }, never);
    await expect(writeFile(path.join(root.at('db'), 'file'), 'lost')).rejects.toThrow('EROFS');
    await expect(mkdir(path.join(root.path, 'other'))).rejects.toThrow('EROFS');
    expect(await readdir(root.at('db'))).toEqual([]);
  });

  it('is one tmpfs, however many volumes and restarts there are', async () => {
    await root.filesystems.mount(device, root.at('db'), request, never);
    const restarted = MountedRoot.filesystems(root.path);
    await restarted.unmount(root.at('db'), { lazy: false }, never);
    await restarted.mount(device, root.at('other'), request, never);
    expect(await guards()).toHaveLength(1);
    expect(await restarted.mounts()).toMatchObject([{ mountpoint: root.at('other') }]);
  });

  it('is made once by mounts at the same time', async () => {
    const loops = await Promise.all([1, 2, 3].map(() => LoopDevice.create(64 * MIB)));
    try {
      await Promise.all(
        loops.map(async (other, index) => {
          await sh('mkfs.ext4', '-q', other.node);
          await root.filesystems.mount(await other.device(), root.at(`v${index}`), request, never);
        }),
      );
      expect(await guards()).toHaveLength(1);
      await expect(mkdir(path.join(root.path, 'other'))).rejects.toThrow('EROFS');
      for (const index of [0, 1, 2])
        await root.filesystems.unmount(root.at(`v${index}`), { lazy: false }, never);
    } finally {
      await Promise.all(loops.map((other) => other.detach()));
    }
  });

  it('takes mountpoints made ahead of their mounts, many at once', async () => {
    const names = Array.from({ length: 20 }, (_, number) => `v${number}`);
    await Promise.all(names.map((name) => root.filesystems.prepareMountpoint(root.at(name))));
    expect((await readdir(root.path)).toSorted()).toEqual(names.toSorted());
    await expect(mkdir(path.join(root.path, 'other'))).rejects.toThrow('EROFS');
    await root.filesystems.mount(device, root.at('v7'), request, never);
    await expect(root.filesystems.prepareMountpoint(path.join(root.path, 'a/b'))).rejects.toThrow('not in');
  });

  it('is writable only while mountpoints are made ahead, and a mount makes again what is gone', async () => {
    await root.filesystems.prepareMountpoint(root.at('db'));
    await expect(writeFile(path.join(root.at('db'), 'file'), 'lost')).rejects.toThrow('EROFS');
    await sh('umount', root.path);
    // Taken for granted, so that asking costs nothing; nobody uses it without a mount.
    await root.filesystems.prepareMountpoint(root.at('db'));
    await root.filesystems.mount(device, root.at('db'), request, never);
    await expect(mkdir(path.join(root.path, 'other'))).rejects.toThrow('EROFS');
    expect(await guards()).toHaveLength(1);
  });

  describe('with room for few mountpoints', () => {
    let elapsedMs = 0;
    const limits = {
      mostInodes: 40,
      elapsed: () => elapsedMs,
      spares: { ready: 20, youngMs: 1000, waiting: 4 },
    };
    let small: MountedRoot;
    beforeEach(async () => {
      small = await MountedRoot.create({ limits });
    });
    afterEach(() => small.dispose());
    const readOnly = () => expect(mkdir(path.join(small.path, 'other'))).rejects.toThrow('EROFS');

    it('gives back those whose volumes are gone, so that any number may follow each other', async () => {
      for (let number = 0; number < 200; number += 1) {
        await small.filesystems.prepareMountpoint(small.at(`v${number}`));
        small.filesystems.spareMountpoint(small.at(`v${number}`));
      }
      await until('the last to be taken away', async () => (await readdir(small.path)).length <= 5);
      await readOnly();
    });

    it('gives back those unused longest, so that no number of names fills it, and never one in use', async () => {
      await small.filesystems.mount(device, small.at('db'), request, never);
      for (let number = 0; number < 200; number += 1) {
        elapsedMs += 500;
        await small.filesystems.prepareMountpoint(small.at(`v${number}`));
      }
      expect((await readdir(small.path)).length).toBeLessThanOrEqual(24);
      expect(await small.filesystems.mounts()).toMatchObject([{ mountpoint: small.at('db') }]);
      await readOnly();
    });

    it('spares what a mount may be about to use, which costs more room', async () => {
      const names = Array.from({ length: 30 }, (_, number) => `v${number}`);
      for (const name of names) await small.filesystems.prepareMountpoint(small.at(name));
      expect((await readdir(small.path)).toSorted()).toEqual(names.toSorted());
    });

    it('makes again what it gave back, also while it gives it back', async () => {
      for (let round = 0; round < 20; round += 1) {
        await small.filesystems.prepareMountpoint(small.at('db'));
        for (const name of ['a', 'b', 'c', 'd', 'db']) small.filesystems.spareMountpoint(small.at(name));
        await small.filesystems.mount(device, small.at('db'), request, never);
        await small.filesystems.unmount(small.at('db'), { lazy: false }, never);
      }
    });

    it('after a restart takes away what nothing uses, and is full no longer', async () => {
      await small.filesystems.mount(device, small.at('mounted'), request, never);
      for (let number = 0; number < 35; number += 1)
        await small.filesystems.prepareMountpoint(small.at(`v${number}`));
      const full = small.filesystems.prepareMountpoint(small.at('one-more-a'));
      await full;
      await expect(
        (async () => {
          for (let number = 0; number < 5; number += 1)
            await small.filesystems.prepareMountpoint(small.at(`more-${number}`));
        })(),
      ).rejects.toThrow('cannot make mountpoint');
      const restarted = MountedRoot.filesystems(small.path, { limits });
      await restarted.sweepMountpoints(new Set([small.at('v7')]));
      expect((await readdir(small.path)).toSorted()).toEqual(['mounted', 'v7']);
      await readOnly();
      await restarted.prepareMountpoint(small.at('one-more'));
      expect(await restarted.mounts()).toMatchObject([{ mountpoint: small.at('mounted') }]);
    });

    it('leaves what only the engine still has mounted', async () => {
      await small.filesystems.prepareMountpoint(small.at('theirs'));
      const hostMountinfo = path.join(path.dirname(small.path), 'mountinfo');
      const line = `99 1 8:1 / ${small.at('theirs')} rw - ext4 /dev/scinia rw`;
      await writeFile(hostMountinfo, `${line}\n`);
      const restarted = MountedRoot.filesystems(small.path, { limits, hostMountinfo });
      await restarted.prepareMountpoint(small.at('mine'));
      await restarted.sweepMountpoints(new Set());
      expect((await readdir(small.path)).toSorted()).toEqual(['mine', 'theirs']);
    });
  });

  it('is made read-only again when a plugin was killed while it made a mountpoint', async () => {
    await root.filesystems.mount(device, root.at('db'), request, never);
    await root.filesystems.unmount(root.at('db'), { lazy: false }, never);
    await sh('mount', '-o', 'remount,rw', root.path);
    await root.filesystems.mount(device, root.at('db'), request, never);
    await expect(mkdir(path.join(root.path, 'other'))).rejects.toThrow('EROFS');
  });

  it('does not cover what others mounted in it', async () => {
    await mkdir(path.join(root.path, 'theirs'), { recursive: true });
    await sh('mount', loop.node, path.join(root.path, 'theirs'));
    const other = root.filesystems.mount(device, root.at('db'), request, never);
    await expect(other).rejects.toThrow('is mounted there by something else');
  });

  it('is refused behind a symbolic link, which the engine would not follow', async () => {
    const link = path.join(path.dirname(root.path), 'link');
    await mkdir(root.path, { recursive: true });
    await symlink(root.path, link);
    const filesystems = MountedRoot.filesystems(link);
    const mounting = filesystems.mount(device, path.join(link, 'db'), request, never);
    await expect(mounting).rejects.toThrow(`set it to "${root.path}"`);
  });

  it('holds one device per mountpoint', async () => {
    const other = await LoopDevice.create(64 * MIB);
    try {
      await sh('mkfs.ext4', '-q', other.node);
      await root.filesystems.mount(device, root.at('db'), request, never);
      const second = root.filesystems.mount(await other.device(), root.at('db'), request, never);
      await expect(second).rejects.toThrow(`"${loop.node}" is mounted there`);
    } finally {
      await other.detach();
    }
  });

  it('takes a lazy unmount while somebody works in it', async () => {
    await root.filesystems.mount(device, root.at('db'), request, never);
    const worker = spawn('sleep', ['60'], { cwd: root.at('db') });
    try {
      await new Promise((resolve) => worker.once('spawn', resolve));
      const plain = root.filesystems.unmount(root.at('db'), { lazy: false }, never);
      await expect(plain).rejects.toThrow(/cannot unmount .*busy/);
      await root.filesystems.unmount(root.at('db'), { lazy: true }, never);
      expect(await root.filesystems.mounts()).toEqual([]);
      expect(await root.filesystems.isHeld(device)).toBe(true);
    } finally {
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.kill('SIGKILL');
      await ended;
    }
    await expect.poll(() => root.filesystems.isHeld(device)).toBe(false);
  });

  it('does not unmount what is not below it', async () => {
    for (const mountpoint of ['/', root.path, `${root.path}-other/db`]) {
      await expect(root.filesystems.unmount(mountpoint, { lazy: true }, never)).rejects.toThrow(
        'will not unmount',
      );
    }
  });

  // Octal. The second leaves the bit unset that says that the superblock has a checksum.
  it.each(['377', '042'])(
    'says what the kernel says when a damaged file system (\\%s) cannot be mounted',
    async (rubbish) => {
      const command = `head -c 896 /dev/zero | tr '\\0' '\\${rubbish}' | dd of=${loop.node} bs=64 seek=17 status=none conv=notrunc`;
      await sh('sh', '-c', command);
      const mounting = root.filesystems.mount(device, root.at('db'), request, never);
      await expect(mounting).rejects.toThrow(
        /cannot mount .* at .*: .*; see the kernel log, map the volume by hand and check it with "e2fsck -n/,
      );
    },
  );
});

describe('isHeld', () => {
  let loop: LoopDevice;
  let root: MountedRoot;
  beforeEach(async () => {
    loop = await LoopDevice.create(64 * MIB);
    root = await MountedRoot.create();
  });
  afterEach(async () => {
    await root.dispose();
    await loop.detach();
  });

  it('sees a mount in another mount namespace', async () => {
    const device = await loop.device();
    await sh('mkfs.ext4', '-q', loop.node);
    expect(await root.filesystems.isHeld(device)).toBe(false);
    await root.filesystems.mount(device, root.at('db'), request, never);
    const elsewhere = spawn('unshare', ['--mount', 'sh', '-c', 'echo ready; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await new Promise((resolve) => elsewhere.stdout.once('data', resolve));
      await root.filesystems.unmount(root.at('db'), { lazy: false }, never);
      expect(await root.filesystems.mounts()).toEqual([]);
      expect(await root.filesystems.isHeld(device)).toBe(true);
    } finally {
      const ended = new Promise((resolve) => elsewhere.once('exit', resolve));
      elsewhere.kill('SIGKILL');
      await ended;
    }
    await expect.poll(() => root.filesystems.isHeld(device)).toBe(false);
  });

  it('does not say that a device which is gone is free', async () => {
    const device = { ...(await loop.device()), node: '/dev/nonexistent-node' };
    await expect(root.filesystems.isHeld(device)).rejects.toThrow('cannot tell whether');
  });
});

describe('assertVisibleToHost', () => {
  let loop: LoopDevice;
  let root: MountedRoot;
  beforeEach(async () => {
    loop = await LoopDevice.create(64 * MIB);
    root = await MountedRoot.create();
  });
  afterEach(async () => {
    await root.dispose();
    await loop.detach();
  });

  /** The plugin's side in a namespace of its own, below one shared directory, as the engine sets it up. */
  async function plugin(propagation: 'rshared' | 'rprivate'): Promise<string> {
    const base = path.dirname(root.path);
    const steps = [
      `mkdir -p ${base}/host ${base}/plugin`,
      `mount --bind ${base}/host ${base}/host`,
      `mount --make-rshared ${base}/host`,
      `cat /proc/self/mountinfo > /dev/null`,
    ].join(' && ');
    await sh('sh', '-c', steps);
    const script = [
      `mount --rbind ${base}/host ${base}/plugin`,
      `mount --make-${propagation} ${base}/plugin`,
      `exec ${process.execPath} ${path.join(import.meta.dirname, 'plugin-side.ts')} "$@"`,
    ].join(' && ');
    const { stdout } = await promisify(execFile)('unshare', [
      '--mount',
      '--propagation',
      'unchanged',
      'sh',
      '-c',
      `${propagation === 'rprivate' ? `mount --make-rprivate ${base}/host && ` : ''}${script}`,
      'plugin',
      `${base}/plugin/volumes`,
      `/proc/${process.pid}/mountinfo`,
      JSON.stringify(await loop.device()),
    ]);
    return stdout.trim();
  }

  it('is content when the mount reaches the host under its other path', async () => {
    await sh('mkfs.ext4', '-q', loop.node);
    expect(await plugin('rshared')).toBe('visible');
    const host = await readFile('/proc/self/mountinfo', 'utf8');
    expect(host).toContain(`${path.dirname(root.path)}/host/volumes/db`);
  });

  it('refuses when the propagation was cut', async () => {
    await sh('mkfs.ext4', '-q', loop.node);
    expect(await plugin('rprivate')).toMatch(
      /^UnseenMountError: the host does not see ".*\/plugin\/volumes\/db"/,
    );
  });

  it('says why when the host cannot be looked at', async () => {
    await sh('mkfs.ext4', '-q', loop.node);
    const blind = MountedRoot.filesystems(root.path, { hostMountinfo: '/proc/0/mountinfo' });
    await blind.mount(await loop.device(), root.at('db'), request, never);
    await expect(blind.assertVisibleToHost(await loop.device(), root.at('db'))).rejects.toThrow(
      'cannot read the list of mounts "/proc/0/mountinfo": ENOENT',
    );
  });
});
