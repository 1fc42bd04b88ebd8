import { expect } from 'vitest';
import { asVolumeId, type ArrayName } from '../../../src/array/ids.ts';
import type { Device } from '../../../src/attach/attacher.ts';
import type { MountRequest } from '../../../src/volumes/ports.ts';
import { labelOf } from '../../../src/volumes/options/label.ts';
import { BUILT_IN_DEFAULTS } from '../../../src/volumes/options/option-table.ts';
import { asVolumeName, type FilesystemType } from '../../../src/volumes/volume.ts';
import type { OpenFilesystemHost, OpenFilesystems } from './subject.ts';
import { soon } from '../soon.ts';

export const LABEL = labelOf(BUILT_IN_DEFAULTS, {
  name: asVolumeName('db'),
  volumeId: asVolumeId('a1b2c3d400000001'),
});

/** One host, on which the file systems are of one kind. */
export class Scene {
  readonly fs: FilesystemType;
  readonly host: OpenFilesystemHost;

  private constructor(fs: FilesystemType, host: OpenFilesystemHost) {
    this.fs = fs;
    this.host = host;
  }

  static async open(open: OpenFilesystems, fs: FilesystemType): Promise<Scene> {
    return new Scene(fs, await open(fs));
  }

  at(name: string): string {
    return this.host.filesystems.mountpointOf(name as ArrayName);
  }

  /** A device with a new file system. */
  async made(): Promise<Device> {
    const { filesystems } = this.host;
    const device = await this.host.blank();
    await filesystems.proveBlank(device, soon());
    await filesystems.make(device, { fs: this.fs, options: [] }, soon());
    return device;
  }

  mount(device: Device, name: string, differently: Partial<MountRequest> = {}): Promise<void> {
    const request = { fs: this.fs, options: [], readOnly: false, ...differently };
    return this.host.filesystems.mount(device, this.at(name), request, soon());
  }

  unmount(name: string, how = { lazy: false }): Promise<void> {
    return this.host.filesystems.unmount(this.at(name), how, soon());
  }

  /** Waits until nothing holds the device: on a busy host somebody's copy of the mounts may go a moment later. */
  async released(device: Device): Promise<void> {
    await expect.poll(() => this.host.filesystems.isHeld(device), { timeout: 20_000 }).toBe(false);
  }

  /** A device with a new file system that is mounted there. */
  async mounted(name: string): Promise<Device> {
    const device = await this.made();
    await this.mount(device, name);
    return device;
  }

  /** Numbers of the devices that are mounted, and where. */
  async table(): Promise<string[]> {
    const mounts = await this.host.filesystems.mounts();
    return mounts.map(({ device, mountpoint }) => `${device} ${mountpoint}`).toSorted();
  }
}
