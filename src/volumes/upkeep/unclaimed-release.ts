import { InvalidRequestError, VolumeInUseError, VolumeNotFoundError } from '../../errors.ts';
import { describeUsers } from '../device-users.ts';
import type { VolumeHost } from '../volume-host.ts';
import { describeHolder, attachmentsOfOthers } from '../takeover/holders.ts';
import type { HostIdentity } from '../identity.ts';
import { arrayNameFor, validateVolumeName } from '../naming.ts';
import type { Filesystems, HostVolume } from '../ports.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Device } from '../../attach/attacher.ts';
import type { VolumeName } from '../volume.ts';

/** What letting go of a mapping needs of its host. */
export type ReleasingHost = Pick<VolumeHost, 'array' | 'attacher' | 'identity' | 'deviceUsers'> & {
  readonly filesystems: Pick<Filesystems, 'isHeld'>;
};

/** A volume that is mapped to this host by somebody else than the plugin, and that nobody here uses. */
export interface Releasable {
  readonly name: VolumeName;
  readonly volume: ArrayVolume;
  readonly device: Device;
  readonly me: HostIdentity;
}

/**
 * The volume of this name, proven free to be let go of: mapped to this host alone, told of by none of the entries, its device here, used
 * by nobody. Rejects with VolumeNotFoundError, InvalidRequestError (not mapped here, or the plugin's own to release) and
 * VolumeInUseError that names who uses it. Changes nothing.
 */
export async function findReleasable(
  host: ReleasingHost,
  wanted: { readonly name: string; readonly prefix: string; readonly entries: readonly HostVolume[] },
  signal: AbortSignal,
): Promise<Releasable> {
  const name = validateVolumeName(wanted.name);
  const me = await host.identity.current(signal);
  const volume = await findByName(host, name, wanted.prefix, signal);
  if (wanted.entries.some(({ volumeId }) => volumeId === volume.id)) {
    throw new InvalidRequestError(
      `volume "${name}" is the plugin's own to release: it does so when its last container stops; see docker-volume-scaleio volume show ${name}`,
    );
  }
  const device = await assertFree(host, { name, volume, me }, signal);
  return { name, volume, device, me };
}

/** Takes the mapping away of what was found free just now. Rejects with VolumeInUseError when it is still there afterwards. */
export async function releaseUnclaimed(
  host: ReleasingHost,
  { name, volume, me }: Releasable,
  signal: AbortSignal,
): Promise<void> {
  await host.array.detachVolume(volume.id, me.hostId, signal);
  const after = await host.array.getVolume(volume.id, signal);
  if (after?.attachments.some(({ hostId }) => hostId === me.hostId) === true) {
    throw new VolumeInUseError(
      `volume "${name}" was mapped to this host again at once: find out who does that`,
    );
  }
}

async function findByName(
  { array }: ReleasingHost,
  name: VolumeName,
  prefix: string,
  signal: AbortSignal,
): Promise<ArrayVolume> {
  const arrayName = arrayNameFor(prefix, name);
  const id = await array.findVolumeId(arrayName, signal);
  const volume = id === undefined ? undefined : await array.getVolume(id, signal);
  if (volume === undefined) {
    throw new VolumeNotFoundError(
      `no volume "${name}" with the prefix "${prefix}" on the array: see docker-volume-scaleio volume ls`,
    );
  }
  if (volume.name !== arrayName) throw changed(name);
  return volume;
}

async function assertFree(
  { attacher, deviceUsers, identity, filesystems }: ReleasingHost,
  { name, volume, me }: Omit<Releasable, 'device'>,
  signal: AbortSignal,
): Promise<Device> {
  const refused = (why: string): VolumeInUseError =>
    new VolumeInUseError(`volume "${name}" was not released: ${why}`, { context: { volumeId: volume.id } });
  if (!volume.attachments.some(({ hostId }) => hostId === me.hostId)) {
    throw new InvalidRequestError(`volume "${name}" is not mapped to this host; nothing to release`);
  }
  const others = attachmentsOfOthers(volume, me).map(describeHolder);
  if (others.length > 0) throw refused(`it is mapped to host ${others.join(', ')} as well`);
  if (identity.doubt !== undefined) throw refused(identity.doubt);
  const device = await attacher.findDevice(me.systemId, volume.id);
  if (device === undefined) throw refused('its device is not here, so who uses it cannot be seen');
  const users = await deviceUsers.usersOf(device, '', signal);
  if (users.length > 0) throw refused(`${describeUsers(users)}; stop that first`);
  if (await filesystems.isHeld(device)) throw refused('the kernel still holds its device');
  return device;
}

function changed(name: string): InvalidRequestError {
  return new InvalidRequestError(`volume "${name}" is no longer as it was; nothing was done, look again`);
}
