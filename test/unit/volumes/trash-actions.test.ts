import { describe, expect, it } from 'vitest';
import { snapshotArrayName } from '../../../src/volumes/copies/snapshot-names.ts';
import { asVolumeId } from '../../../src/array/ids.ts';
import { VolumeConflictError, VolumeNotFoundError } from '../../../src/errors.ts';
import { trashActionsOn, trashActionsWithout } from '../../../src/volumes/trash/trash-actions.ts';
import { listTrash } from '../../../src/volumes/trash/list-trash.ts';
import { goneName, isInTrash } from '../../../src/volumes/trash/trash-names.ts';
import { UndeleteWatch } from '../../../src/volumes/trash/undelete-watch.ts';
import { GRACE_MS, keepRemoved, useVolume } from './world/scenarios.ts';
import type { Verdict } from './world/steps.ts';
import { World } from './world/world.ts';

const LONG = 'a-name-of-more-characters-than-the-name-in-the-trash-has-room-for';
const MINUTE_MS = 60_000;
const limit = (): AbortSignal => new AbortController().signal;

/** Both hosts keep what they remove. */
async function scene(...names: readonly string[]) {
  const world = new World(2);
  keepRemoved(world, 1);
  keepRemoved(world, 2);
  const [one, two] = [world.host(1), world.host(2)];
  for (const name of names) await world.run(one.life.create(name));
  const watchOf = ({ life: { host } }: typeof one) =>
    new UndeleteWatch({ ...host, prefix: 'docker-' }, { lookMs: MINUTE_MS, lateMs: host.policy.lateMs });
  const watch = watchOf(two);
  const actionsOf = (host: typeof one, its = watchOf(host)) =>
    trashActionsOn(host.life.host, host.life.lock, its);
  const trash = () => world.run(listTrash({ array: two.life.host.array, prefix: 'docker-' }, limit()));
  return { world, one, two, trash, here: actionsOf(one), there: actionsOf(two, watch), watch };
}

