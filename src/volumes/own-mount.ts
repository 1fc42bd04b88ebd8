import type { Device } from '../attach/attacher.ts';
import type { HostVolume } from './host-volume.ts';
import type { MountEntry } from './ports.ts';
import type { VolumeHost } from './volume-host.ts';

/**
 * The volume's device and its mount at the entry's mountpoint, where that is what is mounted there (rule 14); undefined where the device is
 * gone, or another one is mounted.
 */
export async function findOwnMount(
  {
    attacher,
    filesystems,
  }: {
    readonly attacher: Pick<VolumeHost['attacher'], 'findDevice'>;
    readonly filesystems: Pick<VolumeHost['filesystems'], 'mounts'>;
  },
  { systemId, volumeId, mountpoint }: Pick<HostVolume, 'systemId' | 'volumeId' | 'mountpoint'>,
): Promise<{ readonly device: Device; readonly mount: MountEntry } | undefined> {
  const device = await attacher.findDevice(systemId, volumeId);
  if (device === undefined) return undefined;
  const mounts = await filesystems.mounts();
  const mount = mounts.find((seen) => seen.mountpoint === mountpoint && seen.device === device.number);
  return mount === undefined ? undefined : { device, mount };
}
