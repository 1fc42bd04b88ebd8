import type { VolumeHost } from './host.ts';
import { parseMarker } from './naming.ts';
import type { ArrayVolume, FailoverPolicy } from './volume.ts';

/*
 * A failover policy other than the default must be known while another host holds the volume, so it cannot live in the
 * file system. It stands in the name of an empty snapshot of the volume: the array keeps it, every host can read it in
 * one call, and it goes where the volume goes.
 */

/** The policy that the volume's own marker in its V-tree names; undefined when it follows the default. */
export function markedPolicy(
  volume: ArrayVolume,
  family: readonly ArrayVolume[],
): FailoverPolicy | undefined {
  return markersOf(volume, family)[0]?.policy;
}

/** Removes the markers of a volume that nobody can use yet, never another snapshot of it. */
export async function removeMarkers(
  host: VolumeHost,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<void> {
  for (const { id } of await findMarkers(host, volume, signal)) await host.array.removeVolume(id, signal);
}

/** The volume's markers, never another snapshot of it. One gateway call. */
export async function findMarkers(
  host: VolumeHost,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<readonly ArrayVolume[]> {
  const family = await host.array.volumesOfVtree(volume.vtreeId, signal);
  return markersOf(volume, family).map(({ snapshot }) => snapshot);
}

/**
 * True while the volume that a marker speaks of exists, so that the marker must stay: without it the volume would follow
 * another policy than its owner chose. One gateway call for a marker's name, none for others.
 */
export async function isMarkerNeeded(
  host: VolumeHost,
  arrayName: string,
  signal: AbortSignal,
): Promise<boolean> {
  const marker = parseMarker(arrayName);
  return marker !== undefined && (await host.array.getVolume(marker.volumeId, signal)) !== undefined;
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
