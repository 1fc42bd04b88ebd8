import type { StoragePool } from '../../array/pool.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { HeldDevice } from '../../attach/attacher.ts';
import { markerName } from '../naming.ts';
import { labelOf, type VolumeLabel } from '../options/label.ts';
import { roundedToGrain } from '../options/option-words.ts';
import type { VolumeHost } from '../volume-host.ts';
import { patiently } from './patience.ts';
import { fillAttached, readBack, unmountFilled, type MadeVolume, type Making } from './volume-in-making.ts';

/** Makes a volume with an empty file system under the provisional name. Whoever calls it clears away what it leaves when it rejects. */
export async function makeEmpty(
  host: VolumeHost,
  making: Making,
  pool: StoragePool,
  signal: AbortSignal,
): Promise<MadeVolume> {
  const { array } = host;
  const { options, entry } = making;
  const { sizeKiB: asked, provisioning, failover } = options;
  const id = await array.createVolume({ name: entry.arrayName, sizeKiB: asked, pool, provisioning }, signal);
  await readBack(host, making, { id, isMeant: () => true }, signal);
  const { capabilities } = await array.identity(signal);
  const sizeKiB = roundedToGrain(asked, capabilities);
  // Taken while the volume is still blank, so it never holds a block.
  if (failover !== 'default') await array.snapshotVolume(id, markerName(failover, id), signal);
  const fill = (held: HeldDevice): Promise<VolumeLabel> => format(host, making, { held, id }, signal);
  const label = await fillAttached(host, making, { id, sizeKiB, fill }, signal);
  return { id, sizeKiB, poolId: pool.id, label };
}

/**
 * The only place that formats: a volume with a provisional name, mapped to us alone, proven blank (rule 3). Between any two steps that
 * write it is made certain that the device is still the one that was identified (rule 14).
 */
async function format(
  host: VolumeHost,
  making: Making,
  { held, id }: { readonly held: HeldDevice; readonly id: VolumeId },
  signal: AbortSignal,
): Promise<VolumeLabel> {
  const { filesystems } = host;
  const { name, options, entry } = making;
  const { device } = held;
  const needed = { device, attempt: `creating volume "${name}"` };
  const make = async (): Promise<void> => {
    await filesystems.proveBlank(device, signal);
    await held.assertSame(signal);
    await filesystems.make(device, { fs: options.fs, options: options.mkfsOptions }, signal);
    await held.assertSame(signal);
  };
  await patiently(host, needed, make, signal);
  const label = labelOf(options, { name, volumeId: id });
  const request = { fs: options.fs, options: options.mountOptions, readOnly: false };
  const mount = async (): Promise<void> => {
    await held.assertSame(signal);
    await filesystems.mount(device, entry.mountpoint, request, signal);
  };
  await patiently(host, needed, mount, signal);
  await held.assertSame(signal);
  const { uid, gid, mode, subpath } = options;
  await filesystems.prepareRoot(entry.mountpoint, { uid, gid, mode, subpath }, signal);
  await filesystems.writeLabel(entry.mountpoint, label, signal);
  await held.assertSame(signal);
  await unmountFilled(host, making, device, signal);
  return label;
}
