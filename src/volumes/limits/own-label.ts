import { FilesystemError } from '../../errors.ts';
import type { HostVolume } from '../host-volume.ts';
import type { VolumeLabel } from '../options/label.ts';
import type { VolumeHost } from '../volume-host.ts';

type Host = Pick<VolumeHost, 'attacher' | 'filesystems' | 'journal'>;

/**
 * Changes the label of a volume that is mounted here, and what this host knows of it. Call with the volume's lock held. Makes certain
 * before and after that the mount is the volume's own (rule 14). Rejects with FilesystemError where it is not, or bears no label of its own.
 */
export async function changeOwnLabel(
  host: Host,
  { name, systemId, volumeId, mountpoint }: HostVolume,
  change: (label: VolumeLabel) => VolumeLabel,
  signal: AbortSignal,
): Promise<VolumeLabel> {
  const { attacher, filesystems, journal } = host;
  const attempt = `changing the label of volume "${name}" failed`;
  const device = await attacher.findDevice(systemId, volumeId);
  const mount = (await filesystems.mounts()).find((seen) => seen.mountpoint === mountpoint);
  if (device === undefined || mount?.device !== device.number)
    throw new FilesystemError(
      `${attempt}: its device is not mounted at "${mountpoint}" any more; see docker-volume-scaleio doctor`,
    );
  const held = await attacher.holdDevice(systemId, volumeId, device, signal);
  try {
    const label = await filesystems.readLabel(mountpoint, signal);
    if (label?.volumeId !== volumeId)
      throw new FilesystemError(
        `${attempt}: it has ${label === undefined ? 'none' : 'that of another volume'}; nothing was changed`,
        { context: { volumeId } },
      );
    const changed = change(label);
    await filesystems.writeLabel(mountpoint, changed, signal);
    await held.assertSame(signal);
    const known = journal.known(name);
    if (known?.volumeId === volumeId) journal.remember({ ...known, label: changed });
    return changed;
  } finally {
    await held.close();
  }
}
