import { InvalidRequestError, VolumeInUseError, VolumeNotFoundError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { formatSize } from '../../units/size.ts';
import type { HostVolume } from '../host-volume.ts';
import type { VolumeLookup } from '../life/lookup.ts';
import { describeHolder } from '../takeover/holders.ts';
import type { VolumeName } from '../volume.ts';
import { pickSnapshot, snapshotsOf, type VolumeSnapshot } from './family-snapshots.ts';

/** What is to be like what. */
export interface RestorePlan {
  readonly volume: ArrayVolume;
  readonly source: VolumeSnapshot;
  /** Names of all its snapshots. */
  readonly taken: ReadonlySet<string>;
}

interface Wanted {
  readonly name: VolumeName;
  readonly snapshot: string;
  /** What this host is doing with the volume. */
  readonly entry: HostVolume | undefined;
}

/**
 * The volume and its snapshot, when the one may get the content of the other. Changes nothing. Two calls, three for a volume that this host
 * does not know. Rejects with VolumeInUseError that names who has either, with VolumeNotFoundError, and with InvalidRequestError for what no
 * host can have alone and for a snapshot of another size.
 */
export async function planRestore(
  {
    array,
    lookup,
  }: { readonly array: StorageArray; readonly lookup: Pick<VolumeLookup, 'find' | 'remember'> },
  { name, snapshot, entry }: Wanted,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const what = `restoring volume "${name}" to "${name}@${snapshot}" failed`;
  const volume = await lookup.find(name, signal);
  if (volume === undefined) throw new VolumeNotFoundError(`${what}: the array has no such volume`);
  lookup.remember(name, volume);
  const context = { volumeId: volume.id };
  assertUnused(what, volume);
  if (entry?.volumeId === volume.id)
    throw new VolumeInUseError(`${what}: this host is still letting go of it; try again in a moment`, {
      context,
    });
  // Rule 1: what many hosts may have none can have alone.
  if (volume.accessModeLimit !== 'ReadWrite')
    throw new InvalidRequestError(
      `${what}: the array limits it to reading; make a copy of the snapshot instead (-o from=${name}@${snapshot})`,
      { context },
    );
  const all = await snapshotsOf({ array }, volume, signal);
  const source = pickSnapshot(all, { name, snapshot });
  // What an array makes of the size is not the same in every release, and a volume that gets smaller loses what was written behind.
  if (source.volume.sizeKiB !== volume.sizeKiB)
    throw new InvalidRequestError(
      `${what}: the volume has ${formatSize(volume.sizeKiB)} and had ${formatSize(source.volume.sizeKiB)} then; make a copy of the snapshot instead (-o from=${name}@${snapshot})`,
      { context },
    );
  if (source.volume.accessModeLimit !== 'ReadOnly') assertUnused(what, source.volume);
  return { volume, source, taken: new Set(all.map((one) => one.name)) };
}

/** Rejects with VolumeInUseError that says who has it. */
export function assertUnused(what: string, { id, name, attachments, attachedToAll }: ArrayVolume): void {
  if (attachments.length === 0 && !attachedToAll) return;
  const who = attachedToAll ? 'every host' : `host ${attachments.map(describeHolder).join(', ')}`;
  throw new VolumeInUseError(`${what}: ${who} has "${name ?? id}"; stop what uses it there first`, {
    context: { volumeId: id },
  });
}
