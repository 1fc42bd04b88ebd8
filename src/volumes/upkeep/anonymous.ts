import { asVolumeId } from '../../array/ids.ts';
import { GatewayRejectedError, VolumeInUseError } from '../../errors.ts';
import type { VolumeHost } from '../volume-host.ts';
import { arrayNameFor } from '../naming.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Device } from '../../attach/attacher.ts';
import { asVolumeName } from '../volume.ts';
import type { VolumeLabel } from '../options/label.ts';
import type { InspectionRecord } from '../ports.ts';
import { patiently, type PatientHost } from '../life/patience.ts';
import { isAnonymous, mayBeAnonymous } from './anonymous-names.ts';

export interface AnonymousHost extends Pick<VolumeHost, 'array' | 'attacher' | 'identity'>, PatientHost {
  readonly prefix: string;
  readonly record: InspectionRecord;
  /** True when the plugin of this host works with the volume. */
  readonly isEntered: (volumeId: string) => Promise<boolean>;
  /**
   * Mounts the device where nobody else sees it, reading only, and answers its label; undefined where it has none. Rejects with
   * DeviceHeldError while something else has claimed the device.
   */
  readonly labelOn: (device: Device, signal: AbortSignal) => Promise<VolumeLabel | undefined>;
  readonly isHeld: (device: Device) => Promise<boolean>;
}

/** A volume as the list of likely ones has it. */
export type ListedVolume = Pick<ArrayVolume, 'id' | 'name'>;

/** A volume whose label says that an engine made its name up. */
export interface ProvenAnonymous {
  readonly name: string;
  readonly volume: ArrayVolume;
}

/** Volumes that no host has and whose array names are most likely those of anonymous volumes. One gateway call. */
export async function listLikelyAnonymous(
  { array, prefix }: Pick<AnonymousHost, 'array' | 'prefix'>,
  signal: AbortSignal,
): Promise<readonly ArrayVolume[]> {
  const found = await array.listVolumes((name) => mayBeAnonymous(prefix, name), signal);
  return found.filter(isFree);
}

/**
 * Attaches the volume here, which the array refuses while any other host has it, reads its label, and takes it off again. Undefined
 * where the label does not hold the 64 hex digits that give this array name. Rejects with VolumeInUseError when it is not
 * free, or is the plugin's own; nothing stays attached unless it says so.
 */
export async function proveAnonymous(
  host: AnonymousHost,
  listed: ListedVolume,
  signal: AbortSignal,
): Promise<ProvenAnonymous | undefined> {
  const { array, attacher, identity, record } = host;
  const me = await identity.current(signal);
  if (identity.doubt !== undefined) throw kept(listed, identity.doubt);
  await endUnfinishedLook(host, signal);
  const volume = await assertStillFree(host, listed, signal);
  await record.write({ volumeId: volume.id, arrayName: volume.name ?? '' });
  let label: VolumeLabel | undefined;
  let isAnswered = false;
  try {
    await array
      .attachVolume({ volumeId: volume.id, hostId: me.hostId, readOnly: false }, signal)
      .catch((error: unknown) => {
        isAnswered = error instanceof GatewayRejectedError;
        throw error;
      });
    isAnswered = true;
    const device = await attacher.waitForDevice(me.systemId, volume.id, signal);
    const attempt = `looking into volume "${volume.name ?? ''}"`;
    label = await patiently(host, { device, attempt }, () => host.labelOn(device, signal), signal);
  } finally {
    // Without an answer it may still come to be mapped: the record stays for the next look.
    await endUnfinishedLook(host, AbortSignal.timeout(END_LIMIT_MS), isAnswered);
  }
  const isProven =
    label !== undefined &&
    isAnonymous(label.name) &&
    arrayNameFor(host.prefix, asVolumeName(label.name)) === volume.name;
  return isProven ? { name: label?.name ?? '', volume } : undefined;
}

/** Removes it, if it is still as it was proven: free, and without snapshots. */
export async function removeAnonymous(
  host: AnonymousHost,
  volume: ListedVolume,
  signal: AbortSignal,
): Promise<void> {
  const { array } = host;
  const now = await assertStillFree(host, volume, signal);
  const family = await array.volumesOfFamily(now, signal);
  if (family.some(({ id }) => id !== now.id)) throw kept(now, 'it has snapshots');
  await array.removeVolume(now.id, signal);
}

const END_LIMIT_MS = 30_000;
const AGAIN_MS = 100;

/** Takes off what this look, or one that was killed, has attached: only what the record says, from this host alone, unused. */
export async function endUnfinishedLook(
  host: AnonymousHost,
  signal: AbortSignal,
  isAnswered = true,
): Promise<void> {
  const { array, attacher, identity, record } = host;
  const looked = await record.read();
  if (looked === undefined) return;
  const volume = await array.getVolume(asVolumeId(looked.volumeId), signal);
  const me = await identity.current(signal);
  const isMine =
    volume !== undefined &&
    volume.name === looked.arrayName &&
    volume.attachments.some(({ hostId }) => hostId === me.hostId) &&
    !(await host.isEntered(volume.id));
  if (isMine) {
    const device = await attacher.findDevice(me.systemId, volume.id);
    if (device !== undefined && (await staysHeld(host, device, signal)))
      throw kept(
        volume,
        `it stays mapped to this host, where "${device.path}" is in use; stop that, then try again`,
      );
    await array.detachVolume(volume.id, me.hostId, signal);
  }
  if (isMine || isAnswered) await record.remove();
}

/** Whoever only looks at each new device has let go of it after a moment. */
async function staysHeld(host: AnonymousHost, device: Device, signal: AbortSignal): Promise<boolean> {
  const { clock, policy } = host;
  const began = clock.elapsed();
  while (await host.isHeld(device)) {
    if (clock.elapsed() - began >= policy.heldWaitMs) return true;
    await clock.sleep(AGAIN_MS, signal);
  }
  return false;
}

async function assertStillFree(
  { array, isEntered }: AnonymousHost,
  listed: ListedVolume,
  signal: AbortSignal,
): Promise<ArrayVolume> {
  const now = await array.getVolume(listed.id, signal);
  if (now?.name !== listed.name) throw kept(listed, 'it is no longer as it was listed');
  if (!isFree(now)) throw kept(now, 'a host has it now');
  if (await isEntered(now.id)) throw kept(now, 'the plugin on this host works with it');
  return now;
}

function isFree({ attachments, attachedToAll, kind }: ArrayVolume): boolean {
  return attachments.length === 0 && !attachedToAll && kind !== 'snapshot';
}

function kept({ id, name }: ListedVolume, why: string): VolumeInUseError {
  return new VolumeInUseError(`volume "${name ?? ''}" (${id}) was left alone: ${why}`, {
    context: { volumeId: id },
  });
}
