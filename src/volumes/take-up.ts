import { VolumeInUseError } from '../errors.ts';
import { describeUsers } from './device-users.ts';
import type { VolumeHost } from './host.ts';
import type { HostVolume } from './ports.ts';
import type { SystemId, VolumeId } from './volume.ts';

/**
 * Rejects with VolumeInUseError unless a volume that is mapped to this host, and not by this plugin, may be mounted here: while
 * it is in doubt whether the mapping is this host's at all, or while anybody has the bare device open (a repair, a virtual machine),
 * a mount would write under somebody's hands. A file system that is mounted elsewhere on this host is shared by the kernel.
 */
export async function assertFreeToTakeUp(
  { identity, sdc, deviceUsers }: Pick<VolumeHost, 'identity' | 'sdc' | 'deviceUsers'>,
  entry: HostVolume,
  signal: AbortSignal,
): Promise<void> {
  const { name, volumeId, systemId, mountpoint } = entry;
  const refused = (why: string): VolumeInUseError =>
    new VolumeInUseError(
      `mounting volume "${name}" failed: it is mapped to this host's SDC, which this plugin did not do, and ${why}`,
      { context: { volumeId } },
    );
  if (identity.doubt !== undefined) throw refused(identity.doubt);
  const device = await sdc.findDevice(systemId as SystemId, volumeId as VolumeId);
  if (device === undefined) return;
  const users = await deviceUsers.usersOf(device, mountpoint, signal);
  const raw = users.filter(({ kind }) => kind !== 'mount');
  if (raw.length > 0) throw refused(`${describeUsers(raw)}; stop that first`);
}
