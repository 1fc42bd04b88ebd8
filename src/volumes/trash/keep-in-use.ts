import { isPluginError } from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { VolumeIn } from '../host-volume.ts';
import type { VolumeLock } from '../life/volume-lock.ts';
import type { VolumeHost } from '../volume-host.ts';
import { trashFacts } from './trash-names.ts';

/**
 * Gives volumes that are mounted here their names back which another host has put in the trash: its look and its renaming are two calls,
 * between which a Mount can come. Without such a volume no gateway call; else two for each. What the array refuses stays as it is, and is said.
 */
export async function keepInUse(
  host: Pick<VolumeHost, 'array' | 'journal' | 'identity' | 'policy' | 'log'>,
  lock: VolumeLock,
  mapped: readonly ArrayVolume[],
  signal: AbortSignal,
): Promise<void> {
  const { identity, journal, policy, log } = host;
  // Whose mapping it is, is not certain then.
  if (identity.doubt !== undefined) return;
  for (const { id, name } of mapped) {
    if (name === null || trashFacts(policy.prefix, name) === undefined) continue;
    const used = journal.all().find(({ phase, volumeId }) => phase === 'mounted' && volumeId === id);
    if (used === undefined || lock.holders().some((holder) => holder.name === used.name)) continue;
    await lock.run(used.name, 'name of a volume in use', signal, async () => {
      const entry = journal.get(used.name);
      if (entry?.phase !== 'mounted' || entry.volumeId !== id) return;
      try {
        await nameAgain(host, entry, name, signal);
      } catch (cause) {
        if (!isPluginError(cause)) throw cause;
        log.warn(
          { volume: entry.name, volumeId: id, error: cause.message },
          'a volume that is mounted here was removed by another host and stays in the trash',
        );
      }
    });
  }
}

async function nameAgain(
  { array, identity, log }: Pick<VolumeHost, 'array' | 'identity' | 'log'>,
  { name, arrayName, volumeId }: VolumeIn<'mounted'>,
  inTrash: string,
  signal: AbortSignal,
): Promise<void> {
  const [me, now] = await Promise.all([identity.current(signal), array.getVolume(volumeId, signal)]);
  if (now?.name !== inTrash || !now.attachments.some(({ hostId }) => hostId === me.hostId)) return;
  await array.renameVolume(volumeId, arrayName, signal);
  log.warn(
    { volume: name, volumeId },
    'another host removed the volume in the moment in which it was mounted here; it has its name again',
  );
}
