import { describe, expect, it } from 'vitest';
import {
  FilesystemError,
  GatewayUnavailableError,
  VolumeConflictError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../../src/errors.ts';
import type { VolumeName } from '../../../src/volumes/volume.ts';
import { VolumeLookup } from '../../../src/volumes/life/lookup.ts';
import { World } from './world/world.ts';

/** Two hosts and a volume "db" with data, made on host 1, seen by both. */
async function twoHosts(options: Record<string, string> = {}) {
  const world = new World(2);
  const [one, two] = [world.host(1), world.host(2)];
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(one.life.create('db', options));
  world.content('db').files.set('precious', 'data');
  await run(two.life.get('db'));
  return { world, one, two, run };
}

describe('rule 1, one writer', () => {
  it('a writable volume is mapped with the array refusing a second SDC', async () => {
    const { world, one, two, run } = await twoHosts();
    await run(one.life.mount('db', 'a'));
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(
      'held by host host1 (10.0.0.1), which is connected to the array',
    );
    expect([...world.volume('db').mappings.keys()]).toEqual([one.sdcId]);
    expect(world.array.violations).toEqual([]);
  });

  it('a volume that is mapped to all SDCs is not mounted', async () => {
    const { world, one, run } = await twoHosts();
    world.volume('db').mappedToAllSdcs = true;
    await expect(run(one.life.mount('db', 'a'))).rejects.toThrow('is mapped to all SDCs');
    expect(one.kernel.mounts).toEqual([]);
  });

  it('a volume that the array limits to reading is mounted read-only on many', async () => {
    const { world, one, two, run } = await twoHosts({ readonly: 'true' });
    await run(one.life.mount('db', 'a'));
    await run(two.life.mount('db', 'b'));
    expect(world.volume('db').mappings.size).toBe(2);
    expect([...one.kernel.mounts, ...two.kernel.mounts].map(({ readOnly }) => readOnly)).toEqual([
      true,
      true,
    ]);
    await run(one.life.unmount('db', 'a'));
    expect([...world.volume('db').mappings.keys()]).toEqual([two.sdcId]);
  });
});

describe('rule 2, fence before attach', () => {
  it('no call of one host takes the volume from another', async () => {
    const { world, one, two, run } = await twoHosts();
    await run(one.life.mount('db', 'a'));
    one.kernel.bind('a', '/run/volumes/docker-db');
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow(VolumeInUseError);
    await expect(run(two.life.remove('db'))).rejects.toThrow('it is mapped to host host1 (10.0.0.1)');
    await run(two.life.unmount('db', 'b'));
    await run(two.life.reconcile());
    two.restart();
    await world.reconcileAll();
    one.kernel.write('a', 'still', 'mine');
    expect(world.array.violations).toEqual([]);
  });

  it('a host that lost the volume cleans up by itself and does not take it back', async () => {
    const { world, one, two, run } = await twoHosts();
    await run(one.life.mount('db', 'a'));
    one.kernel.wasFenced = () => true;
    world.array.unmap(world.volume('db').id, one.sdcId);
    await run(two.life.mount('db', 'b'));
    expect((await run(one.life.reconcile())).lost).toEqual(['db']);
    expect(one.kernel.mounts).toEqual([]);
    await world.reconcileAll();
    expect([...world.volume('db').mappings.keys()]).toEqual([two.sdcId]);
    await run(one.life.unmount('db', 'a'));
    expect([...world.volume('db').mappings.keys()]).toEqual([two.sdcId]);
  });
});

describe('rule 3, mount never formats', () => {
  it.each([
    { content: { kind: 'blank' }, refusal: FilesystemError },
    { content: { kind: 'foreign', what: 'LVM2_member' }, refusal: VolumeConflictError },
    { content: { kind: 'torn' }, refusal: VolumeConflictError },
  ] as const)('Mount of a volume with $content.kind content is refused', async ({ content, refusal }) => {
    const { world, one, run } = await twoHosts();
    world.volume('db').content = content;
    await expect(run(one.life.mount('db', 'a'))).rejects.toThrow(refusal);
    expect(world.volume('db').content).toBe(content);
    expect(world.leaks()).toEqual([]);
  });

  it('Create formats nothing that is not proven blank', async () => {
    const world = new World();
    const { life } = world.host(1);
    life.steps.hook = ({ method, side }) => {
      if (method === 'waitForDevice' && side === 'after') {
        for (const volume of world.array.volumes.values())
          volume.content = { kind: 'foreign', what: 'old data' };
      }
      return 'go';
    };
    await expect(world.run(life.create('db'))).rejects.toThrow(FilesystemError);
    expect(world.leaks()).toEqual([]);
    expect(world.exists('db')).toBe(false);
  });
});

describe('rule 4, a name means complete', () => {
  it.each([
    {},
    { fs: 'ext4', subpath: 'data', uid: '70', mode: '700', failover: 'always', readonly: 'true' },
  ])('from the first moment that the name is there, with %j', async (options: Record<string, string>) => {
    const world = new World();
    const { life } = world.host(1);
    const whenNamed: unknown[] = [];
    life.steps.hook = () => {
      const volume = world.array.byName('docker-db');
      if (volume !== undefined && whenNamed.length === 0) {
        whenNamed.push(structuredClone({ ...world.array.describe(volume), content: volume.content }));
      }
      return 'go';
    };
    await world.run(life.create('db', options));
    const { content, ...volume } = structuredClone({
      ...world.array.describe(world.volume('db')),
      content: world.volume('db').content,
    });
    expect(whenNamed).toEqual([{ ...volume, content }]);
    expect(volume.attachments).toEqual([]);
    expect(content).toMatchObject({ kind: 'filesystem', lostFound: false, label: { name: 'db' } });
  });
});

describe('rule 5, never unmap what the kernel still holds', () => {
  it('the mapping stays until the device can be opened exclusively', async () => {
    const { world, one, run } = await twoHosts();
    one.kernel.bind('a', await run(one.life.mount('db', 'a')));
    await run(one.life.unmount('db', 'a'));
    for (let round = 0; round < 3; round += 1) {
      expect((await run(one.life.reconcile())).postponed).toEqual(['db']);
      one.kernel.write('a', 'file', `round ${round}`);
    }
    one.kernel.letGo('a');
    expect((await run(one.life.reconcile())).finished).toEqual(['db']);
    expect(world.leaks()).toEqual([]);
  });

  it('also when udev has lost the link to the device', async () => {
    const { world, one, run } = await twoHosts();
    one.kernel.bind('a', await run(one.life.mount('db', 'a')));
    one.life.sdc.linksLost = true;
    await run(one.life.unmount('db', 'a'));
    expect(world.volume('db').mappings.size).toBe(1);
    one.life.sdc.linksLost = false;
    one.kernel.letGo('a');
    await run(one.life.reconcile());
    expect(world.leaks()).toEqual([]);
  });

  it('also when a file is open at the mountpoint itself', async () => {
    const { world, one, run } = await twoHosts();
    const path = await run(one.life.mount('db', 'a'));
    one.kernel.openFiles.add(path);
    await run(one.life.unmount('db', 'a'));
    expect(world.volume('db').mappings.size).toBe(1);
    one.kernel.openFiles.clear();
    await run(one.life.reconcile());
    expect(world.leaks()).toEqual([]);
  });
});

describe('rule 6, a set of Mount IDs on disk, tied to the boot', () => {
  it('an ID counts once, and survives the plugin', async () => {
    const { world, one, run } = await twoHosts();
    await run(one.life.mount('db', 'a'));
    await run(one.life.mount('db', 'a'));
    await run(one.life.mount('db', 'b'));
    expect(one.disk.entries.get('db')?.holders).toEqual(['a', 'b']);
    one.restart();
    await run(one.life.unmount('db', 'a'));
    expect(one.kernel.mounts).toHaveLength(1);
    await run(one.life.unmount('db', 'b'));
    expect(world.leaks()).toEqual([]);
  });

  it('IDs of an earlier boot hold nothing', async () => {
    const { world, one, run } = await twoHosts();
    await run(one.life.mount('db', 'a'));
    one.reboot();
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
    expect(world.content('db').files.get('precious')).toBe('data');
  });

  it('IDs of an earlier life hold nothing that the kernel does not use', async () => {
    const { world, one, run } = await twoHosts();
    await run(one.life.mount('db', 'a'));
    one.restart();
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });
});

describe('rule 7, Get and Unmount do not need the gateway', () => {
  it('for what this host has mounted, with no call at all', async () => {
    const { one, run } = await twoHosts();
    await run(one.life.mount('db', 'a'));
    one.restart();
    one.gatewayUp = false;
    await expect(run(one.life.get('db'))).resolves.toMatchObject({
      name: 'db',
      status: { mountedHere: true },
    });
    expect(one.life.gateway.totalCalls).toBe(0);
    await expect(run(one.life.unmount('db', 'a'))).resolves.toBeUndefined();
    await expect(run(one.life.get('db'))).resolves.toMatchObject({ name: 'db', status: { stale: true } });
  });

  it('and a volume that truly is gone is not kept alive by memory', async () => {
    const { world, one, run } = await twoHosts();
    world.array.remove(world.volume('db').id);
    await expect(run(one.life.get('db'))).rejects.toThrow(VolumeNotFoundError);
    one.gatewayUp = false;
    await expect(run(one.life.get('db'))).rejects.toThrow(GatewayUnavailableError);
  });
});

describe('rule 9, Mount answers only what the host sees', () => {
  it('a mount that the host does not see is refused and undone', async () => {
    const { world, one, run } = await twoHosts();
    one.kernel.cutsPropagation = true;
    await expect(run(one.life.mount('db', 'a'))).rejects.toThrow('the host does not see');
    expect(world.leaks()).toEqual([]);
  });

  it('a mount that the host lost is not given to a second container', async () => {
    const { one, run } = await twoHosts();
    await run(one.life.mount('db', 'a'));
    for (const mount of one.kernel.mounts) mount.visibleToHost = false;
    await expect(run(one.life.mount('db', 'b'))).rejects.toThrow('the host does not see');
    await expect(run(one.life.driver.path('db'))).resolves.toBe('');
  });

  it('what was unmounted behind our back is mounted again, not answered from memory', async () => {
    const { one, run } = await twoHosts();
    const path = await run(one.life.mount('db', 'a'));
    one.kernel.unmount(path, true);
    one.kernel.bind('b', await run(one.life.mount('db', 'b')));
    one.kernel.write('b', 'file', 'data');
  });
});

describe('rule 10, names are exact', () => {
  const long = 'x'.repeat(40);

  it.each([
    ['db', 'DB'],
    [`${long}a`, `${long}b`],
    ['x'.repeat(24), 'x'.repeat(25)],
  ])('"%s" and "%s" are two volumes', async (name, other) => {
    const world = new World();
    const { life } = world.host(1);
    await world.run(life.create(name));
    await expect(world.run(life.get(other))).rejects.toThrow(VolumeNotFoundError);
    await world.run(life.create(other));
    await world.run(life.remove(name));
    await expect(world.run(life.get(other))).resolves.toMatchObject({ name: other });
  });

  it('an id is believed only while its volume bears the name', async () => {
    const { world, one, run } = await twoHosts();
    const { id, storagePoolId } = world.volume('db');
    world.array.rename(id, 'docker-old');
    const next = world.array.add({ name: 'docker-db', storagePoolId, createdAtSeconds: 0 });
    const found = await run(new VolumeLookup(one.life.host).find('db' as VolumeName, one.life.call().signal));
    expect(found?.id).toBe(next.id);
  });

  it('also when several ids are asked for at once', async () => {
    const { world, one, run } = await twoHosts();
    await run(one.life.create('other'));
    const { id, storagePoolId } = world.volume('db');
    world.array.rename(id, 'docker-old');
    const next = world.array.add({ name: 'docker-db', storagePoolId, createdAtSeconds: 0 });
    const both = await run(Promise.all([one.life.get('db'), one.life.get('other')]));
    expect(both.map(({ status }) => status['id'])).toEqual([next.id, world.volume('other').id]);
  });
});
