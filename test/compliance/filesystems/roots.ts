import { expect, test } from 'vitest';
import { FilesystemError, NewerVersionError } from '../../../src/errors.ts';
import type { VolumeLabel } from '../../../src/volumes/options/label.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import type { OpenFilesystems } from './subject.ts';
import { LABEL, Scene } from './scene.ts';
import { soon } from '../soon.ts';

const ANY = { uid: undefined, gid: undefined, mode: undefined };

export function rootCases(open: OpenFilesystems, fs: FilesystemType): void {
  test('has no label until one is written, and keeps the last one wherever it is mounted', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems } = scene.host;
    const device = await scene.mounted('docker-db');
    expect(await filesystems.readLabel(scene.at('docker-db'), soon())).toBeUndefined();
    for (const name of ['db', 'the database']) {
      await filesystems.writeLabel(scene.at('docker-db'), { ...LABEL, name }, soon());
      expect(await filesystems.readLabel(scene.at('docker-db'), soon())).toEqual({ ...LABEL, name });
    }
    await scene.unmount('docker-db');
    await scene.mount(device, 'docker-web', { readOnly: true });
    expect(await filesystems.readLabel(scene.at('docker-web'), soon())).toEqual({
      ...LABEL,
      name: 'the database',
    });
  });

  test('keeps what a newer plugin added to its label, and is not read for one that needs a newer', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems } = scene.host;
    await scene.mounted('docker-db');
    const added = { ...LABEL, colour: 'blue' };
    await filesystems.writeLabel(scene.at('docker-db'), added, soon());
    expect(await filesystems.readLabel(scene.at('docker-db'), soon())).toEqual(added);
    const ofVersion = (version: number): VolumeLabel => ({ ...LABEL, version: version as 1 });
    await filesystems.writeLabel(scene.at('docker-db'), ofVersion(2), soon());
    await expect(filesystems.readLabel(scene.at('docker-db'), soon())).rejects.toBeInstanceOf(
      NewerVersionError,
    );
    await filesystems.writeLabel(scene.at('docker-db'), ofVersion(0), soon());
    await expect(filesystems.readLabel(scene.at('docker-db'), soon())).rejects.toBeInstanceOf(
      FilesystemError,
    );
  });

  test('is not there where nothing was ever mounted', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems } = scene.host;
    await scene.mounted('docker-web');
    const mountpoint = scene.at('docker-db');
    const calls = {
      readLabel: () => filesystems.readLabel(mountpoint, soon()),
      writeLabel: () => filesystems.writeLabel(mountpoint, LABEL, soon()),
      prepareRoot: () => filesystems.prepareRoot(mountpoint, { ...ANY, subpath: 'a' }, soon()),
      resolveSubpath: () => filesystems.resolveSubpath(mountpoint, 'data'),
    };
    for (const [method, call] of Object.entries(calls))
      await expect(call(), method).rejects.toBeInstanceOf(FilesystemError);
  });

  test('has the directories that were made in it, and no others', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems } = scene.host;
    await scene.mounted('docker-db');
    const mountpoint = scene.at('docker-db');
    await expect(filesystems.resolveSubpath(mountpoint, 'a/b')).rejects.toBeInstanceOf(FilesystemError);
    await filesystems.prepareRoot(mountpoint, { uid: 999, gid: 998, mode: 0o750, subpath: 'a/b' }, soon());
    await filesystems.prepareRoot(mountpoint, { ...ANY, subpath: 'a/b' }, soon());
    expect(await filesystems.resolveSubpath(mountpoint, '')).toBe(mountpoint);
    expect(await filesystems.resolveSubpath(mountpoint, 'a')).toBe(`${mountpoint}/a`);
    expect(await filesystems.resolveSubpath(mountpoint, 'a/b')).toBe(`${mountpoint}/a/b`);
    for (const subpath of ['b', 'a/c', 'lost+found', '../a', 'a/../a'])
      await expect(filesystems.resolveSubpath(mountpoint, subpath), subpath).rejects.toBeInstanceOf(
        FilesystemError,
      );
    const outside = { ...ANY, subpath: '../a' };
    await expect(filesystems.prepareRoot(mountpoint, outside, soon())).rejects.toBeInstanceOf(
      FilesystemError,
    );
  });
}
