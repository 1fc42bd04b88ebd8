import type { Cluster } from './cluster.ts';
import { refusal } from './failures.ts';
import type { DiskRecord } from './records.ts';
import { sdsById } from './sdss.ts';

function idOf({ sdsId, path }: Pick<DiskRecord, 'sdsId' | 'path'>): string {
  return `${sdsId} ${path}`;
}

/** Puts a disk into a server, or describes one that is in it anew. */
export function plugDisk(cluster: Cluster, disk: Omit<DiskRecord, 'id'>): void {
  sdsById(cluster, disk.sdsId);
  cluster.state.disks.put({ ...disk, id: idOf(disk) });
}

/** Takes a disk out of a server. */
export function unplugDisk(cluster: Cluster, disk: Pick<DiskRecord, 'sdsId' | 'path'>): void {
  cluster.state.disks.delete(idOf(disk));
}

/**
 * The disk that a device is to be made of. An SDS of which no disk has been described has a good, blank one at any path: undefined
 * then. Throws 71 for a path without a disk and for one that cannot be opened, and a refusal for one that is not blank.
 */
export function diskAt(
  cluster: Cluster,
  wanted: { readonly sdsId: string; readonly path: string; readonly takeOver?: boolean | undefined },
): DiskRecord | undefined {
  const { disks, disksBySds } = cluster.state;
  if (disksBySds.count(wanted.sdsId) === 0) return undefined;
  const disk = disks.get(idOf(wanted));
  if (disk === undefined || disk.broken === 'open') throw refusal('DEVICE_NOT_OPENED');
  if (disk.holds !== null && wanted.takeOver !== true) throw refusal('DEVICE_HOLDS_DATA');
  return disk;
}
