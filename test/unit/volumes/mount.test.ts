import { describe, expect, it, vi } from 'vitest';
import { FilesystemError, AttachError } from '../../../src/errors.ts';
import { FakeFilesystems } from './world/fake-filesystems.ts';
import type { Point, Verdict } from './world/steps.ts';
import { World } from './world/world.ts';

const GIB = 1024 * 1024;

async function twoHosts(options: Record<string, string> = {}) {
  const world = new World(2);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(world.host(1).life.create('db', options));
  const other = world.host(2);
  return { world, other, run };
}

describe('MountVolume on a host that did not create the volume', () => {
  it('mounts with the options of the volume, and with one mount from the second time on', async () => {
    const { other, run } = await twoHosts({ fs: 'ext4', mount: 'commit=30' });
    const mounts = (): number => other.life.steps.points.filter(({ method }) => method === 'mount').length;
    await run(other.life.mount('db', 'a'));
    expect(other.kernel.mounts[0]?.options).toEqual(['commit=30']);
    await run(other.life.unmount('db', 'a'));
    const before = mounts();
    await run(other.life.mount('db', 'a'));
    expect(mounts() - before).toBe(2);
    expect(other.kernel.mounts[0]?.options).toEqual(['commit=30']);
  });

  it('answers the path of the subpath', async () => {
    const { other, run } = await twoHosts({ subpath: 'data' });
    await expect(run(other.life.mount('db', 'a'))).resolves.toBe('/run/volumes/docker-db/data');
    await expect(run(other.life.driver.path('db'))).resolves.toBe('/run/volumes/docker-db/data');
  });

  it('applies the limits at every mount, because they vanish with the mapping', async () => {
    const { world, other, run } = await twoHosts({ iops: '100', bandwidth: '10MiB' });
    for (const id of ['a', 'b']) {
      await run(other.life.mount('db', id));
      expect(world.volume('db').mappings.get(other.sdcId)).toMatchObject({
        limitIops: 100,
        limitBandwidthKiBps: 10_240,
      });
      await run(other.life.unmount('db', id));
    }
  });

  it('shows the full name of a volume whose array name is a hash, once seen', async () => {
    const world = new World(2);
    const name = 'a-name-much-too-long-for-the-array-of-this-host';
    await world.run(world.host(1).life.create(name));
    const { life } = world.host(2);
    await expect(world.run(life.driver.list(life.call()))).resolves.toEqual([]);
    await world.run(life.get(name));
    await expect(world.run(life.driver.list(life.call()))).resolves.toEqual([{ name, mountpoint: '' }]);
  });
});

