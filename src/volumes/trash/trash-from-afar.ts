import { GatewayRejectedError, VolumeConflictError, VolumeInUseError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Clock } from '../../runtime/clock.ts';
import { findByName } from '../life/lookup.ts';
import { arrayNameFor } from '../naming.ts';
import { describeHolder } from '../takeover/holders.ts';
import type { VolumeName } from '../volume.ts';
import { trashName } from './trash-names.ts';

interface Afar {
  readonly array: Pick<StorageArray, 'findVolumeId' | 'getVolume' | 'renameVolume'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly prefix: string;
}

/**
 * Puts a volume that no host has into the trash, for who is no host and keeps no journal: somebody else has to erase it when its time is over.
 * Gone already is success, as for every Remove. Three gateway calls. Rejects with VolumeInUseError that says who has it, and with
 * VolumeConflictError where another volume of the name was removed in the same minute. Call with the volume's lock held.
 */
export async function trashFromAfar(
  { array, clock, prefix }: Afar,
  name: VolumeName,
  signal: AbortSignal,
): Promise<void> {
  const volume = await findByName(array, arrayNameFor(prefix, name), signal);
  if (volume === undefined) return;
  assertUnattached(name, volume);
  try {
    await array.renameVolume(volume.id, trashName(prefix, name, volume.id, clock.now()), signal);
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError)) throw cause;
    if (cause.refusal === 'volume-unknown') return;
    if (cause.refusal !== 'name-in-use') throw cause;
    throw new VolumeConflictError(
      `removing volume "${name}" failed: another that looks the same was removed within this minute; try again in the next`,
      { cause, context: { volumeId: volume.id } },
    );
  }
}

function assertUnattached(name: string, { id, attachments, attachedToAll }: ArrayVolume): void {
  const others = attachments.map(describeHolder);
  if (attachedToAll) others.push('every host');
  if (others.length === 0) return;
  throw new VolumeInUseError(
    `removing volume "${name}" failed: it is mapped to host ${others.join(', ')}; stop what uses it there first`,
    { context: { volumeId: id } },
  );
}
