import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { VolumeLabel } from '../volumes/options/label.ts';
import type { Device } from '../attach/attacher.ts';
import { orHeld } from './exclusive-open.ts';
import { readVolumeLabel } from './label.ts';
import { type MountHost, runMount, runUnmount } from './mount.ts';
import { probeDevice } from './probe.ts';

const UNMOUNT_LIMIT_MS = 15_000;

/**
 * The label of the file system on a device that nobody has mounted: mounts it for a moment, reading only, not even replaying
 * its journal, in a directory that is gone afterwards. Undefined where there is no file system or no label. Rejects with
 * FilesystemError, with DeviceHeldError while something else claims the device, and when it cannot be unmounted again.
 */
export async function inspectLabel(
  host: MountHost,
  device: Device,
  signal: AbortSignal,
): Promise<VolumeLabel | undefined> {
  const { runner } = host;
  const probe = await probeDevice(runner, device, signal);
  if (probe.kind !== 'filesystem') return undefined;
  const mountpoint = await mkdtemp(path.join(tmpdir(), 'docker-volume-scaleio-look-'));
  try {
    try {
      await runMount(host, { device, mountpoint }, { fs: probe.fs, options: [], readOnly: true }, signal);
    } catch (error) {
      throw await orHeld(error, device);
    }
    try {
      return await readVolumeLabel(runner, mountpoint, signal);
    } finally {
      await runUnmount(runner, mountpoint, { lazy: false }, AbortSignal.timeout(UNMOUNT_LIMIT_MS));
    }
  } finally {
    // Not recursively: should it still be mounted, nothing in it may go.
    await rmdir(mountpoint);
  }
}