describe('undelete', () => {
  it('brings everything back on any host, in three calls, and the host that removed it erases nothing', async () => {
    const { world, one, two, there } = await scene();
    await world.run(one.life.create('db', { failover: 'always', fs: 'ext4', mount: 'commit=30' }));
    world.content('db').files.set('precious', 'yes');
    const { id } = world.volume('db');
    await world.run(one.life.remove('db'));
    two.life.gateway.calls.clear();
    expect(await world.run(there.undelete({ wanted: 'db', as: null }, limit()))).toEqual({
      name: 'db',
      volumeId: id,
    });
    expect(two.life.gateway.totalCalls).toBe(3);
    for (let round = 0; round < 20; round += 1) await world.reconcileAll(1);
    await useVolume(world, 'after');
    expect(world.content('db').files.get('precious')).toBe('yes');
    expect(world.content('db').label).toMatchObject({ name: 'db', failover: 'always' });
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });

  it('stands against an erasing that was begun before and comes late, as often as it comes', async () => {
    const { world, one, two, there, watch } = await scene('db');
    const { id } = world.volume('db');
    await world.run(one.life.remove('db'));
    await world.run(there.undelete({ wanted: 'db', as: null }, limit()));
    await world.run(watch.look(limit()));
    for (let time = 0; time < 2; time += 1) {
      world.array.rename(id, goneName('docker-', id));
      await world.run(watch.look(limit()));
      expect(world.volume('db').id).toBe(id);
      await world.pass(MINUTE_MS);
    }
    // Once no call of before can come any more, nothing is asked.
    await world.pass(10 * MINUTE_MS);
    await world.run(watch.look(limit()));
    two.life.gateway.calls.clear();
    await world.run(watch.look(limit()));
    expect(two.life.gateway.totalCalls).toBe(0);
    await useVolume(world, 'after');
  });

  it('leaves alone what was removed anew, or was given another name', async () => {
    const { world, one, two, there, watch } = await scene('db');
    const { id } = world.volume('db');
    await world.run(one.life.remove('db'));
    await world.run(there.undelete({ wanted: 'db', as: null }, limit()));
    await world.pass(MINUTE_MS);
    await world.run(two.life.remove('db'));
    await world.run(watch.look(limit()));
    world.array.rename(id, goneName('docker-', id));
    await world.run(watch.look(limit()));
    expect(world.array.volumes.get(id)?.name).toBe(goneName('docker-', id));
  });

  it('gives it another name, which the next Mount writes into its label', async () => {
    const { world, one, here } = await scene('db');
    await world.run(one.life.remove('db'));
    await world.run(one.life.create('db'));
    const refused = world.run(here.undelete({ wanted: 'db', as: null }, limit()));
    await expect(refused).rejects.toThrow(VolumeConflictError);
    await expect(refused).rejects.toThrow('another name with --as');
    await world.run(here.undelete({ wanted: 'db', as: 'old' }, limit()));
    expect(one.disk.entries.size).toBe(0);
    await world.run(one.life.mount('old', 'a'));
    expect(world.content('old').label?.name).toBe('old');
  });

  it('knows long names by their whole, and takes an id where several had the name', async () => {
    const { world, one, here, trash } = await scene(LONG, `${LONG}-2`);
    await world.run(one.life.remove(LONG));
    await world.run(one.life.remove(`${LONG}-2`));
    expect((await world.run(here.undelete({ wanted: LONG, as: null }, limit()))).name).toBe(LONG);
    await world.run(one.life.remove(LONG));
    await world.run(one.life.create(LONG));
    await world.run(one.life.remove(LONG));
    const ids = (await trash()).map(({ volumeId }) => volumeId);
    expect(ids).toHaveLength(3);
    const several = world.run(here.undelete({ wanted: LONG, as: null }, limit()));
    await expect(several).rejects.toThrow('there are 2 volumes');
    const [first = ''] = ids;
    await expect(world.run(here.undelete({ wanted: first, as: null }, limit()))).rejects.toThrow('--as');
    await world.run(here.undelete({ wanted: first, as: LONG }, limit()));
    expect((await trash()).map(({ volumeId }) => volumeId)).not.toContain(first);
  });

  it('takes nothing but what is in the trash of this prefix, and nothing that is being erased', async () => {
    const { world, one, here, trash } = await scene('db');
    const { id } = world.volume('db');
    for (const wanted of ['db', id]) {
      await expect(world.run(here.undelete({ wanted, as: 'x' }, limit()))).rejects.toThrow(
        VolumeNotFoundError,
      );
    }
    await world.run(one.life.remove('db'));
    world.array.rename(id, goneName('docker-', id));
    expect(await trash()).toMatchObject([{ volumeId: id, isBeingErased: true }]);
    await expect(world.run(here.undelete({ wanted: id, as: 'x' }, limit()))).rejects.toThrow(
      VolumeNotFoundError,
    );
    world.array.rename(id, goneName('swarm-', id));
    expect(await trash()).toEqual([]);
  });

  it('says so when somebody erases it at the same moment: what is read back decides (rule 15)', async () => {
    const { world, one, two, there } = await scene('db');
    const { id } = world.volume('db');
    await world.run(one.life.remove('db'));
    two.life.steps.hook = ({ method, side }) => {
      if (method === 'renameVolume' && side === 'after') world.array.rename(id, goneName('docker-', id));
      return 'go';
    };
    await expect(world.run(there.undelete({ wanted: 'db', as: null }, limit()))).rejects.toThrow(
      'somebody erases it, or renamed it',
    );
  });

  it('takes its turn after a Create of the name on the same host, and is refused then', async () => {
    const { world, one, two, there } = await scene('db');
    await world.run(one.life.remove('db'));
    await world.run(two.life.create('db'));
    await expect(world.run(there.undelete({ wanted: 'db', as: null }, limit()))).rejects.toThrow(
      'there is a volume of that name',
    );
  });

  it('wins over a Create of the name on another host that has not named its volume yet', async () => {
    const { world, one, two, here } = await scene('db');
    const { id } = world.volume('db');
    await world.run(one.life.remove('db'));
    let isAsked = false;
    two.life.steps.hook = async ({ method, side }): Promise<Verdict> => {
      if (isAsked || method !== 'renameVolume' || side !== 'before') return 'go';
      isAsked = true;
      await here.undelete({ wanted: 'db', as: null }, limit());
      return 'go';
    };
    await world.run(two.life.create('db'));
    expect(isAsked).toBe(true);
    expect(world.volume('db').id).toBe(id);
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });

  it('before the erasing host looks makes it forget the volume, and after its first step finds nothing', async () => {
    const { world, one, there } = await scene('db');
    await world.run(one.life.remove('db'));
    await world.run(one.life.reconcile());
    await world.pass(2 * GRACE_MS + 2 * MINUTE_MS);
    let isAsked = false;
    one.life.steps.hook = async ({ method, side }): Promise<Verdict> => {
      if (isAsked || method !== 'getVolume' || side !== 'before') return 'go';
      isAsked = true;
      await there.undelete({ wanted: 'db', as: null }, limit());
      return 'go';
    };
    await world.run(one.life.reconcile());
    expect(world.exists('db')).toBe(true);
    expect(one.disk.entries.size).toBe(0);
    await world.run(one.life.remove('db'));
    await world.run(one.life.reconcile());
    await world.pass(2 * GRACE_MS + 2 * MINUTE_MS);
    await world.run(one.life.reconcile());
    await expect(world.run(there.undelete({ wanted: 'db', as: null }, limit()))).rejects.toThrow(
      VolumeNotFoundError,
    );
  });
});

