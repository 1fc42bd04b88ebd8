import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import {
  GatewayRejectedError,
  VolumeConflictError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { arrayNameFor } from '../naming.ts';
import { describeHolder } from '../takeover/holders.ts';
import type { VolumeName } from '../volume.ts';

/** What a volume is called, and what it shall be called. */
export interface Renaming {
  readonly from: VolumeName;
  readonly to: VolumeName;
}

interface RenamingHost {
  readonly array: Pick<StorageArray, 'renameVolume' | 'getVolume'>;
  readonly prefix: string;
  readonly find: (name: VolumeName, signal: AbortSignal) => Promise<ArrayVolume | undefined>;
}

/**
 * Gives a volume that nobody has another name, read back (rule 15); the next Mount writes it into the label. Three gateway calls, two where
 * this host knows the volume. Call with the locks of both names held. Rejects with VolumeInUseError that says by whom, with
 * VolumeConflictError where the name is taken, and with VolumeNotFoundError.
 */
export async function renameVolume(
  { array, prefix, find }: RenamingHost,
  { from, to }: Renaming,
  signal: AbortSignal,
): Promise<ArrayVolume> {
  const attempt = `renaming volume ${quote(from)} failed`;
  const volume = await find(from, signal);
  if (volume === undefined) throw new VolumeNotFoundError(`${attempt}: there is no such volume`);
  const context = { volumeId: volume.id };
  assertUnattached(volume, attempt);
  const arrayName = arrayNameFor(prefix, to);
  try {
    await array.renameVolume(volume.id, arrayName, signal);
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'name-in-use') throw cause;
    throw new VolumeConflictError(`${attempt}: there is a volume ${quote(to)} already`, { cause, context });
  }
  const now = await array.getVolume(volume.id, signal);
  if (now?.name === arrayName) return now;
  throw new VolumeConflictError(
    `${attempt}: the array has it as ${quote(now?.name ?? '')} now; somebody renamed or removed it at the same time`,
    { context },
  );
}

/** Rejects with VolumeInUseError that says who has it. */
export function assertUnattached(volume: ArrayVolume, attempt: string): void {
  const holders = volume.attachments.map(describeHolder);
  if (volume.attachedToAll) holders.push('every host');
  if (holders.length === 0) return;
  throw new VolumeInUseError(
    `${attempt}: it is mapped to host ${holders.join(', ')}; stop what uses it there first`,
    { context: { volumeId: volume.id } },
  );
}
