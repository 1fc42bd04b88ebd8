import { VolumeInUseError } from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { releasingVolume, type RestoringVolume } from '../host-volume.ts';
import { awaitDevice } from '../life/await-device.ts';
import { releaseVolume } from '../life/release.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import { putBackLabel } from './restored-label.ts';

/** A volume that is attached to this host and has got the content of a snapshot. */
export interface ToFinish {
  readonly entry: RestoringVolume;
  readonly volume: ArrayVolume;
  readonly me: HostIdentity;
}

/**
 * What this host has of the volume is of the new content from here on, and its label is the one that it had before. No gateway call. Rejects
 * as the device and the file system do; it may be mounted then.
 */
export async function finishRestore(
  host: VolumeHost,
  { entry, volume, me }: ToFinish,
  signal: AbortSignal,
): Promise<void> {
  const { id, sizeKiB } = volume;
  const attempt = `looking into restored volume "${entry.name}"`;
  const held = await awaitDevice(host, { id, sizeKiB, attempt }, me, signal);
  try {
    await putBackLabel(host, { entry, volume, held }, signal);
  } finally {
    await held.close();
  }
}

/**
 * Why it may be that another host had the volume since its restore began, as far as this host alone can see that; undefined: none had. As
 * long as the attachment stands, the kernel shows one and the same disk: it counts those that come.
 */
export async function whyNotStood(
  { attacher }: Pick<VolumeHost, 'attacher'>,
  { systemId, volumeId, restore }: RestoringVolume,
): Promise<string | undefined> {
  const device = await attacher.findDevice(systemId, volumeId);
  if (device === undefined) return 'its device is no longer on this host';
  if (device.diskSequence === restore.diskSequence) return undefined;
  return 'its device has gone and come back since';
}

/**
 * The restore is over and nobody repeats it: what the volume holds is for a person to see. Told in the log, and kept for `volume show` and
 * doctor. Rejects as DroppedRestores.add.
 */
export async function dropRestore(
  { clock, droppedRestores, log }: Pick<VolumeHost, 'clock' | 'droppedRestores' | 'log'>,
  { name: volume, volumeId, restore }: RestoringVolume,
  why: string,
): Promise<void> {
  const { snapshot, keptAs } = restore;
  const at = new Date(clock.now()).toISOString();
  await droppedRestores.add({ at, volume, volumeId, snapshot, keptAs, why });
  log.error(
    { volume, volumeId, snapshot, keptAs, why },
    'a restore was cut short and is not repeated: look whether the volume holds what it should, and restore it again if it does not',
  );
}

/** restoring → gone. Answers whether nothing of it is left on this host; rejects as releaseVolume. */
export async function letGoOfRestore(
  host: VolumeHost,
  entry: RestoringVolume,
  signal: AbortSignal,
): Promise<boolean> {
  const releasing = releasingVolume(entry, new Date(host.clock.now()).toISOString());
  await host.journal.put(releasing);
  return (await releaseVolume(host, releasing, signal)) === 'released';
}

/** Rejects with VolumeInUseError while something on this host has the device, which is attached here, open. */
export async function assertClosed(
  { attacher, filesystems }: Pick<VolumeHost, 'attacher' | 'filesystems'>,
  what: string,
  { systemId, volumeId }: RestoringVolume,
): Promise<void> {
  const device = await attacher.findDevice(systemId, volumeId);
  if (device !== undefined && (await filesystems.isHeld(device)))
    throw new VolumeInUseError(`${what}: something on this host has its device "${device.path}" open`, {
      context: { volumeId },
    });
}
