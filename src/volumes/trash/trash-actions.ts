import { asArrayName, type VolumeId } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { GatewayRejectedError, InvalidRequestError, RunningPluginError } from '../../errors.ts';
import { parseSnapshotName } from '../copies/snapshot-names.ts';
import { quote } from '../../units/quote.ts';
import { erasingVolume, isDiscarded, trashedVolume } from '../host-volume.ts';
import type { Clock } from '../../runtime/clock.ts';
import { VolumeLookup } from '../life/lookup.ts';
import { RemoveVolume } from '../life/remove.ts';
import type { VolumeLock } from '../life/volume-lock.ts';
import { arrayNameFor, validateVolumeName } from '../naming.ts';
import type { OperatorActions } from '../operator-actions.ts';
import type { VolumeHost } from '../volume-host.ts';
import { graceOf, timeOver } from './erasure.ts';
import { goneName, isInTrash } from './trash-names.ts';
import type { UndeleteWatch } from './undelete-watch.ts';
import { planUndelete, undelete } from './undelete.ts';

/** What is done with removed volumes. */
export type TrashActions = Pick<OperatorActions, 'remove' | 'undelete' | 'eraseTrashed'>;

/** On a host whose plugin runs. */
export function trashActionsOn(
  host: VolumeHost,
  lock: VolumeLock,
  watch: Pick<UndeleteWatch, 'watch'>,
): TrashActions {
  const { array, journal, policy } = host;
  const { prefix } = policy;
  const lookup = new VolumeLookup(host);
  const withGrace = new RemoveVolume(host, lookup);
  const atOnce = new RemoveVolume({ ...host, policy: { ...policy, removeGraceMs: 0 } }, lookup);
  return {
    remove: ({ name: raw, now }, signal) => {
      const name = validateVolumeName(raw);
      return lock.run(name, 'Remove', signal, () => (now ? atOnce : withGrace).remove(name, signal));
    },

    undelete: async (request, signal) => {
      const plan = await planUndelete({ array, prefix }, request, signal);
      const { name, trashed } = plan;
      const { arrayName, volumeId } = trashed;
      // Both: this host's own erasing takes its turn by the name in the trash.
      await lock.run(name, 'undelete', signal, () =>
        lock.run(arrayName, 'undelete', signal, async () => {
          await undelete({ array, prefix }, plan, signal);
          watch.watch({ volumeId, arrayName: arrayNameFor(prefix, name) });
          if (journal.get(arrayName)?.volumeId === volumeId) await journal.delete(arrayName);
        }),
      );
      return { name, volumeId };
    },

    eraseTrashed: ({ volumeId, arrayName, withSnapshots }, signal) =>
      lock.run(arrayName, 'erasing', signal, async () => {
        const volume = await array.getVolume(volumeId, signal);
        if (volume?.name !== arrayName || !isInTrash(arrayName))
          throw new InvalidRequestError(
            `volume ${volumeId} is no longer in the trash as it was shown; nothing was done, look again`,
          );
        if (volume.attachedToAll || volume.attachments.length > 0)
          throw new InvalidRequestError(
            `volume ${volumeId} stays in the trash: a host has it; stop what uses it there first`,
          );
        await beginErasing(host, volume, signal);
        return { snapshots: withSnapshots ? await removeSnapshots(array, volume, signal) : 0 };
      }),
  };
}

/** Where no plugin runs: what the array alone can do. The rest rejects with RunningPluginError. */
export function trashActionsWithout({
  array,
  prefix,
  clock,
  removeGraceMs,
}: {
  readonly array: StorageArray;
  readonly prefix: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly removeGraceMs: number;
}): TrashActions {
  return {
    remove: ({ name }) => Promise.reject(needsPlugin(`volume ${quote(name)} was not removed`)),
    undelete: async (request, signal) => {
      const plan = await planUndelete({ array, prefix }, request, signal);
      const graceMs = graceOf(removeGraceMs);
      // Whoever erases it may have sent the renaming already, which nobody would undo.
      if (timeOver({ prefix, graceMs }, plan.trashed.arrayName, clock.now()))
        throw needsPlugin(
          `volume ${quote(plan.name)} stays in the trash: its time there is over, and somebody may be erasing it`,
        );
      await undelete({ array, prefix }, plan, signal);
      return { name: plan.name, volumeId: plan.trashed.volumeId };
    },
    eraseTrashed: ({ volumeId }) => Promise.reject(needsPlugin(`volume ${volumeId} stays in the trash`)),
  };
}

function needsPlugin(what: string): RunningPluginError {
  return new RunningPluginError(
    `${what}: that takes minutes and a plugin that sees it through, and none runs here; start it, or ask where one runs`,
  );
}

/** The first step; the plugin's rounds do the second (TrashEraser), also after a crash. */
async function beginErasing(host: VolumeHost, { id, name }: ArrayVolume, signal: AbortSignal): Promise<void> {
  const { array, clock, filesystems, identity, journal, policy } = host;
  const arrayName = asArrayName(name ?? '');
  const since = new Date(clock.now()).toISOString();
  const recorded = journal.get(arrayName);
  let entry = recorded !== undefined && isDiscarded(recorded) ? recorded : undefined;
  if (entry === undefined) {
    const { systemId } = await identity.current(signal);
    entry = trashedVolume(id, arrayName, {
      systemId,
      mountpoint: filesystems.mountpointOf(arrayName),
      since,
    });
    await journal.put(entry);
  }
  await journal.put(erasingVolume(entry, since));
  await array.renameVolume(id, goneName(policy.prefix, id), signal);
}

/**
 * Those that this product took of the volume: nobody else's, and neither a clone nor one that is being made. Those that are secured or in use stay. How many went.
 */
async function removeSnapshots(
  array: Pick<StorageArray, 'volumesOfFamily' | 'removeVolume'>,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<number> {
  const family = await array.volumesOfFamily(volume, signal);
  let removed = 0;
  for (const snapshot of family.filter((one) => isSnapshotOf(volume.id, one))) {
    try {
      await array.removeVolume(snapshot.id, signal);
      removed += 1;
    } catch (cause) {
      const stays = ['still-attached', 'locked', 'policy-source'];
      if (!(cause instanceof GatewayRejectedError) || !stays.includes(cause.refusal)) throw cause;
    }
  }
  return removed;
}

function isSnapshotOf(id: VolumeId, { kind, name, attachments, attachedToAll }: ArrayVolume): boolean {
  if (kind !== 'snapshot' || attachedToAll || attachments.length > 0) return false;
  return parseSnapshotName(id, name ?? '') !== undefined;
}
