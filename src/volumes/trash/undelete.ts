import { GatewayRejectedError, InvalidRequestError, VolumeConflictError } from '../../errors.ts';
import { asArrayName } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import { quote } from '../../units/quote.ts';
import { arrayNameFor, validateVolumeName } from '../naming.ts';
import type { VolumeName } from '../volume.ts';
import { chooseTrashed, listTrash, type TrashedVolume } from './list-trash.ts';
import { isTrashOf } from './trash-names.ts';

export interface UndeleteRequest {
  /** The name that it had, or its id. */
  readonly wanted: string;
  /** The name that it shall have; null: the one that it had. */
  readonly as: string | null;
}

/** What is to be brought back, and what it will be called. */
export interface PlannedUndelete {
  readonly trashed: TrashedVolume;
  readonly name: VolumeName;
}

type TrashArray = Pick<StorageArray, 'listVolumes' | 'renameVolume' | 'getVolume'>;

/** One gateway call, which lists the array. Rejects as chooseTrashed, and with InvalidRequestError where the id of one is given whose name nobody can tell. */
export async function planUndelete(
  host: { readonly array: TrashArray; readonly prefix: string },
  { wanted, as }: UndeleteRequest,
  signal: AbortSignal,
): Promise<PlannedUndelete> {
  if (as !== null) validateVolumeName(as);
  const trashed = chooseTrashed(await listTrash(host, signal), wanted, host.prefix);
  const before = isTrashOf(host.prefix, wanted, trashed.arrayName) ? wanted : trashed.name;
  const name = as ?? before;
  if (name === null)
    throw new InvalidRequestError(
      `volume ${trashed.volumeId} was called "${trashed.shown}", of which the end is not known here; say with --as what it shall be called`,
    );
  return { trashed, name: validateVolumeName(name) };
}

/**
 * Gives a volume of the trash a name, and reads that back (rule 15). Its data, options, failover policy and snapshots are as they were;
 * another name is written into its label by the next Mount. Two gateway calls. Rejects with VolumeConflictError when the name is in use,
 * and when the volume is in the trash no more, or is being erased.
 */
export async function undelete(
  { array, prefix }: { readonly array: TrashArray; readonly prefix: string },
  { trashed, name }: PlannedUndelete,
  signal: AbortSignal,
): Promise<void> {
  const { volumeId } = trashed;
  const arrayName = arrayNameFor(prefix, name);
  const context = { volumeId };
  try {
    await array.renameVolume(volumeId, asArrayName(arrayName), signal);
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError)) throw cause;
    if (cause.refusal === 'name-in-use')
      throw new VolumeConflictError(
        `undelete of volume "${name}" failed: there is a volume of that name; give the old one another name with --as`,
        { cause, context },
      );
    throw cause;
  }
  const now = await array.getVolume(volumeId, signal);
  if (now?.name === arrayName) return;
  throw new VolumeConflictError(
    `undelete of volume "${name}" failed: the array has ${now === undefined ? 'it no more' : `it as ${quote(now.name ?? '')}`}; somebody erases it, or renamed it at the same time; see "volume trash"`,
    { context },
  );
}
