import { InvalidRequestError, VolumeNotFoundError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { nearest } from '../../units/nearest.ts';
import { parseSnapshotName, type SnapshotName } from './snapshot-names.ts';

/** A snapshot of a volume that this product took. */
export interface VolumeSnapshot extends SnapshotName {
  /** As the array has it. */
  readonly volume: ArrayVolume;
}

/** The snapshots of a volume, oldest first; those that others took are none of ours. One call. */
export async function snapshotsOf(
  { array }: { readonly array: Pick<StorageArray, 'volumesOfFamily'> },
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<readonly VolumeSnapshot[]> {
  return snapshotsAmong(await array.volumesOfFamily(volume, signal), volume);
}

/** Those of the family that this product took of the volume, oldest first. */
export function snapshotsAmong(
  family: readonly ArrayVolume[],
  volume: Pick<ArrayVolume, 'id'>,
): readonly VolumeSnapshot[] {
  return family
    .flatMap((member): VolumeSnapshot[] => {
      const named = member.kind === 'snapshot' ? parseSnapshotName(volume.id, member.name ?? '') : undefined;
      return named === undefined ? [] : [{ ...named, volume: member }];
    })
    .sort((one, other) => (one.volume.createdAtSeconds ?? 0) - (other.volume.createdAtSeconds ?? 0));
}

interface Wanted {
  readonly name: string;
  readonly snapshot: string;
}

/** The snapshot of that name, as pickSnapshot. One call. */
export async function findSnapshot(
  host: Parameters<typeof snapshotsOf>[0],
  { volume, ...wanted }: Wanted & { readonly volume: ArrayVolume },
  signal: AbortSignal,
): Promise<VolumeSnapshot> {
  return pickSnapshot(await snapshotsOf(host, volume, signal), wanted);
}

/**
 * The snapshot of that name among all of a volume. Throws VolumeNotFoundError that names the nearest, and InvalidRequestError where two bear
 * it, which only somebody beside this product can have done.
 */
export function pickSnapshot(all: readonly VolumeSnapshot[], { name, snapshot }: Wanted): VolumeSnapshot {
  const [found, other] = all.filter((one) => one.name === snapshot);
  if (other !== undefined)
    throw new InvalidRequestError(
      `volume "${name}" has two snapshots called "${snapshot}" on the array; rename one of them there`,
    );
  if (found !== undefined) return found;
  const near = nearest(
    snapshot,
    all.map((one) => one.name),
  );
  const hint =
    near === undefined ? 'see docker-volume-scaleio volume snapshots' : `did you mean "${name}@${near}"?`;
  throw new VolumeNotFoundError(`volume "${name}" has no snapshot "${snapshot}"; ${hint}`);
}
