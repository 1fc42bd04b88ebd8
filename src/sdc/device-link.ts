import { readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../host/files.ts';
import type { SystemId, VolumeId } from '../volumes/volume.ts';

const LINK = /^emc-vol-([0-9a-f]{16})-([0-9a-f]{16})$/;

/** The name that udev gives a volume's link: exactly two ids, so never that of a partition ("…-part1"). */
export function linkName(systemId: SystemId, volumeId: VolumeId): string {
  return `emc-vol-${systemId}-${volumeId}`;
}

/** Volume ids of the links in the directory that belong to the system; none when the directory is not there. */
export async function linkedVolumes(directory: string, systemId: SystemId): Promise<VolumeId[]> {
  return (await volumeLinks(directory)).flatMap((name) => {
    const [, system, volume] = LINK.exec(name) ?? [];
    return system === systemId ? [volume as VolumeId] : [];
  });
}

/** Names of the other volumes' links that lead to the same target: one of them must be stale then. */
export async function rivalLinks(directory: string, name: string, target: string): Promise<string[]> {
  const others = (await volumeLinks(directory)).filter((other) => other !== name);
  const targets = await Promise.all(others.map((other) => linkTarget(path.join(directory, other))));
  return others.filter((_, index) => targets[index] === target);
}

/** Where a link leads, as an absolute path, one step far; undefined when it is no link (any more). */
export async function linkTarget(link: string): Promise<string | undefined> {
  try {
    return path.resolve(path.dirname(link), await readlink(link));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function volumeLinks(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => LINK.test(name));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
