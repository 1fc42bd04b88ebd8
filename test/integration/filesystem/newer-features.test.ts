import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/filesystem/crc32c.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import { LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

const never = new AbortController().signal;

/** Where the superblock lies, how many bytes of it its checksum covers, and how that is written. */
interface Place {
  readonly at: number;
  readonly length: number;
  readonly seal: (bytes: Buffer) => void;
}

const PLACES: Readonly<Record<FilesystemType, Place>> = {
  xfs: {
    at: 0,
    length: 512,
    seal: (bytes) => {
      bytes.writeUInt32LE(0, 224);
      bytes.writeUInt32LE(crc32c(bytes), 224);
    },
  },
  ext4: {
    at: 1024,
    length: 1024,
    seal: (bytes) => {
      bytes.writeUInt32LE(~crc32c(bytes.subarray(0, 0x3fc)) >>> 0, 0x3fc);
    },
  },
  btrfs: {
    at: 0x10000,
    length: 4096,
    seal: (bytes) => {
      bytes.writeUInt32LE(crc32c(bytes.subarray(0x20)), 0);
    },
  },
};

it('knows the checksum by its published example', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

describe('a file system with features that the kernel does not know', () => {
  let loop: LoopDevice;
  let root: MountedRoot;
  beforeEach(async () => {
    loop = await LoopDevice.create(320 * MIB);
  });
  afterEach(async () => {
    await root.dispose();
    await loop.detach();
  });

  /** Changes the superblock as a newer mkfs would have written it. */
  const patch = async (fs: FilesystemType, change: (bytes: Buffer) => void, seal = true) => {
    const { at, length, seal: write } = PLACES[fs];
    const handle = await open(loop.node, 'r+');
    const bytes = Buffer.alloc(length);
    await handle.read(bytes, 0, length, at);
    change(bytes);
    if (seal) write(bytes);
    await handle.write(bytes, 0, length, at);
    await handle.sync();
    await handle.close();
  };
  const refusal = async (fs: FilesystemType, { release = '6.1.0-18-amd64', readOnly = false } = {}) => {
    root = await MountedRoot.create({ kernelRelease: release });
    const request = { fs, options: [], readOnly };
    return root.filesystems.mount(await loop.device(), root.at('db'), request, never).then(
      () => 'mounted',
      (error: unknown) => String(error),
    );
  };
  const orXfs = (at: number, bits: number) => (bytes: Buffer) =>
    void bytes.writeUInt32BE((bytes.readUInt32BE(at) | bits) >>> 0, at);
  const orLe = (at: number, bits: number) => (bytes: Buffer) =>
    void bytes.writeUInt32LE((bytes.readUInt32LE(at) | bits) >>> 0, at);

  it.each([
    ['xfs', 'ro_compat 0x80', orXfs(212, 0x80)],
    ['xfs', 'incompat 0x800', orXfs(216, 0x800)],
    ['ext4', 'incompat 0x80000000', orLe(0x60, 0x80000000)],
    ['ext4', 'ro_compat 0x80000', orLe(0x64, 0x80000)],
    ['btrfs', 'incompat 0x40000000', orLe(0xbc, 0x40000000)],
    ['btrfs', 'ro_compat 0x400', orLe(0xb4, 0x400)],
  ] as const)('on %s: %s is said to be newer than the kernel, and whole', async (fs, feature, change) => {
    await sh(`mkfs.${fs}`, '-q', loop.node);
    await patch(fs, change);
    const says = await refusal(fs);
    expect(says).toContain(`Linux 6.1.0-18-amd64 of this host lacks features of its ${fs}: `);
    expect(says).toContain(
      `a feature without a name here (${feature}, in no Linux that this plugin knows of)`,
    );
    expect(says).toMatch(/whole, do not repair it: mount it on a host with a newer kernel\. .*option mkfs/s);
    expect(says).not.toMatch(/damaged|xfs_repair|e2fsck|btrfs check/);
  });

  it('names what an older kernel lacks, and which one has it', async () => {
    await sh('mkfs.xfs', '-q', '-m', 'bigtime=1,inobtcount=1', loop.node);
    // The kernel of this machine knows both: it is the unknown one that makes it refuse.
    await patch('xfs', orXfs(216, 0x800));
    const says = await refusal('xfs', { release: '5.4.0-190-generic' });
    expect(says).toContain('bigtime (incompat 0x8, since Linux 5.10)');
    expect(says).toContain('inobtcount (ro_compat 0x8, since Linux 5.10)');
    expect(says).not.toContain('reflink');
  });

  it('names what only the log of an xfs to be replayed asks for', async () => {
    await sh('mkfs.xfs', '-q', loop.node);
    root = await MountedRoot.create();
    const request = { fs: 'xfs', options: [], readOnly: false } as const;
    await root.filesystems.mount(await loop.device(), root.at('db'), request, never);
    await writeFile(path.join(root.at('db'), 'file'), 'synced', { flush: true });
    await sh('xfs_io', '-x', '-c', 'shutdown', root.at('db'));
    await root.dispose();
    await patch('xfs', orXfs(220, 0x2));
    expect(await refusal('xfs')).toMatch(/\(log_incompat 0x2, in no Linux .*whole, do not repair/s);
  });

  it('mounts for reading what only writing would need to know', async () => {
    await sh('mkfs.xfs', '-q', loop.node);
    await patch('xfs', orXfs(212, 0x80));
    expect(await refusal('xfs', { readOnly: true })).toBe('mounted');
  });

  it('calls an xfs that asks for repair damaged, whatever else it has', async () => {
    await sh('mkfs.xfs', '-q', loop.node);
    await patch('xfs', orXfs(216, 0x810));
    expect(await refusal('xfs')).toMatch(/damaged superblock; .*"xfs_repair -n/);
  });

  it.each([
    ['xfs', orXfs(216, 0x800), '"xfs_repair -n'],
    ['ext4', orLe(0x60, 0x80000000), '"e2fsck -n'],
    ['btrfs', orLe(0xbc, 0x40000000), '"btrfs check --readonly'],
  ] as const)(
    'calls nothing whole of an %s whose superblock has a wrong checksum',
    async (fs, change, advice) => {
      await sh(`mkfs.${fs}`, '-q', loop.node);
      await patch(fs, change, false);
      const says = await refusal(fs);
      expect(says).toContain(advice);
      expect(says).not.toContain('whole');
    },
  );
});
