import { expect, test } from 'vitest';
import { FilesystemError } from '../../../src/errors.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import type { OpenFilesystems } from './subject.ts';
import { Scene } from './scene.ts';
import { soon } from '../soon.ts';

export function deviceContentCases(open: OpenFilesystems, fs: FilesystemType): void {
  test('is blank until a file system is made on it, and is that then', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems } = scene.host;
    const device = await scene.host.blank();
    expect(await filesystems.probe(device, soon())).toEqual({ kind: 'blank' });
    await filesystems.proveBlank(device, soon());
    await filesystems.make(device, { fs, options: [] }, soon());
    expect(await filesystems.probe(device, soon())).toMatchObject({ kind: 'filesystem', fs });
    await expect(filesystems.proveBlank(device, soon())).rejects.toBeInstanceOf(FilesystemError);
    await filesystems.check(device, fs, soon());
    await scene.released(device);
  });

  test('holds something that is not ours, and is not blank', async () => {
    const { host } = await Scene.open(open, fs);
    const device = await host.blank();
    await host.outside.putForeign(device);
    expect(await host.filesystems.probe(device, soon())).toEqual({
      kind: 'foreign',
      what: expect.stringMatching(/./) as string,
    });
    await expect(host.filesystems.proveBlank(device, soon())).rejects.toBeInstanceOf(FilesystemError);
  });

  test('is not mounted when it is blank, or as another kind', async () => {
    const scene = await Scene.open(open, fs);
    const [blank, made] = [await scene.host.blank(), await scene.made()];
    const other = fs === 'ext4' ? 'xfs' : 'ext4';
    await expect(scene.mount(blank, 'docker-db')).rejects.toBeInstanceOf(FilesystemError);
    await expect(scene.mount(made, 'docker-db', { fs: other })).rejects.toBeInstanceOf(FilesystemError);
    expect(await scene.table()).toEqual([]);
    for (const device of [blank, made]) await scene.released(device);
  });

  test('that is gone is neither blank nor known to be free, and is not mounted', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems } = scene.host;
    const device = await scene.host.gone();
    const calls = {
      probe: () => filesystems.probe(device, soon()),
      proveBlank: () => filesystems.proveBlank(device, soon()),
      isHeld: () => filesystems.isHeld(device),
      mount: () => scene.mount(device, 'docker-db'),
    };
    for (const [method, call] of Object.entries(calls))
      await expect(call(), method).rejects.toBeInstanceOf(FilesystemError);
    expect(await scene.table()).toEqual([]);
  });
}
