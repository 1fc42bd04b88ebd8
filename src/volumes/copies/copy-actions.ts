import { InvalidRequestError, VolumeNotFoundError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { VolumeLock } from '../life/volume-lock.ts';
import { validateVolumeName } from '../naming.ts';
import type { ListedSnapshot, OperatorActions, SnapshotList } from '../operator-actions.ts';
import type { VolumeName } from '../volume.ts';
import { findSnapshot, snapshotsOf, type VolumeSnapshot } from './family-snapshots.ts';
import { removeSnapshot } from './remove-snapshot.ts';
import { policyOfVolume } from './snapshot-policy.ts';
import type { RestoreVolume } from './restore-volume.ts';
import { validateSnapshotName } from './snapshot-names.ts';
import { takeSnapshots, type SnapshotHost } from './take-snapshots.ts';

/** What is done with copies of volumes. */
export type CopyActions = Pick<
  OperatorActions,
  'takeSnapshots' | 'listSnapshots' | 'removeSnapshot' | 'restore' | 'snapshotPolicy'
>;

interface CopyHost extends Omit<SnapshotHost, 'array'> {
  readonly array: StorageArray;
  readonly lock: VolumeLock;
  /** Call with the lock held. */
  readonly restore: RestoreVolume['restore'];
}

export function copyActions(host: CopyHost): CopyActions {
  const { array, clock, lock } = host;
  const found = async (name: VolumeName, signal: AbortSignal): Promise<ArrayVolume> => {
    const volume = await host.find(name, signal);
    if (volume !== undefined) return volume;
    throw new VolumeNotFoundError(`no volume "${name}" on the array; see docker-volume-scaleio volume ls`);
  };
  return {
    takeSnapshots: async ({ names: raw, snapshot, expireMs, secureForMinutes }, signal) => {
      const names = uniqueNames(raw);
      const wish = {
        names,
        snapshot: snapshot === null ? undefined : validateSnapshotName(snapshot),
        expiresAtSeconds: expireMs === null ? null : expiryOf(new Date(clock.now()), expireMs),
        secureForMinutes,
      };
      return lockedAll(lock, names, signal, () => takeSnapshots(host, wish, signal));
    },

    listSnapshots: async ({ name: raw }, signal) => {
      const volume = await found(validateVolumeName(raw), signal);
      const [snapshots, most, held] = await Promise.all([
        snapshotsOf(host, volume, signal),
        array.familyLimit(signal),
        heldBy(array, volume, signal),
      ]);
      return { snapshots: snapshots.map(described), most, heldKiB: held };
    },

    removeSnapshot: async ({ name: raw, snapshot }, signal) => {
      const name = validateVolumeName(raw);
      await lock.run(name, 'removal of a snapshot', signal, async () => {
        const volume = await found(name, signal);
        const wanted = await findSnapshot(host, { volume, name, snapshot }, signal);
        await removeSnapshot(host, { name, snapshot: wanted }, signal);
        host.log.info({ volume: name, snapshot, volumeId: wanted.volume.id }, 'snapshot removed');
      });
    },

    snapshotPolicy: async ({ name: raw, set }, signal) => {
      const name = validateVolumeName(raw);
      return lock.run(name, 'change of snapshot policy', signal, () =>
        policyOfVolume(host, { name, set }, signal),
      );
    },

    restore: async ({ name: raw, snapshot, keepMs }, signal) => {
      const name = validateVolumeName(raw);
      const keptUntilSeconds = keepMs === null ? null : expiryOf(new Date(clock.now()), keepMs);
      return lock.run(name, 'restore', signal, () =>
        host.restore({ name, snapshot, keptUntilSeconds }, signal),
      );
    },
  };
}

/** What the volume's copies hold beyond what they share with it; the array does not say of one alone. One call. */
async function heldBy(
  array: Pick<StorageArray, 'usageOfFamilies'>,
  { familyId }: ArrayVolume,
  signal: AbortSignal,
): Promise<SnapshotList['heldKiB']> {
  if (familyId === null) return null;
  return (await array.usageOfFamilies([familyId], signal)).get(familyId)?.snapshotsKiB ?? null;
}

function described({ volume, name, isFrozen, expiresAtSeconds }: VolumeSnapshot): ListedSnapshot {
  const { id, createdAtSeconds, secureUntilSeconds, sizeKiB, attachments, attachedToAll } = volume;
  return {
    snapshot: name,
    id,
    takenAt: iso(createdAtSeconds),
    expiresAt: iso(expiresAtSeconds),
    secureUntil: iso(secureUntilSeconds),
    consistency: isFrozen ? 'frozen' : 'crash-consistent',
    sizeKiB,
    isInUse: attachedToAll || attachments.length > 0,
  };
}

/** By the wall clock, because every host and every steward must read the same of it. Seconds since 1970. */
function expiryOf(takenAt: Date, expireMs: number): number {
  return Math.ceil((takenAt.getTime() + expireMs) / 1000);
}

function iso(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString();
}

/** In one order whoever asks, so that two who want the same volumes never wait for each other. */
function uniqueNames(raw: readonly string[]): readonly VolumeName[] {
  const names = raw.map(validateVolumeName);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new InvalidRequestError(`volume "${twice}" was named twice; name it once`);
  if (names.length === 0) throw new InvalidRequestError('no volume was named');
  return names.toSorted();
}

function lockedAll<T>(
  lock: VolumeLock,
  [name, ...more]: readonly VolumeName[],
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  if (name === undefined) return act();
  return lock.run(name, 'snapshot', signal, () => lockedAll(lock, more, signal, act));
}
