import { isPluginError, VolumeInUseError } from '../../errors.ts';
import { removeFromArray } from '../trash/remove-from-array.ts';
import { isMarkerNeeded, removeMarkers } from '../takeover/failover-marker.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import {
  creatingVolume,
  isUnfinished,
  setAside,
  type UnfinishedVolume,
  type VolumeIn,
} from '../host-volume.ts';
import { provisionalName } from '../naming.ts';
import { findByName } from './lookup.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { VolumeName } from '../volume.ts';
import type { Device } from '../../attach/attacher.ts';

/** Writes down under which name this host is about to make a volume (rule 4). Rejects as the journal does. */
export async function reserveProvisional(
  { clock, journal, filesystems, policy }: VolumeHost,
  name: VolumeName,
  me: HostIdentity,
): Promise<VolumeIn<'creating'>> {
  const before = journal.get(name);
  // It was of another volume of this name, which is gone from the array.
  if (before !== undefined)
    await filesystems.unmount(before.mountpoint, { lazy: true }, AbortSignal.timeout(policy.cleanupMs));
  const provisional = provisionalName(me.guid, policy.prefix, clock.randomHex(8));
  const entry = creatingVolume(name, provisional, {
    systemId: me.systemId,
    mountpoint: filesystems.mountpointOf(provisional),
    since: new Date(clock.now()).toISOString(),
  });
  await journal.put(entry);
  return entry;
}

/** Removes what was reserved and failed, or leaves it to the reconciler. Never rejects. */
export async function clearProvisional(host: VolumeHost, entry: UnfinishedVolume): Promise<void> {
  try {
    await removeProvisional(host, entry, AbortSignal.timeout(host.policy.cleanupMs));
  } catch (cause) {
    const reason = isPluginError(cause) ? cause.message : String(cause);
    host.log.warn(
      { volume: entry.name, error: reason },
      'provisional volume not removed now; trying again later',
    );
  }
}

/**
 * Removes what an unfinished Create of this host left: mount, mapping, the provisional volume and its failover marker; or
 * the marker that an unfinished Remove left. Nothing left is success. The name alone finds it, so a reply lost at any step
 * does not matter. Where the request to make it got no answer and nothing is there, it may still come: the entry
 * stays, under the provisional name so that it is in nobody's way, and false is answered. Rejects when it cannot be done now; the
 * journal entry stays.
 */
export async function removeProvisional(
  host: VolumeHost,
  entry: UnfinishedVolume,
  signal: AbortSignal,
): Promise<boolean> {
  const { array, filesystems, journal } = host;
  await filesystems.unmount(entry.mountpoint, { lazy: true }, signal);
  if (!(await isMarkerNeeded(host, entry.arrayName, signal))) {
    const volume = await findByName(array, entry.arrayName, signal);
    if (volume !== undefined) await removeFound(host, entry, volume, signal);
    else if (entry.attachment === 'intended') {
      await putAside(host, entry);
      return false;
    }
  }
  await journal.delete(entry.name);
  filesystems.spareMountpoint(entry.mountpoint);
  return true;
}

/** The next Create of this name needs the place in the journal; no volume's name can be a provisional one. */
async function putAside({ journal }: VolumeHost, entry: UnfinishedVolume): Promise<void> {
  if (entry.name === entry.arrayName) return;
  await journal.put(setAside(entry));
  await journal.delete(entry.name);
}

/**
 * Removes what an earlier Create of this name left, before its journal entry, the only trace of it, makes way for
 * another. Costs nothing when there is none; rejects as removeProvisional.
 */
export async function removeUnfinishedCreate(
  host: VolumeHost,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const entry = host.journal.get(name);
  if (entry !== undefined && isUnfinished(entry)) await removeProvisional(host, entry, signal);
}

async function removeFound(
  host: VolumeHost,
  entry: UnfinishedVolume,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<void> {
  const { array, attacher } = host;
  const { id } = volume;
  if (volume.attachments.length > 0) {
    const device = await attacher.findDevice(entry.systemId, id);
    if (device !== undefined) await awaitFree(host, device, signal);
    const me = await host.identity.current(signal);
    await array.detachVolume(id, me.hostId, signal);
  }
  await removeMarkers(host, volume, signal);
  await removeFromArray(array, volume, signal);
}

/** mkfs of the cancelled call may still be dying; one that hangs must not hold up the reconciler's other work. */
async function awaitFree(host: VolumeHost, device: Device, signal: AbortSignal): Promise<void> {
  const { clock, filesystems, policy } = host;
  const until = clock.elapsed() + policy.releaseWaitMs;
  while (await filesystems.isHeld(device)) {
    if (clock.elapsed() >= until) {
      throw new VolumeInUseError(
        `unfinished volume on "${device.path}" cannot be removed: a process still uses it; it is tried again later`,
      );
    }
    await clock.sleep(20, signal);
  }
}
