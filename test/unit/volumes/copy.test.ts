import { describe, expect, it } from 'vitest';
import {
  CapacityError,
  FilesystemError,
  InvalidRequestError,
  VolumeConflictError,
  VolumeNotFoundError,
} from '../../../src/errors.ts';
import { snapshotArrayName } from '../../../src/volumes/copies/snapshot-names.ts';
import type { StoredVolume } from './world/fake-array.ts';
import type { Verdict } from './world/steps.ts';
import { World } from './world/world.ts';

const LABELLED = { fs: 'ext4', mount: 'commit=30', iops: '100', subpath: 'data', uid: '999' };

/** A volume "db" with options of its own, mounted here and written to, on an array of this version. */
async function aWorld(version = '3.6', options: Record<string, string> = LABELLED) {
  const world = new World(2);
  world.array.version = version;
  const host = world.host(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(host.life.create('db', options));
  host.kernel.bind('user', await run(host.life.mount('db', 'user')));
  host.kernel.write('user', 'file', 'then');
  return { world, host, run, life: host.life, kernel: host.kernel };
}

function snapshot(world: World, name: string): StoredVolume {
  const { id } = world.volume('db');
  const arrayName = snapshotArrayName(id, { isFrozen: false, expiresAtSeconds: null, name });
  return world.array.snapshot(id, arrayName, 0);
}

describe.each(['2.6', '3.6', '4.5'])('a copy on array %s', (version) => {
  it('has the data of the moment, and can be mounted and written beside its origin', async () => {
    const { world, run, life, kernel } = await aWorld(version);
    const before = structuredClone(world.content('db'));
    await run(life.create('copy', { from: 'db' }));
    expect(world.content('db')).toEqual(before);
    kernel.write('user', 'file', 'now');
    kernel.bind('other', await run(life.mount('copy', 'other')));
    expect(kernel.read('other', 'file')).toBe('then');
    kernel.write('other', 'file', 'otherwise');
    expect(kernel.read('user', 'file')).toBe('now');
    expect(world.content('copy').uuid).not.toBe(world.content('db').uuid);
    expect(world.content('copy').label).toEqual({
      ...before.label,
      name: 'copy',
      from: 'db',
      volumeId: world.volume('copy').id,
      originId: world.volume('db').id,
      requestedKiB: world.volume('db').sizeKiB,
    });
  });

  it('of a snapshot has the data of that', async () => {
    const { world, run, life, kernel } = await aWorld(version);
    const { id } = snapshot(world, 'before');
    kernel.write('user', 'file', 'now');
    await run(life.create('copy', { from: 'db@before' }));
    expect(world.content('copy').files.get('file')).toBe('then');
    expect(world.content('copy').label).toMatchObject({ originId: id, from: 'db@before', name: 'copy' });
    await expect(run(life.create('other', { from: 'db@befor' }))).rejects.toThrow(
      'did you mean "db@before"?',
    );
  });
});

describe('what a copy is made of', () => {
  it('is a volume whose name has an @ where there is one', async () => {
    const { world, run, life } = await aWorld();
    snapshot(world, 'before');
    await run(life.create('db@before', { fs: 'btrfs' }));
    await run(life.create('copy', { from: 'db@before' }));
    expect(world.volume('copy').ancestorId).toBe(world.volume('db@before').id);
  });

  it.each(['nothing', 'db2@before', 'docker-db'])('is there: not %s', async (from) => {
    const { world, run, life } = await aWorld();
    world.array.add({ ...world.volume('db'), id: undefined as never, name: 'of-others' });
    await expect(run(life.create('copy', { from }))).rejects.toBeInstanceOf(VolumeNotFoundError);
    expect(world.exists('copy')).toBe(false);
  });

  it('is a copy, too, whose origin is gone', async () => {
    const { world, run, life } = await aWorld();
    await run(life.create('copy', { from: 'db' }));
    await run(life.create('second', { from: 'copy', failover: 'always' }));
    expect(world.content('second').label).toMatchObject({
      originId: world.volume('copy').id,
      subpath: 'data',
    });
    await run(life.mount('second', 'a'));
    await run(life.unmount('second', 'a'));
  });

  it('has a file system of ours, else nothing is left of the copy', async () => {
    const { world, run, life } = await aWorld();
    world.array.add({
      name: 'docker-raw',
      storagePoolId: world.volume('db').storagePoolId,
      createdAtSeconds: 0,
    });
    await expect(run(life.create('copy', { from: 'raw' }))).rejects.toBeInstanceOf(FilesystemError);
    world.volume('raw').content = { kind: 'foreign', what: 'LVM2_member' };
    await expect(run(life.create('copy', { from: 'raw' }))).rejects.toBeInstanceOf(VolumeConflictError);
    expect([...world.array.volumes.values()].map(({ name }) => name).toSorted()).toEqual([
      'docker-db',
      'docker-raw',
    ]);
  });

  it('has room for one more in its family', async () => {
    const { world, run, life } = await aWorld('2.6');
    for (let number = 0; number < 31; number += 1) snapshot(world, `s${number}`);
    await expect(run(life.create('copy', { from: 'db' }))).rejects.toBeInstanceOf(CapacityError);
  });
});

describe('options of a copy', () => {
  it.each<[Record<string, string>, string]>([
    [{ size: '8GiB' }, 'never smaller than its origin, which has 16 GiB; 8 GiB was asked for'],
    [{ provisioning: 'thick' }, 'a copy is always thin'],
    [{ mkfs: '-m 1' }, 'never formatted'],
    [{ fs: 'xfs' }, 'its file system is ext4, xfs was asked for'],
    [{ mount: 'logbufs=2' }, 'logbufs'],
    [{ 'grow-above': '80%' }, 'grow-above takes grow-max'],
    [{ from: '' }, 'is empty'],
    [{ from: 'a b' }, 'contains " "'],
  ])('refuse %j', async (options, says) => {
    const { world, run, life } = await aWorld();
    const refused = run(life.create('copy', { from: 'db', ...options }));
    await expect(refused).rejects.toThrow(says);
    await expect(refused).rejects.toBeInstanceOf(InvalidRequestError);
    expect([...world.array.volumes.values()].map(({ name }) => name)).toEqual(['docker-db']);
  });

  it('are the asked ones where it can have them', async () => {
    const { world, run, life } = await aWorld();
    const asked = {
      size: '30GiB',
      fs: 'ext4',
      mount: 'commit=5',
      iops: '500',
      bandwidth: '1MiB',
      subpath: 'x',
      uid: '7',
      mode: '0700',
      'grow-above': '80%',
      'grow-max': '1TiB',
      pool: 'pool1',
      failover: 'idle',
    };
    await run(life.create('copy', { fromSnapshot: 'db', ...asked }));
    await run(life.create('copy', { cloneOf: 'db', ...asked }));
    const { label, root, sizeKiB } = world.content('copy');
    expect(sizeKiB).toBe(32 * 1024 ** 2);
    expect(root).toMatchObject({ uid: 7, mode: 0o700 });
    expect(label).toMatchObject({
      mountOptions: ['commit=5'],
      iops: 500,
      bandwidthKiBps: 1024,
      subpath: 'x',
    });
    expect(label).toMatchObject({ failover: 'idle', growAbovePercent: 80 });
    const { status } = await run(life.get('copy'));
    expect(status).toMatchObject({ from: 'db', size: '32GiB', failover: 'idle' });
    expect((await run(life.get('db'))).status).toMatchObject({ from: null });
  });

  it('are not those that the operator chose for new volumes', async () => {
    const { world, host, run } = await aWorld();
    const { life } = host;
    host.defaults = {
      ...host.defaults,
      fs: 'btrfs',
      mountOptions: ['noexec'],
      uid: 5,
      subpath: 'no',
      sizeKiB: 8,
    };
    await run(host.restart().create('copy', { from: 'db' }));
    expect(life).not.toBe(host.life);
    expect(world.content('copy').label).toMatchObject({
      fs: 'ext4',
      mountOptions: ['commit=30'],
      subpath: 'data',
    });
    expect(world.content('copy').root.uid).not.toBe(5);
  });

  it('let a copy of a volume that is limited to reading be written, unless it is not to be', async () => {
    const { world, run, life } = await aWorld();
    world.array.limitAccess(world.volume('db').id, 'ReadOnly');
    await run(life.create('copy', { from: 'db' }));
    await run(life.create('still', { from: 'db', readonly: 'true' }));
    expect([world.volume('copy').accessModeLimit, world.volume('still').accessModeLimit]).toEqual([
      'ReadWrite',
      'ReadOnly',
    ]);
  });
});

describe('Create of a copy that is there', () => {
  it('is success, also on another host and when its origin is gone', async () => {
    const { world, run, life, kernel } = await aWorld();
    await run(life.create('copy', { from: 'db' }));
    await run(life.create('copy'));
    for (const number of [1, 2]) await run(world.host(number).life.create('copy', { from: 'db' }));
    kernel.letGo('user');
    await run(life.unmount('db', 'user'));
    await run(life.remove('db'));
    for (const number of [1, 2]) await run(world.host(number).life.create('copy', { from: 'db' }));
    expect(world.content('copy').files.get('file')).toBe('then');
    await run(life.mount('copy', 'a'));
  });

  it('is refused for another origin, and for a volume that is none', async () => {
    const { world, run, life } = await aWorld();
    await run(life.create('web', { fs: 'ext4' }));
    await run(life.create('copy', { from: 'db' }));
    for (const number of [1, 2]) {
      const other = run(world.host(number).life.create('copy', { from: 'web' }));
      await expect(other).rejects.toThrow('a copy of "web" was asked for');
      await expect(other).rejects.toBeInstanceOf(VolumeConflictError);
      await expect(run(world.host(number).life.create('web', { from: 'db' }))).rejects.toThrow(
        'it is no copy, a copy of "db" was asked for',
      );
    }
    world.array.rename(world.volume('db').id, 'docker-old');
    await run(life.create('db'));
    await expect(run(life.create('copy', { from: 'db' }))).rejects.toThrow('copy of another volume');
  });

  it('joins the host that won the race for the name', async () => {
    const { world, run, life } = await aWorld();
    let isBegun = false;
    life.steps.hook = async ({ method, side }): Promise<Verdict> => {
      if (method !== 'renameVolume' || side !== 'before' || isBegun) return 'go';
      isBegun = true;
      await world.host(2).life.create('copy', { from: 'db' });
      return 'go';
    };
    await run(life.create('copy', { from: 'db' }));
    expect(isBegun).toBe(true);
    expect([...world.array.volumes.values()].map(({ name }) => name).toSorted()).toEqual([
      'docker-copy',
      'docker-db',
    ]);
  });
});

describe('a copy and its family', () => {
  it('does nothing to what is read back otherwise than asked for (rule 15)', async () => {
    const { world, run, life } = await aWorld();
    await run(life.create('web'));
    life.steps.hook = ({ method, side }) => {
      const made = [...world.array.volumes.values()].find(({ name }) => name.startsWith('~new.'));
      if (method === 'snapshotVolumes' && side === 'after' && made !== undefined)
        Object.assign(made, { ancestorId: world.volume('web').id });
      return 'go';
    };
    await expect(run(life.create('copy', { from: 'db' }))).rejects.toThrow(
      'not the volume that was asked for',
    );
    expect(life.steps.points.map(({ method }) => method)).not.toContain('renewUuid');
  });

  it('outlives its origin, whose markers go alone', async () => {
    const { world, run, life, kernel } = await aWorld('3.6', { failover: 'always' });
    await run(life.create('copy', { from: 'db' }));
    await run(life.create('never', { from: 'db', failover: 'never' }));
    const markersOf = (id: string): number =>
      [...world.array.volumes.values()].filter(({ name }) => name.endsWith(`.${id}`)).length;
    const ids = [world.volume('db').id, world.volume('copy').id, world.volume('never').id];
    expect(ids.map(markersOf)).toEqual([1, 1, 1]);
    await run(life.remove('copy'));
    expect(ids.map(markersOf)).toEqual([1, 0, 1]);
    kernel.letGo('user');
    await run(life.unmount('db', 'user'));
    await run(life.remove('db'));
    expect(ids.map(markersOf)).toEqual([0, 0, 1]);
    await run(life.mount('never', 'a'));
  });

  it("is not mounted with its origin's label once it is known to have its own", async () => {
    const { world, run, life } = await aWorld();
    await run(life.create('copy', { from: 'db' }));
    await run(life.mount('copy', 'a'));
    await run(life.unmount('copy', 'a'));
    world.content('copy').label = structuredClone(world.content('db').label);
    await expect(run(life.mount('copy', 'a'))).rejects.toThrow('its label is of volume "db"');
  });

  it('bears its new name in its label when it was renamed at the array', async () => {
    const { world, run, life } = await aWorld();
    await run(life.create('copy', { from: 'db' }));
    world.array.rename(world.volume('copy').id, 'docker-web');
    await run(life.mount('web', 'a'));
    expect(world.content('web').label).toMatchObject({ name: 'web', originId: world.volume('db').id });
  });
});
