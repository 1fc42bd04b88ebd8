import { asArrayName, type ArrayName, type VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { digitsOf } from '../naming.ts';

/*
 * What is looked into instead of a snapshot is called ~view.<digits for the prefix>.<the snapshot's id>: the same on every host, so that all
 * share one. No volume's name begins with '~', so no plugin takes it for a volume.
 */

const MARK_LENGTH = 6;
const VIEW = /^~view\.([a-z2-7]{6})\.([0-9a-f]{16})$/;

/** The array's name of what is looked into instead of this snapshot. */
export function viewName(prefix: string, snapshotId: VolumeId): ArrayName {
  return asArrayName(`~view.${markOf(prefix)}.${snapshotId}`);
}

/** True for the names that viewName gives, whosever they are. */
export function isViewName(arrayName: string | null): boolean {
  return VIEW.test(arrayName ?? '');
}

/**
 * Whether it is a view that hosts of this prefix have made: the name is exactly one, and the array says that it is a copy of the snapshot that
 * the name tells.
 */
export function isViewOf(
  prefix: string,
  { name, kind, ancestorId }: Pick<ArrayVolume, 'name' | 'kind' | 'ancestorId'>,
): boolean {
  const [, mark, snapshotId] = VIEW.exec(name ?? '') ?? [];
  return kind === 'snapshot' && mark === markOf(prefix) && ancestorId === snapshotId;
}

function markOf(prefix: string): string {
  return digitsOf(`view\0${prefix}`, MARK_LENGTH);
}
