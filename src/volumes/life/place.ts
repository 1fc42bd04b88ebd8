import type { Device } from '../../attach/attacher.ts';
import type { VolumeHost } from '../volume-host.ts';

/** What is mounted where, and which part of it is wanted. */
export interface Mounted {
  readonly device: Device;
  readonly mountpoint: string;
  /** '' for the root of the file system. */
  readonly subpath: string;
}

/**
 * The path under which a container gets what is mounted: the mountpoint or the subpath below it, once it is certain that the host
 * sees this device there (rule 9). Rejects with FilesystemError.
 */
export async function placeOf(
  { filesystems }: Pick<VolumeHost, 'filesystems'>,
  { device, mountpoint, subpath }: Mounted,
): Promise<string> {
  const path = await filesystems.resolveSubpath(mountpoint, subpath);
  await filesystems.assertVisibleToHost(device, mountpoint);
  return path;
}
