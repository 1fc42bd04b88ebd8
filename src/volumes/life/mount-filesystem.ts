import { FilesystemError, InvalidRequestError, VolumeConflictError } from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { HeldDevice } from '../../attach/attacher.ts';
import { isViewName } from '../copies/view-names.ts';
import type { HostVolume } from '../host-volume.ts';
import type { VolumeLabel } from '../options/label.ts';
import { readOwnLabel } from '../label-identity.ts';
import { parseMountOptions } from '../options/filesystem-options.ts';
import type { Probe } from '../ports.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { FilesystemType } from '../volume.ts';
import { patiently } from './patience.ts';

/** A volume that is attached to this host. */
export interface ToMount {
  /** Its mountpoint is prepared. */
  readonly entry: HostVolume;
  readonly volume: ArrayVolume;
  readonly held: HeldDevice;
}

/**
 * Mounts the volume's file system at the entry's mountpoint, as its label asks, and grows it to its device. Resolves to the label,
 * undefined where it has none. Never formats (rule 3), and makes sure between any two steps that the device is still the one that was
 * identified (rule 14). Rejects with FilesystemError, VolumeConflictError for what is no file system of ours, and as readOwnLabel does;
 * it may be mounted then.
 */
export async function mountFilesystem(
  host: VolumeHost,
  what: ToMount,
  signal: AbortSignal,
): Promise<VolumeLabel | undefined> {
  const { filesystems } = host;
  const { entry, volume, held } = what;
  const { device } = held;
  const fs = filesystemOf(await filesystems.probe(device, signal), entry);
  const check = async (): Promise<void> => {
    await held.assertSame(signal);
    await filesystems.check(device, fs, signal);
  };
  await patiently(host, { device, attempt: `mounting volume "${entry.name}"` }, check, signal);
  const label = await mountWithOptions(host, { ...what, fs }, signal);
  if (volume.accessModeLimit !== 'ReadOnly') await growOnMount(host, { ...what, fs }, signal);
  return label;
}

interface Known extends ToMount {
  readonly fs: FilesystemType;
}

/** Options live inside the file system, so a host that never saw the volume learns them from a first mount. */
async function mountWithOptions(
  host: VolumeHost,
  { entry, volume, held, fs }: Known,
  signal: AbortSignal,
): Promise<VolumeLabel | undefined> {
  const { filesystems, journal } = host;
  const readOnly = volume.accessModeLimit === 'ReadOnly' || isViewName(volume.name);
  const known = journal.known(entry.name);
  const assumed = known?.volumeId === volume.id ? (known.label?.mountOptions ?? []) : [];
  const { device } = held;
  const needed = { device, attempt: `mounting volume "${entry.name}"` };
  const mountWith = async (options: readonly string[]): Promise<void> => {
    const mount = async (): Promise<void> => {
      await held.assertSame(signal);
      await filesystems.mount(device, entry.mountpoint, { fs, options, readOnly }, signal);
    };
    await patiently(host, needed, mount, signal);
    await held.assertSame(signal);
  };
  await mountWith(assumed);
  const label = await readOwnLabel(host, { entry, volume }, signal);
  const wanted = allowedOptions(host, { entry, fs }, label);
  if (wanted.join() !== assumed.join()) {
    await filesystems.unmount(entry.mountpoint, { lazy: false }, signal);
    await mountWith(wanted);
  }
  return label;
}

/** Another host wrote the label; what this one would refuse from a user it does not take from there either. */
function allowedOptions(
  { log }: VolumeHost,
  { entry, fs }: Pick<Known, 'entry' | 'fs'>,
  label: VolumeLabel | undefined,
): readonly string[] {
  if (label === undefined) return [];
  try {
    return parseMountOptions(fs, label.mountOptions.join(','));
  } catch (cause) {
    if (!(cause instanceof InvalidRequestError)) throw cause;
    log.warn({ volume: entry.name, error: cause.message }, 'mounting without the options of its label');
    return [];
  }
}

/**
 * Grows what is mounted at the entry's mountpoint to its device. One that stays smaller than its volume is no reason to keep a container
 * from its data: that is logged.
 */
export async function growOnMount(
  { filesystems, log }: Pick<VolumeHost, 'filesystems' | 'log'>,
  { entry, held, fs }: Pick<Known, 'entry' | 'held' | 'fs'>,
  signal: AbortSignal,
): Promise<void> {
  const { device } = held;
  await held.assertSame(signal);
  try {
    const grew = await filesystems.grow(device, entry.mountpoint, fs, signal);
    if (grew)
      log.info({ volume: entry.name, sizeBytes: device.sizeBytes }, 'file system grown to its volume');
  } catch (cause) {
    if (!(cause instanceof FilesystemError)) throw cause;
    log.warn({ volume: entry.name, error: cause.message }, 'file system not grown; mounted as it is');
  }
}

function filesystemOf(probe: Probe, { name, volumeId }: HostVolume): FilesystemType {
  if (probe.kind === 'filesystem') return probe.fs;
  if (probe.kind === 'blank') {
    // Also what a file system looks like that lost its superblock: nobody must remove it on our word.
    throw new FilesystemError(
      `mounting volume "${name}" failed: no file system is seen on it, and a mount never makes one; nothing was changed. If it had ` +
        `data its superblock is damaged: map it by hand and repair it ("e2fsck -b 32768", "xfs_repair"). Else remove it and create it again`,
      { context: { volumeId } },
    );
  }
  throw new VolumeConflictError(
    `mounting volume "${name}" failed: it holds ${probe.what}, which this plugin does not mount; it was not changed`,
    { context: { volumeId } },
  );
}
