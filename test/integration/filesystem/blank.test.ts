import { execFile } from 'node:child_process';
import { open, truncate } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Filesystems } from '../../../src/volumes/ports.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import { LoopDevice, MIB, sh } from './loop-device.ts';
import { MountedRoot } from './mounted-root.ts';

const never = new AbortController().signal;
const SIZE = 320 * MIB;

/** Puts bytes somewhere on the device, as a program that knows nothing of us would. */
async function scribble(loop: LoopDevice, at: number, bytes: string | Buffer): Promise<void> {
  const handle = await open(loop.node, 'r+');
  try {
    await handle.write(Buffer.from(bytes), 0, bytes.length, at);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function firstBytes(loop: LoopDevice, length: number): Promise<Buffer> {
  const handle = await open(loop.node, 'r');
  try {
    return (await handle.read(Buffer.alloc(length), 0, length, 0)).buffer;
  } finally {
    await handle.close();
  }
}

async function sfdisk(loop: LoopDevice, script: string): Promise<void> {
  const running = promisify(execFile)('sfdisk', ['--quiet', '--no-tell-kernel', loop.node]);
  running.child.stdin?.end(script);
  await running;
}

describe('proveBlank', () => {
  let loop: LoopDevice;
  let filesystems: Filesystems;
  beforeEach(async () => {
    loop = await LoopDevice.create(SIZE);
    filesystems = MountedRoot.filesystems('/nonexistent');
  });
  afterEach(() => loop.detach());

  const proof = async () => filesystems.proveBlank(await loop.device(), never);
  const kind = async () => filesystems.probe(await loop.device(), never);

  it('accepts a device of zeros', async () => {
    await proof();
    expect(await kind()).toEqual({ kind: 'blank' });
  });

  it.each<[string, (loop: LoopDevice) => Promise<unknown>, string]>([
    ['a gpt', (on) => sfdisk(on, 'label: gpt\n,100M\n'), 'gpt partition table'],
    ['a dos partition table', (on) => sfdisk(on, 'label: dos\n,100M\n'), 'dos partition table'],
    ['an empty gpt', (on) => sfdisk(on, 'label: gpt\n'), 'gpt partition table'],
    ['LUKS 1', (on) => luks(on, 'luks1'), 'crypto_LUKS'],
    ['LUKS 2', (on) => luks(on, 'luks2'), 'crypto_LUKS'],
    ['an LVM physical volume', lvm, 'LVM2_member'],
    ['an md member', (on) => md(on, '1.2'), 'linux_raid_member'],
    ['an md member with its superblock at the end', (on) => md(on, '0.90'), 'linux_raid_member'],
    ['swap', (on) => sh('mkswap', on.node), 'swap'],
    ['ext3', (on) => sh('mkfs.ext3', '-q', on.node), 'ext3'],
    ['ext2', (on) => sh('mkfs.ext2', '-q', on.node), 'ext2'],
    ['an external journal', (on) => sh('mke2fs', '-q', '-O', 'journal_dev', on.node), 'jbd'],
  ])('refuses %s', async (_, put, what) => {
    await put(loop);
    await expect(proof()).rejects.toThrow(`is not blank: it holds ${what}`);
    expect(await kind()).toMatchObject({ kind: 'foreign', what });
  });

  it.each<FilesystemType>(['ext4', 'xfs', 'btrfs'])('refuses %s', async (fs) => {
    await sh(`mkfs.${fs}`, '-q', loop.node);
    await expect(proof()).rejects.toThrow(`is not blank: it holds ${fs}`);
  });

  it.each([
    ['the first byte', 0],
    ['the last byte of the first MiB', MIB - 1],
    ['the first byte of the last MiB', SIZE - MIB],
    ['the last byte', SIZE - 1],
  ])('refuses a stray byte at %s', async (_, at) => {
    await scribble(loop, at, '\u0001');
    await expect(proof()).rejects.toThrow(`holds data at byte ${at};`);
  });

  it('refuses data of which only head and tail were wiped', async () => {
    await scribble(loop, 10 * MIB, Buffer.alloc(20 * MIB, 'data'));
    await expect(proof()).rejects.toThrow('is not blank: it holds data at byte');
  });

  it('refuses two signatures at once, and names both', async () => {
    await sh('mkfs.xfs', '-q', loop.node);
    const xfsSuperblock = await firstBytes(loop, 512);
    await sh('wipefs', '-q', '--all', loop.node);
    await sh('mkfs.ext4', '-q', loop.node);
    await scribble(loop, 0, xfsSuperblock);
    expect(await kind()).toEqual({ kind: 'foreign', what: 'more than one signature' });
    await expect(proof()).rejects.toThrow('is not blank: it holds more than one signature');
  });

  it('refuses a file system in a partition table', async () => {
    await sfdisk(loop, 'label: dos\n,100M\n');
    const table = await firstBytes(loop, 512);
    await sh('mkfs.ext4', '-q', loop.node);
    await scribble(loop, 0, table);
    expect(await kind()).toMatchObject({ kind: 'foreign' });
  });

  it('refuses what is in use', async () => {
    const root = await MountedRoot.create();
    await sh('mkfs.ext4', '-q', loop.node);
    const request = { fs: 'ext4' as const, options: [], readOnly: false };
    await root.filesystems.mount(await loop.device(), root.at('db'), request, never);
    await expect(proof()).rejects.toMatchObject({ name: 'DeviceHeldError' });
    await root.dispose();
  });

  it('takes a device that cannot be read for an error, not for blank', async () => {
    const device = await loop.device();
    // The kernel gives EIO for what a loop device's file no longer has.
    await truncate(loop.file, SIZE / 2);
    await expect(filesystems.probe(device, never)).rejects.toThrow(`cannot read "${loop.node}": EIO`);
    await expect(filesystems.proveBlank(device, never)).rejects.toThrow(`cannot read "${loop.node}": EIO`);
  });

  it('takes a device that is gone for an error', async () => {
    const device = { ...(await loop.device()), node: '/dev/nonexistent-node' };
    await expect(filesystems.probe(device, never)).rejects.toThrow('cannot read');
    await expect(filesystems.proveBlank(device, never)).rejects.toMatchObject({ code: 'FILESYSTEM' });
  });

  it('takes a device that ends early for an error', async () => {
    const device = { ...(await loop.device()), sizeBytes: SIZE + MIB };
    await expect(filesystems.proveBlank(device, never)).rejects.toThrow('earlier than its size says');
  });
});

function luks(loop: LoopDevice, type: string): Promise<string> {
  const light = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
  return sh(
    'cryptsetup',
    'luksFormat',
    '-q',
    '--type',
    type,
    ...light,
    '--key-file',
    '/etc/hostname',
    loop.node,
  );
}

/** A physical volume's label as pvcreate writes it; pvcreate itself would look at every device of the machine. */
async function lvm(loop: LoopDevice): Promise<void> {
  const label = Buffer.alloc(512);
  label.write('LABELONE', 0);
  label.writeBigUInt64LE(1n, 8);
  label.writeUInt32LE(32, 20);
  label.write('LVM2 001', 24);
  label.write('0123456789abcdef0123456789abcdef', 32);
  label.writeUInt32LE(~crc32(label.subarray(20), ~0xf597a6cf >>> 0) >>> 0, 16);
  await scribble(loop, 512, label);
}

/** Only the member's superblock: mdadm itself would need the md driver. */
async function md(loop: LoopDevice, version: '0.90' | '1.2'): Promise<void> {
  if (version === '0.90') {
    const superblock = Buffer.alloc(4096);
    superblock.writeUInt32LE(0xa92b4efc, 0);
    superblock.writeUInt32LE(0, 4);
    superblock.writeUInt32LE(90, 8);
    const at = Math.floor(SIZE / 65536) * 65536 - 65536;
    await scribble(loop, at, superblock);
    return;
  }
  const superblock = Buffer.alloc(4096);
  superblock.writeUInt32LE(0xa92b4efc, 0);
  superblock.writeUInt32LE(1, 4);
  superblock.writeBigUInt64LE(8n, 144);
  await scribble(loop, 4096, superblock);
}
