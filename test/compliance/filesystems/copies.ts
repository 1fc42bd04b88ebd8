import { expect, test } from 'vitest';
import { FilesystemError } from '../../../src/errors.ts';
import type { Device } from '../../../src/attach/attacher.ts';
import type { FilesystemType } from '../../../src/volumes/volume.ts';
import type { OpenFilesystems } from './subject.ts';
import { LABEL, Scene } from './scene.ts';
import { soon } from '../soon.ts';

const ANY = { uid: undefined, gid: undefined, mode: undefined };

export function copyCases(open: OpenFilesystems, fs: FilesystemType): void {
  const uuidOf = async (scene: Scene, device: Device): Promise<string> => {
    const probe = await scene.host.filesystems.probe(device, soon());
    if (probe.kind !== 'filesystem' || probe.uuid === null) throw new Error(`no UUID but ${probe.kind}`);
    return probe.uuid;
  };

  test('taken in use gets a UUID of its own, keeps all else, and is mounted beside its origin', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems, outside } = scene.host;
    const origin = await scene.mounted('docker-db');
    await filesystems.prepareRoot(scene.at('docker-db'), { ...ANY, subpath: 'a/b' }, soon());
    await filesystems.writeLabel(scene.at('docker-db'), LABEL, soon());
    await outside.flush(scene.at('docker-db'));
    const before = await uuidOf(scene, origin);

    const copy = await outside.copyOf(origin);
    expect(await uuidOf(scene, copy)).toBe(before);
    await filesystems.renewUuid(copy, scene.at('docker-copy'), fs, soon());
    const first = await uuidOf(scene, copy);
    expect(first).not.toBe(before);
    expect(await uuidOf(scene, origin)).toBe(before);
    await scene.released(copy);

    await filesystems.check(copy, fs, soon());
    await scene.mount(copy, 'docker-copy');
    expect(await filesystems.readLabel(scene.at('docker-copy'), soon())).toEqual(LABEL);
    expect(await filesystems.resolveSubpath(scene.at('docker-copy'), 'a/b')).toBe(
      `${scene.at('docker-copy')}/a/b`,
    );

    // A copy of the copy, while all three are in use.
    await outside.flush(scene.at('docker-copy'));
    const second = await outside.copyOf(copy);
    await filesystems.renewUuid(second, scene.at('docker-second'), fs, soon());
    expect(new Set([before, first, await uuidOf(scene, second)]).size).toBe(3);
    await scene.mount(second, 'docker-second');
    expect(await filesystems.readLabel(scene.at('docker-second'), soon())).toEqual(LABEL);
    for (const name of ['docker-second', 'docker-copy', 'docker-db']) await scene.unmount(name);
  });

  test('gets another UUID each time', async () => {
    const scene = await Scene.open(open, fs);
    const device = await scene.made();
    const seen = new Set([await uuidOf(scene, device)]);
    for (let time = 0; time < 2; time += 1) {
      await scene.host.filesystems.renewUuid(device, scene.at('docker-copy'), fs, soon());
      seen.add(await uuidOf(scene, device));
    }
    expect(seen.size).toBe(3);
    expect(await scene.table()).toEqual([]);
  });

  test('keeps its UUID while it is mounted, or is of another kind', async () => {
    const scene = await Scene.open(open, fs);
    const { filesystems } = scene.host;
    const [mounted, other, blank] = [
      await scene.mounted('docker-db'),
      await scene.made(),
      await scene.host.blank(),
    ];
    const before = [await uuidOf(scene, mounted), await uuidOf(scene, other)];
    const at = scene.at('docker-copy');
    const asOther = fs === 'ext4' ? 'xfs' : 'ext4';
    for (const renewed of [
      () => filesystems.renewUuid(mounted, at, fs, soon()),
      () => filesystems.renewUuid(other, at, asOther, soon()),
      () => filesystems.renewUuid(blank, at, fs, soon()),
    ])
      await expect(renewed()).rejects.toBeInstanceOf(FilesystemError);
    expect([await uuidOf(scene, mounted), await uuidOf(scene, other)]).toEqual(before);
    expect(await filesystems.probe(blank, soon())).toEqual({ kind: 'blank' });
  });
}
