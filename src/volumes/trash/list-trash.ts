import type { PoolId, VolumeId } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { InvalidRequestError, VolumeNotFoundError } from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { goneName, isTrashOf, trashFacts } from './trash-names.ts';

/** A removed volume that is still on the array. */
export interface TrashedVolume {
  readonly volumeId: VolumeId;
  readonly arrayName: string;
  /** Its whole name; null: only a part of it fits the array's. */
  readonly name: string | null;
  /** What people are shown of its name. */
  readonly shown: string;
  /** Ms since 1970, whole minutes, by the clock of the host that removed it; null: nothing tells, so that nobody erases it. */
  readonly removedAtMs: number | null;
  readonly sizeKiB: number;
  readonly poolId: PoolId;
  /** Nobody can have it back any more. */
  readonly isBeingErased: boolean;
  /** A host has it, so that nobody erases it. */
  readonly isHad: boolean;
}

/** What the array has in the trash of this prefix, the longest removed first. One gateway call, which lists the array. */
export async function listTrash(
  { array, prefix }: { readonly array: Pick<StorageArray, 'listVolumes'>; readonly prefix: string },
  signal: AbortSignal,
): Promise<readonly TrashedVolume[]> {
  const passes = (name: string): boolean =>
    trashFacts(prefix, name) !== undefined || name.startsWith('~gone.');
  return trashAmong(await array.listVolumes(passes, signal), prefix);
}

/** Those of the volumes that are in the trash of this prefix, the longest removed first. */
export function trashAmong(volumes: readonly ArrayVolume[], prefix: string): readonly TrashedVolume[] {
  return volumes
    .flatMap((volume) => trashedVolumeOf(volume, prefix) ?? [])
    .toSorted((one, other) => (one.removedAtMs ?? 0) - (other.removedAtMs ?? 0));
}

/** The one that is meant by a name or an id. Rejects with VolumeNotFoundError, and with InvalidRequestError that lists them when there are several. */
export function chooseTrashed(
  trash: readonly TrashedVolume[],
  wanted: string,
  prefix: string,
): TrashedVolume {
  const kept = trash.filter(({ isBeingErased }) => !isBeingErased);
  const named = kept.filter(({ arrayName }) => isTrashOf(prefix, wanted, arrayName));
  const found = named.length > 0 ? named : kept.filter(({ volumeId }) => volumeId === wanted);
  const [only, another] = found;
  if (only === undefined)
    throw new VolumeNotFoundError(
      `there is no volume ${quote(wanted)} in the trash; "volume trash" lists what is`,
    );
  if (another === undefined) return only;
  const list = found.map(({ volumeId, removedAtMs }) => `${volumeId} (removed ${timeOf(removedAtMs)})`);
  throw new InvalidRequestError(
    `there are ${found.length} volumes ${quote(wanted)} in the trash: ${list.join(', ')}; give the id of one in place of the name`,
  );
}

function timeOf(ms: number | null): string {
  return ms === null ? 'at an unknown time' : new Date(ms).toISOString();
}

function trashedVolumeOf(volume: ArrayVolume, prefix: string): TrashedVolume | undefined {
  const { id, name, sizeKiB, poolId, attachments, attachedToAll } = volume;
  const about = { volumeId: id, sizeKiB, poolId, isHad: attachedToAll || attachments.length > 0 };
  if (name === null) return undefined;
  if (name === goneName(prefix, id))
    return { ...about, arrayName: name, name: null, shown: '-', removedAtMs: null, isBeingErased: true };
  const facts = trashFacts(prefix, name);
  if (facts === undefined) return undefined;
  return {
    ...about,
    arrayName: name,
    name: facts.name ?? null,
    shown: facts.shown,
    removedAtMs: facts.removedAtMs ?? null,
    isBeingErased: false,
  };
}
