import { removeMarkers } from './failover-marker.ts';
import type { VolumeHost } from './host.ts';
import type { HostVolume } from './ports.ts';
import type { ArrayName, SystemId, VolumeId } from './volume.ts';

/**
 * Removes what an unfinished Create of this host left: mount, mapping, the provisional volume and its failover marker.
 * Nothing left is success. The name alone finds it, so a reply lost at any step does not matter. Rejects when it cannot
 * be done now; the journal entry stays.
 */
export async function removeProvisional(
  host: VolumeHost,
  entry: HostVolume,
  signal: AbortSignal,
): Promise<void> {
  const { array, filesystems } = host;
  await filesystems.unmount(entry.mountpoint, { lazy: true }, signal);
  const id = await array.findVolumeId(entry.arrayName as ArrayName, signal);
  if (id !== undefined) await removeById(host, entry, id, signal);
  await host.journal.delete(entry.name);
}

async function removeById(
  host: VolumeHost,
  entry: HostVolume,
  id: VolumeId,
  signal: AbortSignal,
): Promise<void> {
  const { array, sdc, filesystems, clock } = host;
  const volume = await array.getVolume(id, signal);
  if (volume === undefined) return;
  if (volume.mappings.length > 0) {
    const device = await sdc.findDevice(entry.systemId as SystemId, id);
    // mkfs of the cancelled call may still be dying.
    while (device !== undefined && (await filesystems.isHeld(device))) await clock.sleep(20, signal);
    const me = await host.identity.current(signal);
    await array.unmapVolume(id, me.sdcId, signal);
  }
  await removeMarkers(host, volume, signal);
  await array.removeVolume(id, signal);
}
