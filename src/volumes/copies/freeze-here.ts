import { FilesystemError } from '../../errors.ts';
import type { Freezer } from '../ports.ts';
import { findOwnMount } from '../own-mount.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { SnapshotHost } from './take-snapshots.ts';

/** Freezes volumes that this host has mounted for writing, once it is certain that the mount is the volume's (rule 14). */
export function freezingHere(
  { attacher, filesystems, journal }: Pick<VolumeHost, 'attacher' | 'filesystems' | 'journal'>,
  freezer: Pick<Freezer, 'freeze'>,
): SnapshotHost['freeze'] {
  return async (name, volume, limitMs, signal) => {
    const entry = journal.get(name);
    if (entry?.phase !== 'mounted' || entry.volumeId !== volume.id) return undefined;
    const own = await findOwnMount({ attacher, filesystems }, entry);
    if (own === undefined)
      throw new FilesystemError(`volume "${name}" is not mounted at "${entry.mountpoint}" any more`);
    const { device, mount } = own;
    const { mountpoint } = mount;
    if (mount.readOnly) return undefined;
    // Who froze it thaws it, when he likes.
    if (await filesystems.isFrozen(device, mountpoint, signal))
      throw new FilesystemError(`the file system of volume "${name}" is frozen by somebody else`);
    return freezer.freeze(mountpoint, limitMs, signal);
  };
}
