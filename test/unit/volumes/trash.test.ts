import { describe, expect, it } from 'vitest';
import type { PolicyId, VolumeId } from '../../../src/array/ids.ts';
import { goneName, trashFacts, trashName } from '../../../src/volumes/trash/trash-names.ts';
import { GRACE_MS, keepRemoved } from './world/scenarios.ts';
import type { StoredVolume } from './world/fake-array.ts';
import { World } from './world/world.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Host 1 keeps what it removes; "db" has been removed there, with something written. */
async function removed(options: Record<string, string> = {}, hosts = 1) {
  const world = new World(hosts);
  keepRemoved(world);
  const host = world.host(1);
  await world.run(host.life.create('db', options));
  const volume = world.volume('db');
  world.content('db').files.set('precious', 'yes');
  host.life.gateway.calls.clear();
  await world.run(host.life.remove('db'));
  const calls = host.life.gateway.totalCalls;
  // The array's own object changes with the volume.
  return { world, host, volume, calls, inTrash: volume.name };
}

/** A round a minute. */
async function rounds(world: World, forMs: number): Promise<void> {
  for (let passed = 0; passed < forMs; passed += MINUTE_MS) {
    await world.run(world.host(1).life.reconcile());
    await world.pass(MINUTE_MS);
  }
}

const isThere = (world: World, { id }: StoredVolume): boolean => world.array.volumes.has(id);
const nameOf = (world: World, id: VolumeId): string | undefined => world.array.volumes.get(id)?.name;

describe('Remove with a grace', () => {
  it('costs as many calls as one without, and takes nothing from the volume but its name', async () => {
    const { world, volume, calls } = await removed({ failover: 'always' });
    expect(calls).toBe(2);
    expect(trashFacts('docker-', volume.name)).toMatchObject({
      name: 'db',
      removedAtMs: Math.floor(world.clock.now() / MINUTE_MS) * MINUTE_MS,
    });
    expect(volume.content).toMatchObject({ kind: 'filesystem' });
    expect([...world.array.volumes.values()].map(({ name }) => name)).toEqual([
      volume.name,
      `~always.${volume.id}`,
    ]);
  });

  it('whose renaming comes when another host has just mounted the volume takes it from nobody', async () => {
    const world = new World(2);
    const [one, two] = [world.host(1), world.host(2)];
    for (const name of ['db', 'idle', 'taken']) await world.run(one.life.create(name));
    const idOf = Object.fromEntries(['db', 'idle', 'taken'].map((name) => [name, world.volume(name).id]));
    const remove = (name: string): void => {
      const id = idOf[name] as VolumeId;
      world.array.rename(id, trashName('docker-', name, id, world.clock.now()));
    };
    await world.run(two.life.mount('db', 'a'));
    await world.run(two.life.mount('taken', 'a'));
    remove('db');
    remove('idle');
    await world.reconcileAll(1);
    expect(world.volume('db').id).toBe(idOf['db']);
    expect(world.exists('idle')).toBe(false);
    // Where somebody has made another of the name meanwhile, nobody loses anything.
    remove('taken');
    await world.run(one.life.create('taken'));
    await world.reconcileAll(2);
    expect(world.volume('taken').id).not.toBe(idOf['taken']);
    expect(trashFacts('docker-', nameOf(world, idOf['taken'] as VolumeId) ?? '')?.name).toBe('taken');
    expect(two.life.lines.filter((line) => line.includes('stays in the trash'))).not.toEqual([]);
    await world.run(two.life.unmount('db', 'a'));
    await world.run(two.life.unmount('taken', 'a'));
  });

  it('frees the name at once, for the same host and others', async () => {
    const { world, volume } = await removed({}, 2);
    await world.run(world.host(1).life.create('db'));
    expect(world.volume('db').id).not.toBe(volume.id);
    await world.run(world.host(1).life.remove('db'));
    await expect(world.run(world.host(2).life.get('db'))).rejects.toThrow();
    await world.run(world.host(2).life.create('db'));
    expect(isThere(world, volume)).toBe(true);
    const names = (await world.run(world.host(2).life.driver.list(world.host(2).life.call()))).map(
      ({ name }) => name,
    );
    expect(names).toEqual(['db']);
  });

  it('is refused, and the volume as it was, when one of that name was removed in the same minute and looks the same', async () => {
    const world = new World();
    keepRemoved(world);
    const { life, disk } = world.host(1);
    await world.run(life.create('db'));
    const { id } = world.volume('db');
    const { id: other } = world.array.add({
      name: trashName('docker-', 'db', id, world.clock.now()),
      sizeKiB: 8_388_608,
      kind: 'thin',
      storagePoolId: world.volume('db').storagePoolId,
      createdAtSeconds: 0,
    });
    await expect(world.run(life.remove('db'))).rejects.toThrow('try again in the next');
    expect(world.volume('db').id).toBe(id);
    expect(disk.entries.size).toBe(0);
    world.array.remove(other);
    await world.run(life.remove('db'));
    expect(world.exists('db')).toBe(false);
  });
});

