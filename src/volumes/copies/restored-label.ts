import { isPluginError } from '../../errors.ts';
import type { HeldDevice } from '../../attach/attacher.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { RestoringVolume } from '../host-volume.ts';
import type { VolumeLookup } from '../life/lookup.ts';
import { mountFilesystem } from '../life/mount-filesystem.ts';
import type { VolumeHost } from '../volume-host.ts';
import { asVolumeName } from '../volume.ts';

/** Who restores a volume may do so because its file system cannot be mounted any more, ms. */
const LOOK_MS = 20_000;

interface AttachedRestoring {
  readonly entry: RestoringVolume;
  readonly volume: ArrayVolume;
  readonly held: HeldDevice;
}

/**
 * Remembers the label that a volume bears before it gets other content, because the snapshot's may have the limits and the growth of its own
 * time. Where it cannot be read, what this host remembers stands. Nothing is mounted afterwards.
 */
export async function rememberLabel(
  { filesystems, log }: Pick<VolumeHost, 'filesystems' | 'log'>,
  lookup: Pick<VolumeLookup, 'remember'>,
  { entry, volume, held }: AttachedRestoring,
  signal: AbortSignal,
): Promise<void> {
  const { name, mountpoint } = entry;
  const { device } = held;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
  try {
    const probe = await filesystems.probe(device, limit);
    if (probe.kind === 'filesystem') {
      await filesystems.check(device, probe.fs, limit);
      await filesystems.mount(device, mountpoint, { fs: probe.fs, options: [], readOnly: true }, limit);
      const label = await filesystems.readLabel(mountpoint, limit);
      if (label !== undefined && (label.volumeId ?? volume.id) === volume.id)
        lookup.remember(asVolumeName(name), volume, label);
    }
  } catch (cause) {
    if (!isPluginError(cause) || signal.aborted) throw cause;
    log.warn(
      { volume: name, error: cause.message },
      'the options of a volume that is to be restored cannot be read; it keeps those that this host remembers, or those of the snapshot',
    );
  }
  await filesystems.unmount(mountpoint, { lazy: false }, signal);
}

/**
 * Mounts a volume that has got other content, once what this host remembers of the old is gone, gives it the label that it had before, and
 * unmounts it. Rejects as mountFilesystem does; it may be mounted then. To be called on a device that is held and was seen to be the same.
 */
export async function putBackLabel(
  host: VolumeHost,
  { entry, volume, held }: AttachedRestoring,
  signal: AbortSignal,
): Promise<void> {
  const { filesystems, journal, log } = host;
  const { name, mountpoint } = entry;
  await held.assertSame(signal);
  await filesystems.dropCaches(held.device, signal);
  const restored = await mountFilesystem(host, { entry, volume, held }, signal);
  const known = journal.known(name);
  if (restored !== undefined && known?.volumeId === volume.id) {
    // Its file system is that of the content.
    const own = known.label === undefined ? restored : { ...known.label, fs: restored.fs };
    if (JSON.stringify(own) !== JSON.stringify(restored)) {
      await held.assertSame(signal);
      await filesystems.writeLabel(mountpoint, own, signal);
      log.info({ volume: name, before: restored }, 'a restored volume has the options that it had before');
    }
    journal.remember({ ...known, label: own });
  }
  await held.assertSame(signal);
  await filesystems.unmount(mountpoint, { lazy: false }, signal);
}
