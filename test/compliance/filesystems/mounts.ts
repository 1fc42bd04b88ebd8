import { expect, test } from 'vitest';
import { FilesystemError, FrozenError } from '../../../src/errors.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import type { OpenFilesystems } from './subject.ts';
import { LABEL, Scene } from './scene.ts';
import { soon } from '../soon.ts';

export function mountCases(open: OpenFilesystems, fs: FilesystemType): void {
  test('shows with its device, and holds it', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems } = scene.host;
    const device = await scene.mounted('docker-db');
    const mountpoint = scene.at('docker-db');
    const { number, node: source } = device;
    expect(await filesystems.mounts()).toMatchObject([
      { device: number, mountpoint, root: '/', fsType: fs, source, readOnly: false },
    ]);
    expect(await filesystems.isHeld(device)).toBe(true);
    expect(await filesystems.isFrozen(device, mountpoint, soon())).toBe(false);
    expect(await filesystems.trim(mountpoint, soon())).toBeGreaterThanOrEqual(0);
    await scene.unmount('docker-db');
    expect(await filesystems.mounts()).toEqual([]);
    await scene.released(device);
  });

  test('is made and taken away once, however often that is asked for', async () => {
    const scene = await Scene.open(open, fs);
    const device = await scene.mounted('docker-db');
    await scene.mount(device, 'docker-db');
    expect(await scene.table()).toEqual([`${device.number} ${scene.at('docker-db')}`]);
    await scene.unmount('docker-db');
    await scene.unmount('docker-db');
    expect(await scene.table()).toEqual([]);
  });

  test('is not made where another device is mounted, which stays', async () => {
    const scene = await Scene.open(open, fs);
    const [first, second] = [await scene.mounted('docker-db'), await scene.made()];
    await expect(scene.mount(second, 'docker-db')).rejects.toBeInstanceOf(FilesystemError);
    expect(await scene.table()).toEqual([`${first.number} ${scene.at('docker-db')}`]);
    await scene.released(second);
  });

  test('of one device at two places holds it until both are gone', async () => {
    const scene = await Scene.open(open, fs);
    const device = await scene.mounted('docker-db');
    await scene.mount(device, 'docker-web');
    const { number } = device;
    expect(await scene.table()).toEqual([
      `${number} ${scene.at('docker-db')}`,
      `${number} ${scene.at('docker-web')}`,
    ]);
    await scene.unmount('docker-db');
    expect(await scene.host.filesystems.isHeld(device)).toBe(true);
    await scene.unmount('docker-web');
    await scene.released(device);
  });

  test('that is busy stays, and is taken away lazily, while its user holds the device', async () => {
    const scene = await Scene.open(open, fs);
    const device = await scene.mounted('docker-db');
    const letGo = await scene.host.outside.openFile(scene.at('docker-db'));
    await expect(scene.unmount('docker-db')).rejects.toBeInstanceOf(FilesystemError);
    expect(await scene.table()).toEqual([`${device.number} ${scene.at('docker-db')}`]);
    await scene.unmount('docker-db', { lazy: true });
    expect(await scene.table()).toEqual([]);
    expect(await scene.host.filesystems.isHeld(device)).toBe(true);
    await letGo();
    await scene.released(device);
  });

  test('is seen by the host as that of its device alone', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems } = scene.host;
    const [mounted, other] = [await scene.mounted('docker-db'), await scene.made()];
    await filesystems.assertVisibleToHost(mounted, scene.at('docker-db'));
    for (const [device, name] of [
      [other, 'docker-db'],
      [mounted, 'docker-web'],
    ] as const)
      await expect(filesystems.assertVisibleToHost(device, scene.at(name))).rejects.toBeInstanceOf(
        FilesystemError,
      );
  });

  test('grows once to the device that has grown', async ({ skip }) => {
    const scene = await Scene.open(open, fs);
    skip(!scene.host.canGrow, `growing a mounted ${fs} is not allowed here`);
    const { filesystems, outside } = scene.host;
    const device = await scene.mounted('docker-db');
    const mountpoint = scene.at('docker-db');
    expect(await filesystems.grow(device, mountpoint, fs, soon())).toBe(false);
    const larger = await outside.double(device);
    expect(larger.sizeBytes).toBe(2 * device.sizeBytes);
    expect(await filesystems.grow(larger, mountpoint, fs, soon())).toBe(true);
    expect(await filesystems.grow(larger, mountpoint, fs, soon())).toBe(false);
  });

  test('that is read-only shows so, and neither grows nor takes a label', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems, outside } = scene.host;
    const device = await scene.made();
    await scene.mount(device, 'docker-db', { readOnly: true });
    const mountpoint = scene.at('docker-db');
    expect(await filesystems.mounts()).toMatchObject([{ mountpoint, readOnly: true }]);
    expect(await filesystems.grow(await outside.double(device), mountpoint, fs, soon())).toBe(false);
    await expect(filesystems.writeLabel(mountpoint, LABEL, soon())).rejects.toBeInstanceOf(FilesystemError);
    expect(await filesystems.readLabel(mountpoint, soon())).toBeUndefined();
  });

  // Of btrfs it cannot be seen.
  if (fs === 'btrfs') return;
  test('is frozen while somebody froze it, and not made once more then', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems, outside } = scene.host;
    const [device, other] = [await scene.mounted('docker-db'), await scene.made()];
    const thaw = await outside.freeze(scene.at('docker-db'));
    expect(await filesystems.isFrozen(device, scene.at('docker-db'), soon())).toBe(true);
    expect(await filesystems.isFrozen(other, scene.at('docker-db'), soon())).toBe(false);
    expect(await filesystems.isFrozen(device, scene.at('docker-web'), soon())).toBe(false);
    await expect(scene.mount(device, 'docker-web')).rejects.toBeInstanceOf(FrozenError);
    expect(await scene.table()).toEqual([`${device.number} ${scene.at('docker-db')}`]);
    await thaw();
    expect(await filesystems.isFrozen(device, scene.at('docker-db'), soon())).toBe(false);
  });
}
