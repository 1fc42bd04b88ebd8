import type { VolumeHost } from './host.ts';
import { parseMarker } from './naming.ts';
import type { ArrayVolume, FailoverPolicy } from './volume.ts';

/*
 * A failover policy other than the default must be known while another host holds the volume, so it cannot live in the
 * file system. It stands in the name of an empty snapshot of the volume: the array keeps it, every host can read it in
 * one call, and it goes where the volume goes.
 */

/** The policy that the volume's own marker names; undefined when it follows the default. One gateway call. */
export async function readFailoverMarker(
  host: VolumeHost,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<FailoverPolicy | undefined> {
  const family = await host.array.volumesOfVtree(volume.vtreeId, signal);
  return markersOf(volume, family)[0]?.policy;
}

/** Removes the volume's markers, never another snapshot of it. */
export async function removeMarkers(
  host: VolumeHost,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<void> {
  const family = await host.array.volumesOfVtree(volume.vtreeId, signal);
  for (const { snapshot } of markersOf(volume, family)) await host.array.removeVolume(snapshot.id, signal);
}

function markersOf(
  volume: ArrayVolume,
  family: readonly ArrayVolume[],
): { snapshot: ArrayVolume; policy: FailoverPolicy }[] {
  return family.flatMap((snapshot) => {
    const marker = snapshot.name === null ? undefined : parseMarker(snapshot.name);
    const isOwn = marker?.volumeId === volume.id && snapshot.kind === 'snapshot';
    return isOwn ? [{ snapshot, policy: marker.policy }] : [];
  });
}
