import { InvalidRequestError, VolumeNotFoundError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { formatSize } from '../../units/size.ts';
import { roundedToGrain } from '../options/option-words.ts';
import { describeHolder } from '../takeover/holders.ts';
import type { VolumeName } from '../volume.ts';

/** What growing a volume needs of the array. */
export interface GrowingArray {
  readonly array: Pick<StorageArray, 'identity' | 'growVolume'>;
  /** The volume as it is now; undefined when there is none. */
  readonly find: (name: VolumeName, signal: AbortSignal) => Promise<ArrayVolume | undefined>;
}

/** A volume whose size at the array is what was asked for; its file system follows where it is mounted. */
export interface GrownVolume {
  readonly volume: ArrayVolume;
  readonly beforeKiB: number;
  readonly sizeKiB: number;
  /** Who has it, as people know that host; null: nobody. */
  readonly holder: string | null;
}

/**
 * Makes the volume at least as large as asked for, KiB, in whole grains of the array; nothing else of it changes. As large already is
 * success. One call for the look, one for the change. Rejects with VolumeNotFoundError, with InvalidRequestError for less than it has and
 * for one that is limited to reading, and as the array refuses.
 */
export async function growVolume(
  { array, find }: GrowingArray,
  { name, sizeKiB }: { readonly name: VolumeName; readonly sizeKiB: number },
  signal: AbortSignal,
): Promise<GrownVolume> {
  const volume = await find(name, signal);
  if (volume === undefined)
    throw new VolumeNotFoundError(`growing volume "${name}" failed: the array has no such volume`);
  const { capabilities } = await array.identity(signal);
  const wantedKiB = roundedToGrain(sizeKiB, capabilities);
  if (wantedKiB < volume.sizeKiB)
    throw new InvalidRequestError(
      `growing volume "${name}" failed: it has ${formatSize(volume.sizeKiB)} and ${formatSize(wantedKiB)} was asked for, and a volume ` +
        'cannot be made smaller; copy its files into a smaller one',
      { context: { volumeId: volume.id } },
    );
  if (volume.accessModeLimit !== 'ReadWrite')
    throw new InvalidRequestError(
      `growing volume "${name}" failed: it is limited to reading, so its file system could not follow`,
      { context: { volumeId: volume.id } },
    );
  const [attachment] = volume.attachments;
  const holder = attachment === undefined ? null : describeHolder(attachment);
  if (wantedKiB > volume.sizeKiB) await array.growVolume(volume.id, wantedKiB, signal);
  return { volume, beforeKiB: volume.sizeKiB, sizeKiB: wantedKiB, holder };
}
