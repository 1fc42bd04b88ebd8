import { isPluginError } from '../../errors.ts';
import { asArrayName } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { markerToRemove, type UnfinishedVolume } from '../host-volume.ts';
import { findMarkers } from '../takeover/failover-marker.ts';
import type { VolumeHost } from '../volume-host.ts';
import { removeFromArray } from '../trash/remove-from-array.ts';
import { removeProvisional } from './provisional.ts';

/**
 * Removes a volume and then its failover markers, so that one whose removal is refused keeps its policy; the journal knows of the
 * markers meanwhile. `mayHaveMarkers` false: nobody looks for any. Rejects as removeFromArray; a marker that stays is no failure.
 */
export async function removeWithMarkers(
  host: VolumeHost,
  volume: ArrayVolume,
  { mayHaveMarkers }: { readonly mayHaveMarkers: boolean },
  signal: AbortSignal,
): Promise<void> {
  const markers = mayHaveMarkers ? await recordMarkers(host, volume, signal) : [];
  await removeFromArray(host.array, volume, signal);
  for (const marker of markers) await removeMarker(host, marker, signal);
}

async function recordMarkers(
  host: VolumeHost,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<readonly UnfinishedVolume[]> {
  const { clock, filesystems, identity, journal } = host;
  const { systemId } = await identity.current(signal);
  const markers = await findMarkers(host, volume, signal);
  const since = new Date(clock.now()).toISOString();
  const entries = markers.map(({ id, name }) => {
    const arrayName = asArrayName(name ?? id);
    return markerToRemove(id, arrayName, {
      systemId,
      mountpoint: filesystems.mountpointOf(arrayName),
      since,
    });
  });
  for (const entry of entries) await journal.put(entry);
  return entries;
}

async function removeMarker(host: VolumeHost, entry: UnfinishedVolume, signal: AbortSignal): Promise<void> {
  try {
    await removeProvisional(host, entry, signal);
  } catch (cause) {
    if (!isPluginError(cause)) throw cause;
    host.log.warn(
      { marker: entry.name, error: cause.message },
      'marker of a removed volume not removed now; trying again later',
    );
  }
}
