import { open } from 'node:fs/promises';
import { execa } from 'execa';

/** A file system that mounting does not bring back, how its owner does, and how the plugin says so. */
export interface Damage {
  readonly what: string;
  readonly fs: 'ext4' | 'xfs';
  /** Damages the file system in a file. */
  readonly inflict: (file: string) => Promise<void>;
  readonly repair: (file: string) => Promise<void>;
  readonly says: RegExp;
}

const BLOCK = 4096;

export const damages: readonly Damage[] = [
  {
    what: 'an ext4 that met an error and lost its group descriptors',
    fs: 'ext4',
    inflict: async (file) => {
      await execa('debugfs', ['-w', '-R', 'set_super_value state 3', file]);
      await overwrite(file, BLOCK, Buffer.alloc(BLOCK, 0xa5));
    },
    repair: (file) => repairExt4(file, []),
    says: /will not mount "\S+": its ext4 needs more than a replay \(e2fsck -p ended with \d+\), .* nothing was changed, take a snapshot, map the volume by hand and run "e2fsck -f \S+"/s,
  },
  {
    what: 'an ext4 without superblock',
    fs: 'ext4',
    inflict: (file) => overwrite(file, 0, Buffer.alloc(BLOCK)),
    repair: (file) => repairExt4(file, ['-b', '32768', '-B', `${BLOCK}`]),
    says: /no file system is seen on it, .*; nothing was changed\. If it had data its superblock is damaged: .*"e2fsck -b 32768"/s,
  },
  {
    what: 'an xfs whose log is rubbish',
    fs: 'xfs',
    inflict: async (file) => {
      const { offset, bytes } = await xfsLog(file);
      await overwrite(file, offset, Buffer.alloc(bytes, 0xa5));
    },
    repair: async (file) => {
      await execa('xfs_repair', ['-L', '-f', file]);
    },
    says: /cannot mount "\S+" at "\S+": .*; see the kernel log, map the volume by hand and check it with "xfs_repair -n \S+"/s,
  },
  {
    what: 'an xfs without superblock',
    fs: 'xfs',
    inflict: (file) => overwrite(file, 0, Buffer.alloc(512)),
    repair: async (file) => {
      await execa('xfs_repair', ['-f', file]);
    },
    says: /no file system is seen on it, .*"xfs_repair"/s,
  },
];

/** Of all that a sparse file holds, and where; without reading its holes. */
export async function digest(file: string): Promise<string> {
  const archive = 'tar --create --sparse --format=gnu --mtime=@0 --absolute-names "$1" | sha256sum';
  const { stdout } = await execa('bash', ['-o', 'pipefail', '-c', archive, 'bash', file]);
  return stdout;
}

async function repairExt4(file: string, options: readonly string[]): Promise<void> {
  const { exitCode, all } = await execa('e2fsck', ['-f', '-y', ...options, file], {
    reject: false,
    all: true,
  });
  // 1: all errors were corrected [e2fsck(8)].
  if (exitCode !== 1) throw new Error(`e2fsck ended with ${exitCode}: ${all}`);
}

async function overwrite(file: string, at: number, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.write(bytes, 0, bytes.length, at);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where the log of an xfs lies [Linux fs/xfs/libxfs/xfs_format.h struct xfs_dsb]. */
async function xfsLog(file: string): Promise<{ offset: number; bytes: number }> {
  const handle = await open(file, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(512), 0, 512, 0);
    const blockBytes = buffer.readUInt32BE(4);
    const groupBlocks = buffer.readUInt32BE(84);
    const groupBits = 2n ** BigInt(buffer.readUInt8(124));
    const start = buffer.readBigUInt64BE(48);
    const block = Number(start / groupBits) * groupBlocks + Number(start % groupBits);
    return { offset: block * blockBytes, bytes: buffer.readUInt32BE(96) * blockBytes };
  } finally {
    await handle.close();
  }
}
