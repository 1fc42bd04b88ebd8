import type { ArrayVolume } from '../../array/volume.ts';
import { limitedVolume, type VolumeIn } from '../host-volume.ts';
import type { MountVolume } from '../life/mount.ts';
import { mountedMeanwhile } from '../life/mounted-meanwhile.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { LimitingHost } from './change-limits.ts';
import { labelledLimits, type VolumeLimits } from './limits.ts';
import { changeOwnLabel } from './own-label.ts';

/**
 * Keeps limits in the labels of volumes that this host has mounted, or that nobody has, which it mounts for that moment. To be called with the
 * volume's lock held.
 */
export function keepingLimits(host: VolumeHost, mount: MountVolume): LimitingHost['keep'] {
  return async (volume, name, change, signal) => {
    if (volume.accessModeLimit !== 'ReadWrite') return undefined;
    const entry = host.journal.get(name);
    if (entry?.phase === 'mounted' && isOf(entry, volume)) return keepIn(host, entry, change, signal);
    if (volume.attachments.length > 0) return undefined;
    const act = (mounted: VolumeIn<'mounted'>): Promise<VolumeLimits> =>
      keepIn(host, mounted, change, signal);
    return mountedMeanwhile(host, { mount, name }, act, signal);
  };
}

async function keepIn(
  host: VolumeHost,
  entry: VolumeIn<'mounted'>,
  change: (before: VolumeLimits) => VolumeLimits,
  signal: AbortSignal,
): Promise<VolumeLimits> {
  const label = await changeOwnLabel(
    host,
    entry,
    (before) => ({ ...before, ...change(labelledLimits(before)) }),
    signal,
  );
  const limits = labelledLimits(label);
  await host.journal.put(limitedVolume(entry, limits));
  return limits;
}

function isOf(entry: VolumeIn<'mounted'>, volume: ArrayVolume): boolean {
  return entry.volumeId === volume.id;
}
