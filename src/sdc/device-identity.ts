import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { SdcError } from '../errors.ts';
import { deviceNumber } from '../host/device-number.ts';
import { hasCode } from '../host/files.ts';
import type { Device, SystemId, VolumeId } from '../volumes/volume.ts';
import { linkName, linkTarget, rivalLinks } from './device-link.ts';

/** Where this host shows its block devices. */
export interface DevicePlaces {
  /** The directory of stable links, /dev/disk/by-id. */
  readonly byId: string;
  /** The kernel's own directory of block devices by number, /sys/dev/block. */
  readonly sysDevBlock: string;
  /** udev's database, /run/udev/data; it need not be there. */
  readonly udevData: string;
}

/**
 * A volume's device as link, node, kernel and udev agree on it; undefined while it is not there, which includes a
 * link to a node that is gone. Rejects with SdcError 'device-mismatch' when they contradict each other: using it then
 * could mean another volume's data.
 */
export async function identifyDevice(
  places: DevicePlaces,
  systemId: SystemId,
  volumeId: VolumeId,
): Promise<Device | undefined> {
  const name = linkName(systemId, volumeId);
  const link = path.join(places.byId, name);
  const target = await linkTarget(link);
  if (target === undefined) return undefined;
  const found = await nodeBehind(link);
  if (found === undefined) return undefined;
  if (!found.isBlockDevice) throw mismatch(link, `leads to "${found.node}", which is no block device`);
  const sizeBytes = await kernelSize(places.sysDevBlock, found.number, link);
  if (sizeBytes === undefined) return undefined;
  const rivals = await rivalLinks(places.byId, name, target);
  if (rivals.length > 0)
    throw mismatch(link, `leads to the same "${found.node}" as "${rivals.join('", "')}"`);
  await assertUdevAgrees(places.udevData, { link, name, number: found.number });
  return { path: link, node: found.node, number: found.number, sizeBytes };
}

interface Node {
  readonly node: string;
  readonly number: string;
  readonly isBlockDevice: boolean;
}

async function nodeBehind(link: string): Promise<Node | undefined> {
  try {
    const node = await realpath(link);
    const facts = await stat(node, { bigint: true });
    return { node, number: deviceNumber(facts.rdev), isBlockDevice: facts.isBlockDevice() };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Bytes; undefined while the kernel knows no such device, or knows it but not yet its size. */
async function kernelSize(sysDevBlock: string, number: string, link: string): Promise<number | undefined> {
  const directory = path.join(sysDevBlock, number);
  if ((await readIfThere(path.join(directory, 'partition'))) !== undefined) {
    throw mismatch(link, 'leads to a partition instead of the whole volume');
  }
  const sectors = Number(await readIfThere(path.join(directory, 'size')));
  return Number.isSafeInteger(sectors) && sectors > 0 ? sectors * 512 : undefined;
}

/** A link that udev itself holds for another volume's is stale; where udev's database is not visible, nobody knows. */
async function assertUdevAgrees(
  udevData: string,
  device: { link: string; name: string; number: string },
): Promise<void> {
  const record = await readIfThere(path.join(udevData, `b${device.number}`));
  const names = [...(record ?? '').matchAll(/^S:disk\/by-id\/(emc-vol-\S+)$/gm)].map(([, name]) => name);
  if (names.length > 0 && !names.includes(device.name)) {
    throw mismatch(device.link, `is stale: udev has its device as "${names.join('", "')}"`);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENODEV')) return undefined;
    throw error;
  }
}

function mismatch(link: string, what: string): SdcError {
  return new SdcError(
    `device link "${link}" ${what}; nothing was touched, run "udevadm trigger" and try again`,
    {
      problem: 'device-mismatch',
    },
  );
}
