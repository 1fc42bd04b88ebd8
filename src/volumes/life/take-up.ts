import { VolumeInUseError } from '../../errors.ts';
import { describeUsers } from '../device-users.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { DeviceUser, HostVolume } from '../ports.ts';

/** Whoever only looked when the device came (udev) has closed it by then. */
const PATIENCE_MS = 1500;
const POLL_MS = 100;

/**
 * Rejects with VolumeInUseError unless a volume that is mapped to this host, with no proof that this plugin did it, may be mounted here:
 * while it is in doubt whether the mapping is this host's at all, or, for one that no record tells of, while anybody has the bare device
 * open (a repair, a virtual machine), a mount would write under somebody's hands. A file system that is mounted elsewhere on this host
 * is shared by the kernel.
 */
export async function assertFreeToTakeUp(
  host: Pick<VolumeHost, 'identity' | 'attacher' | 'deviceUsers' | 'clock'>,
  entry: HostVolume,
  signal: AbortSignal,
): Promise<void> {
  const { identity } = host;
  const whose = entry.attachment === 'found' ? 'which this plugin did not do' : 'since before its last boot';
  const refused = (why: string): VolumeInUseError =>
    new VolumeInUseError(
      `mounting volume "${entry.name}" failed: it is mapped to this host's SDC, ${whose}, and ${why}`,
      { context: { volumeId: entry.volumeId } },
    );
  if (identity.doubt !== undefined) throw refused(identity.doubt);
  if (entry.attachment !== 'found') return;
  const users = await lastingUsers(host, entry, signal);
  if (users.length > 0) throw refused(`${describeUsers(users)}; stop that first`);
}

async function lastingUsers(
  { attacher, deviceUsers, clock }: Pick<VolumeHost, 'attacher' | 'deviceUsers' | 'clock'>,
  { systemId, volumeId, mountpoint }: HostVolume,
  signal: AbortSignal,
): Promise<readonly DeviceUser[]> {
  const until = clock.elapsed() + PATIENCE_MS;
  for (;;) {
    const device = await attacher.findDevice(systemId, volumeId);
    if (device === undefined) return [];
    const users = await deviceUsers.usersOf(device, mountpoint, signal);
    const raw = users.filter(({ kind }) => kind !== 'mount');
    if (raw.length === 0 || clock.elapsed() >= until) return raw;
    await clock.sleep(POLL_MS, signal);
  }
}
