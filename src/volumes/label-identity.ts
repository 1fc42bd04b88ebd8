import { FilesystemError, isPluginError } from '../errors.ts';
import type { VolumeHost } from './volume-host.ts';
import type { VolumeLabel } from './options/label.ts';
import type { HostVolume } from './ports.ts';
import type { VolumeId } from '../array/ids.ts';
import type { ArrayVolume } from '../array/volume.ts';

/** What was just mounted for which volume. */
export interface Labelled {
  readonly entry: HostVolume;
  readonly volume: ArrayVolume;
}

/**
 * The label of what is mounted at the entry's mountpoint, once it is certain that it belongs to the volume (rule 14): it bears the
 * volume's id, or for a snapshot that of its family. With the right id another name is a rename, and a label of before, without
 * id, must bear the name; both are brought up to date. Undefined when there is none: the device decides then. Rejects with
 * FilesystemError for another volume's label, and as Filesystems.readLabel does.
 */
export async function readOwnLabel(
  host: VolumeHost,
  at: Labelled,
  signal: AbortSignal,
): Promise<VolumeLabel | undefined> {
  const label = await host.filesystems.readLabel(at.entry.mountpoint, signal);
  if (label === undefined) return undefined;
  await assertOwn(host, at, { label, signal });
  return isUpToDate(label, at) ? label : bringUpToDate(host, at, { label, signal });
}

/**
 * The label that a copy, mounted at the entry's mountpoint, has from what it was made of: one of the `known` ids, or of its family; undefined
 * where that had none. Rejects as readOwnLabel does.
 */
export async function readOriginsLabel(
  host: VolumeHost,
  at: Labelled,
  known: readonly string[],
  signal: AbortSignal,
): Promise<VolumeLabel | undefined> {
  const label = await host.filesystems.readLabel(at.entry.mountpoint, signal);
  if (label?.volumeId !== undefined && !known.includes(label.volumeId))
    await assertOwn(host, at, { label, signal });
  return label;
}

async function assertOwn(
  host: VolumeHost,
  { entry, volume }: Labelled,
  { label, signal }: { label: VolumeLabel; signal: AbortSignal },
): Promise<void> {
  if (label.volumeId === undefined) {
    // Who took a snapshot at the array and gave it a name of ours had no way to write the name into it.
    if (label.name === '' || label.name === entry.name || isSnapshot(volume)) return;
    throw foreign(
      entry,
      `its label is of volume "${label.name}" and bears no id. If it was renamed at the array and this is right, give it the old name ` +
        `again and mount it once with this version, which adds the id; then rename it`,
    );
  }
  if (label.volumeId === volume.id) return;
  const isOrigins = isSnapshot(volume) && !hasOwnLabel(host, entry, volume);
  if (isOrigins && (await isOfFamily(host, volume, { id: label.volumeId, signal }))) return;
  throw foreign(
    entry,
    `its label is of volume "${label.name}" with id "${label.volumeId}". Either the device is another volume's, or its content was copied; ` +
      `look at "/dev/disk/by-id" and the SDC's "drv_cfg --query_vols"; for a copy, map it by hand and write its own id ("${volume.id}") into the label`,
  );
}

/** A copy that this host has seen with a label of its own: that of another of its family is another's device. */
function hasOwnLabel({ journal }: VolumeHost, { name }: HostVolume, { id }: ArrayVolume): boolean {
  const known = journal.known(name);
  return known?.volumeId === id && known.label?.volumeId === id;
}

/** A snapshot of a snapshot has its label from further up. Only then is the array asked. */
async function isOfFamily(
  { array }: VolumeHost,
  volume: ArrayVolume,
  of: { id: string; signal: AbortSignal },
): Promise<boolean> {
  if (volume.ancestorId === of.id) return true;
  const family = await array.volumesOfFamily(volume, of.signal);
  return family.some(({ id }) => id === of.id);
}

function isSnapshot({ kind, ancestorId }: ArrayVolume): boolean {
  return kind === 'snapshot' || ancestorId !== null;
}

function foreign({ name, volumeId }: HostVolume, what: string): FilesystemError {
  return new FilesystemError(
    `mounting volume "${name}" failed: ${what}. It was unmounted again and not handed out`,
    { context: { volumeId } },
  );
}

/** What a snapshot that is no copy of ours bears is its origin's, which is what tells it from another volume. */
function isUpToDate(label: VolumeLabel, { entry, volume }: Labelled): boolean {
  if (volume.accessModeLimit === 'ReadOnly') return true;
  return label.volumeId === volume.id ? label.name === entry.name : isSnapshot(volume);
}

/** A label that stays as it was is no reason to keep a container from its data. */
async function bringUpToDate(
  { filesystems, log }: VolumeHost,
  { entry, volume }: Labelled,
  { label, signal }: { label: VolumeLabel; signal: AbortSignal },
): Promise<VolumeLabel> {
  const volumeId: VolumeId = volume.id;
  const renamed: VolumeLabel = { ...label, name: entry.name, volumeId };
  try {
    await filesystems.writeLabel(entry.mountpoint, renamed, signal);
    log.info({ volume: entry.name, volumeId, before: label.name }, 'label of the volume brought up to date');
    return renamed;
  } catch (cause) {
    if (!isPluginError(cause) || signal.aborted) throw cause;
    log.warn({ volume: entry.name, error: cause.message }, 'label of the volume not brought up to date');
    return label;
  }
}
