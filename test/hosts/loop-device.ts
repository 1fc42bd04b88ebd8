import { existsSync } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { output } from './namespace.ts';

interface LoopDevice {
  readonly name: string;
  readonly 'back-ino': number | string | null;
  readonly 'back-maj:min': string | null;
}

/** Loop devices over files below a directory: found by inode, since paths of other mount namespaces say little. */
async function loopDevicesOver(directory: string): Promise<string[]> {
  const text = await output(['losetup', '--json', '--list', '--output', 'NAME,BACK-INO,BACK-MAJ:MIN']);
  if (text === '') return [];
  const devices = (JSON.parse(text) as { loopdevices: LoopDevice[] }).loopdevices;
  const inodes = await inodesBelow(directory);
  return devices.filter((one) => inodes.has(Number(one['back-ino']))).map((one) => one.name);
}

/** Detaches every loop device whose file lies below the directory. */
export async function detachLoopDevices(directory: string): Promise<void> {
  for (const device of await loopDevicesOver(directory)) await detach(device);
}

/** The kernel nodes that a host's by-id links point at. */
export async function linkedDevices(byId: string): Promise<string[]> {
  if (!existsSync(byId)) return [];
  const links = await readdir(byId);
  const targets = await Promise.all(links.map(async (link) => linkTarget(path.join(byId, link))));
  return targets.filter((target) => target !== undefined);
}

/** Detaches one loop device; not attached is success. */
export async function detach(device: string): Promise<void> {
  const name = path.basename(device);
  if (existsSync(`/sys/block/${name}/loop/backing_file`)) await output(['losetup', '--detach', device]);
}

async function linkTarget(link: string): Promise<string | undefined> {
  if (!(await lstat(link)).isSymbolicLink()) return undefined;
  return path.resolve('/dev/disk/by-id', await readlink(link));
}

/** Volumes' files only: a lab's other folders hold whole Docker data directories and no volume. */
async function inodesBelow(directory: string): Promise<Set<number>> {
  const inodes = new Set<number>();
  for (const entry of await readdir(path.join(directory, 'array'), {
    recursive: true,
    withFileTypes: true,
  }).catch(none)) {
    if (entry.isFile()) inodes.add((await stat(path.join(entry.parentPath, entry.name))).ino);
  }
  return inodes;
}

function none(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
