import { readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { AttachError } from '../errors.ts';
import { deviceNumber } from '../host/device-number.ts';
import { hasCode } from '../host/files.ts';
import type { SystemId, VolumeId } from '../array/ids.ts';
import type { Device } from '../attach/attacher.ts';
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
 * link to a node that is gone. Throws AttachError 'device-mismatch' when they contradict each other: using it then
 * could mean another volume's data. All of it is in the kernel's memory, so it is looked at without waiting.
 */
export function identifyDevice(
  places: DevicePlaces,
  systemId: SystemId,
  volumeId: VolumeId,
): Device | undefined {
  const name = linkName(systemId, volumeId);
  const link = path.join(places.byId, name);
  const target = linkTarget(link);
  if (target === undefined) return undefined;
  const found = nodeBehind(link);
  if (found === undefined) return undefined;
  if (!found.isBlockDevice) throw mismatch(link, `leads to "${found.node}", which is no block device`);
  const sizeBytes = kernelSize(places.sysDevBlock, found.number, link);
  if (sizeBytes === undefined) return undefined;
  const rivals = rivalLinks(places.byId, name, target);
  if (rivals.length > 0)
    throw mismatch(link, `leads to the same "${found.node}" as "${rivals.join('", "')}"`);
  assertUdevAgrees(places.udevData, { link, name, number: found.number });
  const diskSequence = readIfThere(path.join(places.sysDevBlock, found.number, 'diskseq'))?.trim();
  return { path: link, node: found.node, number: found.number, sizeBytes, diskSequence };
}

interface Node {
  readonly node: string;
  readonly number: string;
  readonly isBlockDevice: boolean;
}

function nodeBehind(link: string): Node | undefined {
  try {
    const node = realpathSync.native(link);
    const facts = statSync(node, { bigint: true });
    return { node, number: deviceNumber(facts.rdev), isBlockDevice: facts.isBlockDevice() };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Bytes; undefined while the kernel knows no such device, or knows it but not yet its size. */
function kernelSize(sysDevBlock: string, number: string, link: string): number | undefined {
  const directory = path.join(sysDevBlock, number);
  if (readIfThere(path.join(directory, 'partition')) !== undefined) {
    throw mismatch(link, 'leads to a partition instead of the whole volume');
  }
  const sectors = Number(readIfThere(path.join(directory, 'size')));
  return Number.isSafeInteger(sectors) && sectors > 0 ? sectors * 512 : undefined;
}

/** A link that udev itself holds for another volume's is stale; where udev's database is not visible, nobody knows. */
function assertUdevAgrees(udevData: string, device: { link: string; name: string; number: string }): void {
  const record = readIfThere(path.join(udevData, `b${device.number}`));
  const names = [...(record ?? '').matchAll(/^S:disk\/by-id\/(emc-vol-\S+)$/gm)].map(([, name]) => name);
  if (names.length > 0 && !names.includes(device.name)) {
    throw mismatch(device.link, `is stale: udev has its device as "${names.join('", "')}"`);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENODEV')) return undefined;
    throw error;
  }
}

function mismatch(link: string, what: string): AttachError {
  return new AttachError(`device link "${link}" ${what}; nothing was touched`, {
    remedy: 'run "udevadm trigger" and try again',
    problem: 'device-mismatch',
  });
}
