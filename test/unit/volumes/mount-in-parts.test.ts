import { describe, expect, it } from 'vitest';
import { VolumeConflictError, VolumeInUseError } from '../../../src/errors.ts';
import { Attaching } from '../../../src/volumes/life/attach.ts';
import { mountFilesystem } from '../../../src/volumes/life/mount-filesystem.ts';
import { placeOf } from '../../../src/volumes/life/place.ts';
import { asVolumeName } from '../../../src/volumes/volume.ts';
import { labelledLimits } from '../../../src/volumes/limits/limits.ts';
import { World } from './world/world.ts';

const STAGED = '/run/volumes/staged-by-another-front-end';

/** A front end that attaches, mounts and places in calls of its own, at a path that it names. */
async function frontEnd(options: Record<string, string> = {}) {
  const world = new World(2);
  const { life, kernel } = world.host(1);
  const { host } = life;
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(world.host(2).life.create('db', options));
  const me = await run(host.identity.current(life.call().signal));
  const begin = async () => {
    const volume = await run(host.array.getVolume(world.volume('db').id, life.call().signal));
    if (volume === undefined) throw new Error('no volume "db"');
    const request = { name: asVolumeName('db'), volume, me, mountpoint: STAGED, before: undefined };
    return { attaching: new Attaching(host, request), volume };
  };
  return { world, life, host, kernel, run, begin, signal: life.call().signal };
}

describe('attaching, mounting and placing, each called apart', () => {
  it('bring a volume to a path that the caller names, with the calls of the array that a Mount takes', async () => {
    const { life, host, kernel, run, begin, signal } = await frontEnd({ subpath: 'data', iops: '100' });
    const { attaching, volume } = await begin();
    life.gateway.calls.clear();
    const held = await run(attaching.attach(signal));
    expect(life.gateway.totalCalls).toBe(1);
    expect(host.journal.get('db')).toMatchObject({ phase: 'mounting', mountpoint: STAGED });
    expect(kernel.mountAt(STAGED)).toBeUndefined();

    const label = await run(mountFilesystem(host, { entry: attaching.entry, volume, held }, signal));
    expect(label).toMatchObject({ name: 'db', subpath: 'data' });
    expect(life.gateway.totalCalls).toBe(1);
    await run(attaching.limit(labelledLimits(label), signal));
    expect(life.gateway.totalCalls).toBe(2);

    const place = { device: held.device, mountpoint: STAGED, subpath: 'data' };
    expect(await run(placeOf(host, place))).toBe(`${STAGED}/data`);
    expect(await run(placeOf(host, { ...place, subpath: '' }))).toBe(STAGED);
    expect(life.gateway.totalCalls).toBe(2);
    await run(attaching.close());
  });

  it('give back what was attached when what comes next fails', async () => {
    const { world, host, run, begin, signal } = await frontEnd();
    const { attaching, volume } = await begin();
    const held = await run(attaching.attach(signal));
    expect(world.volume('db').mappings.size).toBe(1);
    world.volume('db').content = { kind: 'foreign', what: 'LVM2_member' };
    const failed = run(mountFilesystem(host, { entry: attaching.entry, volume, held }, signal));
    const cause: unknown = await failed.catch((reason: unknown) => reason);
    expect(cause).toBeInstanceOf(VolumeConflictError);
    await run(attaching.close());
    await run(attaching.undo(cause));
    expect(world.volume('db').mappings.size).toBe(0);
    expect(host.journal.get('db')).toBeUndefined();
  });

  it('leave nothing of a volume that another host keeps, and touch nothing before they are begun', async () => {
    const { world, host, run, begin, signal } = await frontEnd({ failover: 'never' });
    const { attaching } = await begin();
    await run(attaching.undo(new VolumeConflictError('given up before it began')));
    expect(host.journal.get('db')).toBeUndefined();
    await run(world.host(2).life.mount('db', 'a'));
    const late = (await begin()).attaching;
    const cause: unknown = await run(late.attach(signal)).catch((reason: unknown) => reason);
    expect(cause).toBeInstanceOf(VolumeInUseError);
    await run(late.undo(cause));
    expect(host.journal.get('db')).toBeUndefined();
    expect(world.volume('db').mappings.size).toBe(1);
  });

  it('refuse a place that the host does not see', async () => {
    const { host, kernel, run, begin, signal } = await frontEnd();
    const { attaching, volume } = await begin();
    const held = await run(attaching.attach(signal));
    const place = { device: held.device, mountpoint: STAGED, subpath: '' };
    await run(mountFilesystem(host, { entry: attaching.entry, volume, held }, signal));
    expect(await run(placeOf(host, place))).toBe(STAGED);
    for (const mount of kernel.mounts) mount.visibleToHost = false;
    await expect(run(placeOf(host, place))).rejects.toThrow('does not see');
    await run(attaching.close());
  });
});
