import { FilesystemError } from '../../errors.ts';
import type { HostVolume } from '../host-volume.ts';
import type { VolumeLabel } from '../options/label.ts';
import { findOwnMount } from '../own-mount.ts';
import type { VolumeHost } from '../volume-host.ts';

type Host = Pick<VolumeHost, 'attacher' | 'filesystems' | 'journal'>;

/**
 * Changes the label of a volume that is mounted here, and what this host knows of it. Call with the volume's lock held. Makes certain
 * before and after that the mount is the volume's own (rule 14). Rejects with FilesystemError where it is not, or bears no label of its own.
 */
export async function changeOwnLabel(
  host: Host,
  entry: HostVolume,
  change: (label: VolumeLabel) => VolumeLabel,
  signal: AbortSignal,
): Promise<VolumeLabel> {
  const { attacher, filesystems, journal } = host;
  const { name, systemId, volumeId, mountpoint } = entry;
  const attempt = `changing the label of volume "${name}" failed`;
  const own = await findOwnMount(host, entry);
  if (own === undefined)
    throw new FilesystemError(
      `${attempt}: its device is not mounted at "${mountpoint}" any more; see docker-volume-scaleio doctor`,
    );
  const held = await attacher.holdDevice(systemId, volumeId, own.device, signal);
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