describe('MountVolume', () => {
  it('grows the file system of a volume that grew', async () => {
    const { world, other, run } = await twoHosts({ size: '8GiB' });
    world.array.grow(world.volume('db').id, 16 * GIB);
    await run(other.life.mount('db', 'a'));
    expect(world.content('db').sizeKiB).toBe(16 * GIB);
  });

  it('asks the SDC again when the device has not the size of the volume, and refuses if it never has', async () => {
    const { world, other, run } = await twoHosts({ size: '8GiB' });
    const volume = world.volume('db');
    world.array.map(volume.id, other.sdcId, false);
    world.array.grow(volume.id, 16 * GIB);
    await run(other.life.mount('db', 'a'));
    expect(world.content('db').sizeKiB).toBe(16 * GIB);
    await run(other.life.unmount('db', 'a'));

    world.array.map(volume.id, other.sdcId, false);
    other.kernel.rescan = () => undefined;
    world.array.grow(volume.id, 24 * GIB);
    await expect(run(other.life.mount('db', 'b'))).rejects.toMatchObject({
      problem: 'device-mismatch',
      message: expect.stringMatching(
        /^mounting volume "db" failed: device "\S+" has \d+ bytes and volume "\S+" has \d+, .*; nothing was touched; run "drv_cfg --rescan"/,
      ) as string,
    });
    // Mapped by hand, so it stays as it was found.
    expect(world.leaks()).toEqual([
      expect.stringContaining('mapping of docker-db'),
      expect.stringContaining('device of'),
    ]);
  });

  it('keeps no mapping where the link of the device leads to another volume, but for one that was in use', async () => {
    const { world, other, run } = await twoHosts();
    const { steps } = other.life;
    const stale = new AttachError('device link is stale', { problem: 'device-mismatch' });
    const isLooked = ({ port, method, side }: Point): boolean =>
      port === 'sdc' && side === 'before' && ['findDevice', 'waitForDevice'].includes(method);
    const lookStale = (point: Point): Verdict => (isLooked(point) ? stale : 'go');
    steps.hook = lookStale;
    await expect(run(other.life.mount('db', 'a'))).rejects.toThrow(
      'mounting volume "db" failed: device link is stale',
    );
    expect(world.volume('db').mappings.size).toBe(0);
    expect(world.leaks()).toEqual([]);

    steps.hook = () => 'go';
    other.kernel.bind('b', await run(other.life.mount('db', 'b')));
    steps.hook = lookStale;
    await expect(run(other.life.mount('db', 'c'))).rejects.toThrow('device link is stale');
    expect([...world.volume('db').mappings.keys()]).toEqual([other.sdcId]);
  });

  it('says what of the SDC keeps a device away, else that it did not come', async () => {
    const { world, other, run } = await twoHosts();
    other.kernel.neverArrives.add(world.volume('db').id);
    await expect(run(other.life.mount('db', 'a'))).rejects.toThrow(
      /^mounting volume "db" failed: device of volume "\S+" did not appear/,
    );
    other.life.sdc.problem = 'not-connected';
    await expect(run(other.life.mount('db', 'a'))).rejects.toMatchObject({ problem: 'not-connected' });
    expect(world.leaks()).toEqual([]);
  });

  it('tells nobody to remove a volume whose file system cannot be seen, before it was looked for', async () => {
    const { world, other, run } = await twoHosts();
    vi.spyOn(FakeFilesystems.prototype, 'probe').mockResolvedValue({ kind: 'blank' });
    await expect(run(other.life.mount('db', 'a'))).rejects.toThrow(
      /no file system is seen on it, .* nothing was changed\. If it had data .* repair it .* Else remove it/,
    );
    expect(world.leaks()).toEqual([]);
  });

  it('clears what is mounted at its place without a record', async () => {
    const { world, other, run } = await twoHosts();
    await run(world.host(1).life.create('old'));
    const path = await run(other.life.mount('old', 'a'));
    const [stale] = other.kernel.mounts;
    if (stale === undefined) throw new Error('nothing mounted');
    await run(other.life.unmount('old', 'a'));
    other.kernel.mounts.push({ ...stale, mountpoint: path.replace('old', 'db') });
    other.kernel.bind('b', await run(other.life.mount('db', 'b')));
    other.kernel.write('b', 'file', 'data');
    expect(world.content('db').files.get('file')).toBe('data');
  });

  it('refuses a subpath that is not there, and leaves nothing mapped', async () => {
    const { world, other, run } = await twoHosts({ subpath: 'data' });
    world.content('db').directories.delete('data');
    await expect(run(other.life.mount('db', 'a'))).rejects.toThrow(FilesystemError);
    expect(world.leaks()).toEqual([]);
  });

  it('keeps the volume from nobody when its journal cannot be written', async () => {
    const { world, other, run } = await twoHosts();
    const { steps } = other.life;
    const full = new FilesystemError('no space left on device');
    const isWritten = (port: string, side: string): boolean => port === 'journal' && side === 'before';
    steps.hook = ({ port, side }) => (isWritten(port, side) ? full : 'go');
    await expect(run(other.life.mount('db', 'a'))).rejects.toThrow(full);
    expect(world.leaks()).toEqual([]);

    steps.hook = () => 'go';
    await run(other.life.mount('db', 'b'));
    steps.hook = ({ port, side }) => (isWritten(port, side) ? full : 'go');
    await run(other.life.unmount('db', 'b'));
    await run(world.host(1).life.mount('db', 'c'));
    steps.hook = () => 'go';
    await world.reconcileAll();
    await run(world.host(1).life.unmount('db', 'c'));
    expect(world.leaks()).toEqual([]);
  });
});
