import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { hasCode } from './files.ts';

/** Where programs are looked for, in this order; PATH is never asked, so nobody can put another program first. */
export const PROGRAM_DIRECTORIES: readonly string[] = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const debianPackages: Readonly<Record<string, string>> = {
  blkid: 'util-linux',
  blockdev: 'util-linux',
  wipefs: 'util-linux',
  fstrim: 'util-linux',
  fsfreeze: 'util-linux',
  sleep: 'coreutils',
  xargs: 'findutils',
  mount: 'mount',
  umount: 'mount',
  'mkfs.ext4': 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  e2undo: 'e2fsprogs',
  resize2fs: 'e2fsprogs',
  tune2fs: 'e2fsprogs',
  'mkfs.xfs': 'xfsprogs',
  xfs_growfs: 'xfsprogs',
  xfs_io: 'xfsprogs',
  xfs_db: 'xfsprogs',
  'mkfs.btrfs': 'btrfs-progs',
  btrfs: 'btrfs-progs',
  btrfstune: 'btrfs-progs',
  getfattr: 'attr',
  setfattr: 'attr',
};

/** The Debian package that brings a program, undefined for programs that are not from Debian. */
export function debianPackageOf(program: string): string | undefined {
  return debianPackages[program];
}

/** The absolute path of a program; undefined when it is in none of the directories. */
export function findProgram(program: string, directories: readonly string[]): string | undefined {
  const candidates = path.isAbsolute(program)
    ? [program]
    : directories.map((directory) => path.join(directory, program));
  return candidates.find(isExecutable);
}

/** At once: starting the program reads the same directories, and waits for them too. */
function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return false;
    throw error;
  }
}
