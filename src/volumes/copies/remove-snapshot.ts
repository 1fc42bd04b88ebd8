import { GatewayRejectedError, VolumeInUseError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import { describeHolder } from '../takeover/holders.ts';
import type { VolumeSnapshot } from './family-snapshots.ts';

/** Removes one snapshot and nothing else of its family. One call. Rejects with VolumeInUseError while somebody has it or the array keeps it. */
export async function removeSnapshot(
  { array }: { readonly array: Pick<StorageArray, 'removeVolume'> },
  { name, snapshot }: { readonly name: string; readonly snapshot: VolumeSnapshot },
  signal: AbortSignal,
): Promise<void> {
  const { volume } = snapshot;
  const what = `removing snapshot "${name}@${snapshot.name}" failed`;
  const context = { volumeId: volume.id };
  if (volume.attachments.length > 0 || volume.attachedToAll)
    throw new VolumeInUseError(
      `${what}: host ${volume.attachments.map(describeHolder).join(', ') || 'every host'} has it; stop what uses it there first`,
      { context },
    );
  try {
    await array.removeVolume(volume.id, signal);
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'locked') throw cause;
    const until =
      volume.secureUntilSeconds === null
        ? ''
        : ` until ${new Date(volume.secureUntilSeconds * 1000).toISOString()}`;
    throw new VolumeInUseError(`${what}: it is secured${until}, and the array removes it for nobody before`, {
      context,
      cause,
    });
  }
}