describe('erasing by hand', () => {
  it('takes the volume out of reach at once, and the plugin removes it, also after a crash', async () => {
    const { world, one, here, trash } = await scene('db');
    await world.run(one.life.remove('db'));
    const [shown] = await trash();
    if (shown === undefined) throw new Error('nothing in the trash');
    const wanted = { volumeId: shown.volumeId, arrayName: shown.arrayName, withSnapshots: false };
    expect(await world.run(here.eraseTrashed(wanted, limit()))).toEqual({ snapshots: 0 });
    expect(await trash()).toMatchObject([{ isBeingErased: true }]);
    await expect(world.run(here.eraseTrashed(wanted, limit()))).rejects.toThrow('no longer in the trash');
    one.restart();
    await world.reconcileAll(4);
    expect(await trash()).toEqual([]);
    expect(world.leaks()).toEqual([]);
  });

  it('of what another host removed is finished here', async () => {
    const { world, one, there, trash } = await scene('db');
    await world.run(one.life.remove('db'));
    const [shown] = await trash();
    if (shown === undefined) throw new Error('nothing in the trash');
    const { volumeId, arrayName } = shown;
    await world.run(there.eraseTrashed({ volumeId, arrayName, withSnapshots: false }, limit()));
    await world.reconcileAll(8);
    expect(await trash()).toEqual([]);
    expect(world.leaks()).toEqual([]);
  });

  it('removes its snapshots when that is asked for, and never a clone, a marker, or what hangs on something else', async () => {
    const { world, one, here, trash } = await scene();
    await world.run(one.life.create('db', { failover: 'never' }));
    const { id } = world.volume('db');
    const named = (name: string) => snapshotArrayName(id, { isFrozen: true, expiresAtSeconds: null, name });
    world.array.snapshot(id, named('mine'), 0);
    const policys = world.array.snapshot(id, '~policy.1', 0);
    world.array.snapshot(policys.id, '~policy.2', 0);
    world.array.snapshot(id, 'docker-clone', 0);
    world.array.snapshot(id, '~new.00000000.00000000', 0);
    world.array.snapshot(id, 'by-hand', 0);
    await world.run(one.life.remove('db'));
    const [shown] = await trash();
    if (shown === undefined) throw new Error('nothing in the trash');
    const { volumeId, arrayName } = shown;
    expect(await world.run(here.eraseTrashed({ volumeId, arrayName, withSnapshots: true }, limit()))).toEqual(
      { snapshots: 1 },
    );
    expect([...world.array.volumes.values()].map(({ name }) => name).toSorted()).toEqual(
      [
        '~policy.1',
        '~policy.2',
        'docker-clone',
        '~new.00000000.00000000',
        'by-hand',
        `~never.${id}`,
        goneName('docker-', id),
      ].toSorted(),
    );
  });

  it('is refused for what a host has', async () => {
    const { world, one, two, here, trash } = await scene('db');
    const { id } = world.volume('db');
    await world.run(one.life.remove('db'));
    world.array.map(id, two.sdcId, false);
    const [shown] = await trash();
    expect(shown).toMatchObject({ isHad: true });
    const wanted = { volumeId: id, arrayName: shown?.arrayName ?? '', withSnapshots: true };
    await expect(world.run(here.eraseTrashed(wanted, limit()))).rejects.toThrow('a host has it');
  });
});

describe('removing by command', () => {
  it('is as Docker does it, and with now removes the data, too', async () => {
    const { world, here, trash } = await scene('db', 'old');
    await world.run(here.remove({ name: 'db', now: false }, limit()));
    await world.run(here.remove({ name: 'old', now: true }, limit()));
    expect((await trash()).map(({ name }) => name)).toEqual(['db']);
    expect(world.array.volumes.size).toBe(1);
    expect([...world.array.volumes.values()].every(({ name }) => isInTrash(name))).toBe(true);
  });

  it('and erasing need a plugin, which sees it through; bringing back needs none', async () => {
    const { world, one } = await scene('db');
    const { array } = one.life.host;
    const self = trashActionsWithout({
      array,
      prefix: 'docker-',
      clock: world.clock,
      removeGraceMs: GRACE_MS,
    });
    await expect(self.remove({ name: 'db', now: false }, limit())).rejects.toThrow('none runs here');
    const erasure = { volumeId: asVolumeId('a1'), arrayName: '~rm.', withSnapshots: false };
    await expect(self.eraseTrashed(erasure, limit())).rejects.toThrow('none runs here');
    await world.run(one.life.remove('db'));
    await world.run(self.undelete({ wanted: 'db', as: null }, limit()));
    expect(world.exists('db')).toBe(true);
    await world.run(one.life.remove('db'));
    await world.pass(GRACE_MS + MINUTE_MS);
    await expect(world.run(self.undelete({ wanted: 'db', as: null }, limit()))).rejects.toThrow(
      'stays in the trash: its time there is over, and somebody may be erasing it: that takes minutes and a plugin',
    );
    expect(world.exists('db')).toBe(false);
  });
});