describe('a volume whose grace is over', () => {
  it('is erased in two steps by the host that removed it, with its marker and no other snapshot', async () => {
    const { world, host, volume, inTrash } = await removed({ failover: 'always' });
    await world.run(
      host.life.gateway.snapshotVolume(volume.id, trashName('', 'x', volume.id, 0), host.life.call().signal),
    );
    await rounds(world, 2 * GRACE_MS);
    expect(nameOf(world, volume.id)).toBe(inTrash);
    await world.pass(2 * MINUTE_MS);
    await world.run(host.life.reconcile());
    expect(nameOf(world, volume.id)).toBe(goneName('docker-', volume.id));
    await world.pass(MINUTE_MS - 1);
    await world.run(host.life.reconcile());
    expect(isThere(world, volume)).toBe(true);
    await world.pass(1);
    await world.run(host.life.reconcile());
    expect([...world.array.volumes.values()].map(({ name }) => name)).toEqual([
      trashName('', 'x', volume.id, 0),
    ]);
    expect(host.disk.entries.size).toBe(0);
  });

  it('costs a call when it is first seen, and none until its time', async () => {
    const { world, host } = await removed();
    await world.run(host.life.reconcile());
    host.life.gateway.calls.clear();
    await world.run(host.life.reconcile());
    expect([...host.life.gateway.calls.keys()]).toEqual(['volumesOfHost']);
  });

  it('stays for as long as this run has not seen it itself, wherever the clock is set', async () => {
    const { world, host, volume, inTrash } = await removed();
    await world.run(host.life.reconcile());
    world.clock.setBy(30 * DAY_MS);
    await world.pass(GRACE_MS - 1);
    await world.run(host.life.reconcile());
    expect(nameOf(world, volume.id)).toBe(inTrash);
    host.restart();
    await world.run(host.life.reconcile());
    await world.pass(GRACE_MS - 1);
    await world.run(host.life.reconcile());
    expect(nameOf(world, volume.id)).toBe(inTrash);
    await world.pass(1);
    await world.run(host.life.reconcile());
    expect(nameOf(world, volume.id)).toBe(goneName('docker-', volume.id));
  });

  it('stays while its Remove is still to come', async () => {
    const { world, volume, inTrash } = await removed();
    world.clock.setBy(-DAY_MS);
    await rounds(world, 12 * GRACE_MS);
    expect(nameOf(world, volume.id)).toBe(inTrash);
  });

  it('stays while a host has it, and goes afterwards', async () => {
    const { world, host, volume, inTrash } = await removed({}, 2);
    world.array.map(volume.id, world.host(2).sdcId, false);
    await rounds(world, 6 * GRACE_MS);
    expect(nameOf(world, volume.id)).toBe(inTrash);
    expect(host.life.lines.filter((line) => line.includes('stays as it is'))).toHaveLength(1);
    world.array.unmap(volume.id, world.host(2).sdcId, world.host(2).sdcId);
    await rounds(world, 2 * GRACE_MS);
    expect(isThere(world, volume)).toBe(false);
  });

  it('stays when a host has got it between the two steps', async () => {
    const { world, host, volume } = await removed({}, 2);
    await rounds(world, 2 * GRACE_MS + MINUTE_MS);
    await world.run(host.life.reconcile());
    expect(nameOf(world, volume.id)).toBe(goneName('docker-', volume.id));
    world.array.map(volume.id, world.host(2).sdcId, false);
    await rounds(world, 3 * GRACE_MS);
    expect(isThere(world, volume)).toBe(true);
  });

  it('stays when it was made after the time at which its name says that it was removed', async () => {
    const { world, host, volume, inTrash } = await removed();
    Object.assign(volume, { createdAtSeconds: world.clock.now() / 1000 + 7 * 60 });
    await rounds(world, 6 * GRACE_MS);
    expect(nameOf(world, volume.id)).toBe(inTrash);
    expect(host.life.lines.join()).toContain('so a clock is wrong');
  });

  it.each(['trashed', 'erasing'])(
    'is forgotten, and stays, when it was brought back while %s',
    async (when) => {
      const { world, host, volume } = await removed();
      await rounds(world, MINUTE_MS);
      if (when === 'erasing') await rounds(world, 2 * GRACE_MS + MINUTE_MS);
      expect([...host.disk.entries.values()].map(({ phase }) => phase)).toEqual([when]);
      world.array.rename(volume.id, 'docker-db');
      await rounds(world, 4 * GRACE_MS);
      expect(world.content('db').files.get('precious')).toBe('yes');
      expect(host.disk.entries.size).toBe(0);
    },
  );

  it('is finished by this host where a steward began and did not end', async () => {
    const { world, volume } = await removed();
    world.array.rename(volume.id, goneName('docker-', volume.id));
    await world.run(world.host(1).life.reconcile());
    await world.pass(MINUTE_MS - 1);
    await world.run(world.host(1).life.reconcile());
    expect(isThere(world, volume)).toBe(true);
    await world.pass(1);
    await world.run(world.host(1).life.reconcile());
    expect(isThere(world, volume)).toBe(false);
  });

  it('goes from the array also when a policy takes snapshots of it, and those stay', async () => {
    const { world, host, volume } = await removed();
    volume.policyId = 'f000000000000001' as PolicyId;
    const { id } = world.array.snapshot(volume.id, 'hourly', 0);
    await rounds(world, 4 * GRACE_MS);
    expect(isThere(world, volume)).toBe(false);
    expect(host.life.gateway.calls.get('removePolicySource')).toBe(1);
    expect(nameOf(world, id)).toBe('hourly');
  });

  it('has its day when the operator says later that there shall be no grace', async () => {
    const { world, host, volume } = await removed();
    host.policy = { ...host.policy, removeGraceMs: 0 };
    host.restart();
    await rounds(world, 20 * GRACE_MS);
    expect(isThere(world, volume)).toBe(true);
    await world.pass(DAY_MS + 30 * GRACE_MS);
    await rounds(world, 4 * MINUTE_MS);
    expect(isThere(world, volume)).toBe(false);
  });

  it('is left alone by a host that may be another than the one that removed it', async () => {
    const { world, host, volume } = await removed();
    // A round tells who this is by what it has mapped.
    await world.run(host.life.create('other'));
    await world.run(host.life.mount('other', 'a'));
    host.isSeenAt('10.9.9.9');
    host.reboot();
    await rounds(world, 6 * GRACE_MS);
    expect(isThere(world, volume)).toBe(true);
    host.isSeenAt(host.ip);
    host.restart();
    await rounds(world, 6 * GRACE_MS);
    expect(isThere(world, volume)).toBe(false);
  });
});
