import { isPluginError } from '../../errors.ts';
import type { ToMount } from '../life/mount-filesystem.ts';
import type { VolumeLabel } from '../options/label.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import { carriedLimits, labelledLimits, sameLimits } from './limits.ts';

/**
 * The label of a volume that was just mounted here, with the limits that it has come with from the host that had it before: somebody may have
 * set them at the array, and nobody else could write them down. `volume`: as the array had it before it came. Limits that cannot be written
 * into the label hold for this attachment all the same.
 */
export async function takeOverLimits(
  { filesystems, log }: Pick<VolumeHost, 'filesystems' | 'log'>,
  taken: ToMount & { readonly label: VolumeLabel | undefined; readonly me: HostIdentity },
  signal: AbortSignal,
): Promise<VolumeLabel | undefined> {
  const { entry, volume, held, label, me } = taken;
  const limits = carriedLimits(volume, me.hostId);
  if (limits === undefined || label?.volumeId !== volume.id || volume.accessModeLimit !== 'ReadWrite')
    return label;
  if (sameLimits(limits, labelledLimits(label))) return label;
  const changed: VolumeLabel = { ...label, ...limits };
  await held.assertSame(signal);
  try {
    await filesystems.writeLabel(entry.mountpoint, changed, signal);
    log.info(
      { volume: entry.name, ...limits },
      'limits that were set at the array have come with the volume',
    );
  } catch (cause) {
    if (!isPluginError(cause) || signal.aborted) throw cause;
    log.warn(
      { volume: entry.name, ...limits, error: cause.message },
      'limits that were set at the array are not in the label',
    );
  }
  await held.assertSame(signal);
  return changed;
}
