import { describe, expect, it } from 'vitest';
import { FilesystemError } from '../../../src/errors.ts';
import type { VolumeLabel } from '../../../src/volumes/options/label.ts';
import { World } from './world/world.ts';

async function labelled(change: (label: VolumeLabel) => object | undefined, options = {}) {
  const world = new World(2);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(world.host(1).life.create('db', { subpath: 'data', iops: '100', ...options }));
  const content = world.content('db');
  if (content.label === undefined) throw new Error('no label');
  content.label = change(content.label) as VolumeLabel | undefined;
  const { life, kernel } = world.host(2);
  return { world, run, content, life, kernel };
}

describe('MountVolume and the label', () => {
  it('mounts a volume labelled by a newer plugin, and keeps what that added when it rewrites', async () => {
    const { run, content, life } = await labelled((label) => ({ ...label, name: 'old', tier: 'gold' }));
    await expect(run(life.mount('db', 'a'))).resolves.toBe('/run/volumes/docker-db/data');
    expect(content.label).toMatchObject({ name: 'db', tier: 'gold', subpath: 'data' });
  });

  it.each([
    [{ version: 2, needs: '0.9.0' }, 'NEWER_VERSION', 'version 0.9.0 or later'],
    [{ fs: 'f2fs' }, 'FILESYSTEM', 'cannot be read'],
  ])('refuses one that it must not or cannot read (%j), and leaves nothing', async (other, code, words) => {
    for (const isKnown of [false, true]) {
      const { world, run, content, life } = await labelled((label) => label);
      if (isKnown) {
        await run(life.mount('db', 'z'));
        await run(life.unmount('db', 'z'));
      }
      content.label = { ...content.label, ...other } as unknown as VolumeLabel;
      await expect(run(life.mount('db', 'a'))).rejects.toMatchObject({
        code,
        message: expect.stringContaining(words) as string,
      });
      expect(world.leaks()).toEqual([]);
      expect(content.label).toMatchObject(other);
    }
  });

  it('decides by the device alone where there is none', async () => {
    const { run, life } = await labelled(() => undefined);
    await expect(run(life.mount('db', 'a'))).resolves.toBe('/run/volumes/docker-db');
  });

  it("refuses another volume's, and unmounts it", async () => {
    const { world, run, life } = await labelled((label) => ({ ...label, volumeId: 'ffffffff00000009' }));
    await expect(run(life.mount('db', 'a'))).rejects.toMatchObject({
      code: 'FILESYSTEM',
      message: expect.stringContaining('with id "ffffffff00000009"') as string,
    });
    expect(world.leaks()).toEqual([]);
  });

  it('takes the right id with another name for a rename, and writes the name', async () => {
    const { world, run, content, life } = await labelled((label) => label);
    world.array.rename(world.volume('db').id, 'docker-web');
    await expect(run(life.mount('web', 'a'))).resolves.toBe('/run/volumes/docker-web/data');
    expect(content.label).toMatchObject({ name: 'web', volumeId: world.volume('web').id });
  });

  it('adds the id to a label of before that bears the name', async () => {
    const { world, run, content, life } = await labelled((label) => ({ ...label, volumeId: undefined }));
    await run(life.mount('db', 'a'));
    expect(content.label?.volumeId).toBe(world.volume('db').id);
  });

  it('takes a label of before that bears no name at all', async () => {
    const { run, content, life } = await labelled((label) => ({ ...label, volumeId: undefined, name: '' }));
    await run(life.mount('db', 'a'));
    expect(content.label?.name).toBe('db');
  });

  it('refuses a label of before with another name', async () => {
    const { world, run, life } = await labelled((label) => ({
      ...label,
      volumeId: undefined,
      name: 'web',
    }));
    await expect(run(life.mount('db', 'a'))).rejects.toThrow('of volume "web" and bears no id');
    expect(world.leaks()).toEqual([]);
  });

  it("mounts a snapshot under its own name with its origin's label, and leaves that as it is", async () => {
    const { world, run, content, life } = await labelled((label) => label);
    const copy = world.array.snapshot(world.volume('db').id, 'docker-copy', 0);
    await expect(run(life.mount('copy', 'a'))).resolves.toBe('/run/volumes/docker-copy/data');
    expect(world.content('copy').label).toEqual(content.label);
    await run(life.unmount('copy', 'a'));

    world.array.snapshot(copy.id, 'docker-second', 0);
    await expect(run(life.mount('second', 'a'))).resolves.toBe('/run/volumes/docker-second/data');
    await run(life.unmount('second', 'a'));

    world.content('copy').label = { ...content.label, volumeId: 'ffffffff00000009' } as VolumeLabel;
    await expect(run(life.mount('copy', 'a'))).rejects.toThrow('with id "ffffffff00000009"');
  });

  it('hands the volume out where its label cannot be brought up to date', async () => {
    const { run, content, life } = await labelled((label) => ({ ...label, name: 'old' }));
    life.steps.hook = ({ method }) => (method === 'writeLabel' ? new FilesystemError('no space') : 'go');
    await expect(run(life.mount('db', 'a'))).resolves.toBe('/run/volumes/docker-db/data');
    expect(content.label?.name).toBe('old');
  });
});
