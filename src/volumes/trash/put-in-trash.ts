import { GatewayRejectedError, VolumeConflictError } from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { trashedVolume } from '../host-volume.ts';
import type { VolumeHost } from '../volume-host.ts';
import { trashName } from './trash-names.ts';

/**
 * Renames a volume that nobody has so that it is out of sight and its name free; nothing else is taken from it. The journal knows of it
 * before, and this host erases it when its time is over (TrashEraser). One gateway call. Rejects with VolumeConflictError where another
 * volume of the name was removed in the same minute.
 */
export async function putInTrash(
  host: VolumeHost,
  name: string,
  { id }: Pick<ArrayVolume, 'id'>,
  signal: AbortSignal,
): Promise<void> {
  const { array, clock, filesystems, identity, journal, policy } = host;
  const { systemId } = await identity.current(signal);
  const inTrash = trashName(policy.prefix, name, id, clock.now());
  const entry = trashedVolume(id, inTrash, {
    systemId,
    mountpoint: filesystems.mountpointOf(inTrash),
    since: new Date(clock.now()).toISOString(),
  });
  await journal.put(entry);
  try {
    await array.renameVolume(id, inTrash, signal);
  } catch (cause) {
    // Any other failure leaves open whether it happens: the entry stays until that is known.
    if (!(cause instanceof GatewayRejectedError)) throw cause;
    await journal.delete(entry.name);
    // Gone already is success, as for every Remove.
    if (cause.refusal === 'volume-unknown') return;
    if (cause.refusal !== 'name-in-use') throw cause;
    throw new VolumeConflictError(
      `removing volume "${name}" failed: another that looks the same was removed within this minute; try again in the next`,
      { cause, context: { volumeId: id } },
    );
  }
}
