import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { FilesystemError } from '../errors.ts';
import { deviceNumber } from '../host/device-number.ts';
import { hasCode } from '../host/files.ts';
import { type Mount, parseMountinfo } from './mountinfo.ts';

/**
 * The mounts that a process sees, in the kernel's order, each with the number of its block device. Throws
 * FilesystemError when the list cannot be read.
 */
export async function readMounts(mountinfo: string): Promise<Mount[]> {
  let text: string;
  try {
    // The kernel writes it from memory; a trip through the thread pool would cost ten times as much.
    text = readFileSync(mountinfo, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new FilesystemError(`cannot read the list of mounts "${mountinfo}": ${why}`, { cause: error });
  }
  return Promise.all(parseMountinfo(text).map(withDeviceNumber));
}

/**
 * btrfs may span devices, so the kernel shows an anonymous number (0:NN) for it instead of its device's. Its source is
 * the path of one of its devices; where that node is gone the anonymous number stays, which matches no device.
 */
async function withDeviceNumber(mount: Mount): Promise<Mount> {
  if (mount.fsType !== 'btrfs' || !mount.source.startsWith('/')) return mount;
  try {
    const node = await stat(mount.source, { bigint: true });
    return node.isBlockDevice() ? { ...mount, device: deviceNumber(node.rdev) } : mount;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENXIO', 'EACCES')) return mount;
    throw error;
  }
}
