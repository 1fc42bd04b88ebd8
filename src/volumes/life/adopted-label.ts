import type { ArrayVolume } from '../../array/volume.ts';
import type { HeldDevice } from '../../attach/attacher.ts';
import { VolumeConflictError } from '../../errors.ts';
import type { VolumeIn } from '../host-volume.ts';
import { readOwnLabel } from '../label-identity.ts';
import { labelOf, type VolumeLabel } from '../options/label.ts';
import { BUILT_IN_DEFAULTS } from '../options/option-table.ts';
import type { VolumeHost } from '../volume-host.ts';
import { asVolumeName, type FilesystemType } from '../volume.ts';
import { patiently } from './patience.ts';

/** A volume that others have made, attached to this host alone. */
export interface Adopted {
  readonly entry: VolumeIn<'mounting'>;
  readonly volume: ArrayVolume;
  readonly held: HeldDevice;
  /** The directory that containers are to see; null: as its label says, else the root. */
  readonly subpath: string | null;
  /** The array limits it to reading, so that nothing can be written into it. */
  readonly isReadOnly: boolean;
}

/**
 * Looks what is on the device, and where that is a file system of ours without a label, writes one: with the volume's own name and id, no
 * options, and nothing else. What is blank stays so. Unmounts it again. Rejects with VolumeConflictError for anything else, with
 * FilesystemError for another volume's label and for a subpath that is no directory of it; nothing was changed then.
 */
export async function labelAdopted(
  host: VolumeHost,
  adopted: Adopted,
  signal: AbortSignal,
): Promise<{ content: FilesystemType | 'blank'; label: VolumeLabel | undefined; isWritten: boolean }> {
  const { filesystems } = host;
  const { entry, held, isReadOnly } = adopted;
  const { device } = held;
  const { mountpoint } = entry;
  const probe = await filesystems.probe(device, signal);
  if (probe.kind === 'blank') return { content: 'blank', label: undefined, isWritten: false };
  if (probe.kind !== 'filesystem')
    throw new VolumeConflictError(
      `adopting volume "${entry.arrayName}" failed: it holds ${probe.what}, which this plugin does not mount; it was not changed`,
    );
  const { fs } = probe;
  const mount = async (): Promise<void> => {
    await held.assertSame(signal);
    if (!isReadOnly) await filesystems.check(device, fs, signal);
    await filesystems.mount(device, mountpoint, { fs, options: [], readOnly: isReadOnly }, signal);
  };
  await patiently(host, { device, attempt: `adopting volume "${entry.arrayName}"` }, mount, signal);
  await held.assertSame(signal);
  const found = await readOwnLabel(host, adopted, signal);
  const label = await wantedLabel(host, { ...adopted, fs }, found);
  const isWritten = label !== undefined && label !== found;
  if (isWritten) {
    await filesystems.writeLabel(mountpoint, label, signal);
    await held.assertSame(signal);
  }
  await filesystems.unmount(mountpoint, { lazy: false }, signal);
  return { content: fs, label, isWritten };
}

/** The found one itself where it says all already, or where none can be written. */
async function wantedLabel(
  { filesystems }: Pick<VolumeHost, 'filesystems'>,
  { entry, volume, subpath, isReadOnly, fs }: Adopted & { readonly fs: FilesystemType },
  found: VolumeLabel | undefined,
): Promise<VolumeLabel | undefined> {
  if (subpath !== null) await filesystems.resolveSubpath(entry.mountpoint, subpath);
  if (isReadOnly) return found;
  if (found !== undefined)
    return subpath === null || found.subpath === subpath ? found : { ...found, subpath };
  const options = { ...BUILT_IN_DEFAULTS, fs, sizeKiB: volume.sizeKiB, subpath: subpath ?? '' };
  return labelOf(options, { name: asVolumeName(entry.name), volumeId: volume.id });
}
