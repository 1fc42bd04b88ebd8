import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../host/files.ts';
import { asVolumeId, type SystemId, type VolumeId } from '../array/ids.ts';

/*
 * Links to devices live in the kernel's memory, where no look waits for anything. It is done at once, then: a trip through
 * the thread pool would cost ten times as much, for each of the many looks of a Mount.
 */

const LINK = /^emc-vol-([0-9a-f]{16})-([0-9a-f]{16})$/;

/** The name that udev gives a volume's link: exactly two ids, so never that of a partition ("…-part1"). */
export function linkName(systemId: SystemId, volumeId: VolumeId): string {
  return `emc-vol-${systemId}-${volumeId}`;
}

/** Volume ids of the links in the directory that belong to the system; none when the directory is not there. */
export function linkedVolumes(directory: string, systemId: SystemId): VolumeId[] {
  return volumeLinks(directory).flatMap((name) => {
    const [, system, volume] = LINK.exec(name) ?? [];
    return system === systemId && volume !== undefined ? [asVolumeId(volume)] : [];
  });
}

/** Names of the other volumes' links that lead to the same target: one of them must be stale then. */
export function rivalLinks(directory: string, name: string, target: string): string[] {
  return volumeLinks(directory).filter(
    (other) => other !== name && linkTarget(path.join(directory, other)) === target,
  );
}

/** Where a link leads, as an absolute path, one step far; undefined when it is no link (any more). */
export function linkTarget(link: string): string | undefined {
  try {
    return path.resolve(path.dirname(link), readlinkSync(link));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function volumeLinks(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => LINK.test(name));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
