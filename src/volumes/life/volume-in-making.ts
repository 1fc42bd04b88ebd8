import { GatewayUnavailableError } from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Device, HeldDevice } from '../../attach/attacher.ts';
import type { HostVolume } from '../host-volume.ts';
import { arrayNameFor } from '../naming.ts';
import type { CreateOptions } from '../options/create-options.ts';
import type { VolumeLabel } from '../options/label.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { awaitDevice } from './await-device.ts';
import { letGo, throwReason } from './device-release.ts';

/** What is asked for, and under which provisional name it is made. */
export interface Making {
  readonly name: VolumeName;
  readonly options: CreateOptions;
  readonly me: HostIdentity;
  /** The journal has it. */
  readonly entry: HostVolume;
}

/** A volume that lacks nothing but its name: complete, and nobody has it. */
export interface MadeVolume extends Pick<ArrayVolume, 'id' | 'sizeKiB' | 'poolId'> {
  readonly label: VolumeLabel;
}

/**
 * The volume that the array says it has made, read back (rule 15): nothing is mapped, written or renamed on the word of the answer that
 * named the id. Rejects with GatewayUnavailableError unless it bears the provisional name, nobody has it and it passes `isMeant`.
 */
export async function readBack(
  { array }: Pick<VolumeHost, 'array'>,
  { name, entry }: Making,
  { id, isMeant }: { readonly id: ArrayVolume['id']; readonly isMeant: (made: ArrayVolume) => boolean },
  signal: AbortSignal,
): Promise<ArrayVolume> {
  const made = await array.getVolume(id, signal);
  const isFree = made?.attachments.length === 0 && !made.attachedToAll;
  if (made?.name === entry.arrayName && isFree && isMeant(made)) return made;
  throw new GatewayUnavailableError(
    `creating volume "${name}" failed: the array answered with id "${id}", which is not the volume that was asked for; nothing was done to it, try again`,
    { context: { volumeId: id } },
  );
}

/** A volume that was made, and what brings it into the state in which it is handed out. */
interface ToFill<T> extends Pick<ArrayVolume, 'id' | 'sizeKiB'> {
  readonly fill: (held: HeldDevice) => Promise<T>;
}

/**
 * Attaches the new volume to this host alone, has `fill` bring it into the state in which it is handed out, and detaches it, once the
 * device is here and held (rule 14). Mountpoints are prepared meanwhile. Resolves to what `fill` does.
 */
export async function fillAttached<T>(
  host: VolumeHost,
  { name, me, entry }: Making,
  { id, sizeKiB, fill }: ToFill<T>,
  signal: AbortSignal,
): Promise<T> {
  const { array, filesystems, policy } = host;
  await array.attachVolume({ volumeId: id, hostId: me.hostId, readOnly: false }, signal);
  const final = filesystems.mountpointOf(arrayNameFor(policy.prefix, name));
  const awaited = awaitDevice(host, { id, sizeKiB, attempt: `creating volume "${name}"` }, me, signal);
  let filled: T;
  try {
    const [held] = await Promise.all([
      awaited,
      filesystems.prepareMountpoint(entry.mountpoint),
      // The first Mount here is likely the next call, and both are made at one go.
      filesystems.prepareMountpoint(final),
    ]);
    filled = await fill(held).catch((cause: unknown) => throwReason(cause, { held, log: host.log }, signal));
  } finally {
    await letGo(awaited);
  }
  await array.detachVolume(id, me.hostId, signal);
  return filled;
}

/** Unmounts what was filled, and waits until the kernel has let go of it (rule 5). */
export async function unmountFilled(
  { clock, filesystems, log }: Pick<VolumeHost, 'clock' | 'filesystems' | 'log'>,
  { name, entry }: Making,
  device: Device,
  signal: AbortSignal,
): Promise<void> {
  await filesystems.unmount(entry.mountpoint, { lazy: false }, signal);
  while (await filesystems.isHeld(device)) {
    log.debug({ volume: name, device: device.path }, 'kernel still holds the new volume');
    await clock.sleep(20, signal);
  }
}
