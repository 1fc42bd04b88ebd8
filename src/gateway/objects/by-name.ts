import { GatewayRejectedError } from '../../errors.ts';
import type { ArrayName, VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { UnclearAnswerError } from '../wire/failures.ts';
import type { Volumes } from './volumes.ts';

interface Wanted {
  readonly name: ArrayName;
  /** As it follows "cannot ". */
  readonly what: string;
  readonly isOurs: (found: ArrayVolume) => boolean;
}

/** The volume of this name if it is what was asked for; refused as 'name-in-use' if it is another. */
export async function lookForNamed(
  volumes: Volumes,
  { name, what, isOurs }: Wanted,
  signal: AbortSignal,
): Promise<ArrayVolume | undefined> {
  const id = await volumes.find(name, signal);
  const found = id === undefined ? undefined : await volumes.get(id, signal);
  if (found === undefined) return undefined;
  if (found.name !== name) {
    throw new UnclearAnswerError(
      `cannot ${what}, or see whether it happened: by that name the array answers "${found.name ?? found.id}"; try again`,
    );
  }
  if (isOurs(found)) return found;
  throw nameTaken(what, found.id);
}

export function nameTaken(what: string, volumeId: VolumeId, cause?: unknown): GatewayRejectedError {
  const message = `cannot ${what}: another volume has this name; use a different name`;
  return new GatewayRejectedError(message, { refusal: 'name-in-use', context: { volumeId }, cause });
}
