import { describe, expect, it } from 'vitest';
import { VolumeNotFoundError } from '../../../src/errors.ts';
import type { VolumeId } from '../../../src/array/ids.ts';
import { snapshotArrayName } from '../../../src/volumes/copies/snapshot-names.ts';
import { World } from './world/world.ts';

const ONCE_PER_START = { identity: 1, findHost: 1 };

/** A world whose plugin has been asked everything that is asked once per start. */
async function warmWorld() {
  const world = new World();
  const { life } = world.host(1);
  await world.run(life.create('warm', { failover: 'always' }));
  await world.run(life.get('warm'));
  const calls = async (work: () => Promise<unknown>): Promise<number> => {
    life.gateway.calls.clear();
    await world.run(work());
    return life.gateway.totalCalls;
  };
  return { world, life, calls };
}

function fill(world: World, count: number): void {
  const { storagePoolId } = world.volume('warm');
  for (let number = 0; number < count; number += 1) {
    const id = `f0f0f0f0${number.toString(16).padStart(8, '0')}` as VolumeId;
    world.array.add({ id, name: `docker-v${number}`, storagePoolId, createdAtSeconds: 0 });
  }
}

describe('gateway calls, by the budgets of the design', () => {
  it('creates with at most 6, and one more for a failover policy of its own', async () => {
    const { calls, life } = await warmWorld();
    expect(await calls(() => life.create('db'))).toBe(6);
    const all = {
      fs: 'ext4',
      iops: '100',
      bandwidth: '10MiB',
      subpath: 'a',
      failover: 'never',
      mount: 'noatime',
    };
    expect(await calls(() => life.create('all', all))).toBe(7);
    expect(await calls(() => life.create('db'))).toBe(1);
  });

  it('copies a known volume with one more, an unknown one with 2, and one more for a larger one', async () => {
    const { calls, life, world } = await warmWorld();
    await calls(() => life.create('db'));
    expect(await calls(() => life.create('one', { from: 'db' }))).toBe(7);
    expect(await calls(() => life.create('larger', { from: 'db', size: '24GiB' }))).toBe(8);
    life.host.journal.forget('db');
    expect(await calls(() => life.create('two', { from: 'db' }))).toBe(8);
    expect(await calls(() => life.create('two'))).toBe(1);
    const name = snapshotArrayName(world.volume('db').id, {
      isFrozen: false,
      expiresAtSeconds: null,
      name: 'before',
    });
    world.array.snapshot(world.volume('db').id, name, 0);
    // Whether a volume is called db@before, the volume, and its family.
    expect(await calls(() => life.create('three', { from: 'db@before' }))).toBeLessThanOrEqual(10);
    expect(await calls(() => life.create('four', { from: 'db@before' }))).toBe(9);
  });

  it('creates with one less right after a Get that found no volume, so that a policy fits into 6', async () => {
    const { calls, life, world } = await warmWorld();
    const absent = (name: string): Promise<unknown> =>
      expect(world.run(life.get(name))).rejects.toThrow(VolumeNotFoundError);
    await absent('db');
    expect(await calls(() => life.create('db'))).toBe(5);
    await absent('never');
    expect(await calls(() => life.create('never', { failover: 'never' }))).toBe(6);
    await absent('late');
    await world.pass(5001);
    expect(await calls(() => life.create('late'))).toBe(6);
  });

  it('creates with one more where a full pool shall refuse, and with 2 at most when it does', async () => {
    const world = new World();
    const host = world.host(1);
    host.policy = { ...host.policy, refuseAbovePercent: 90 };
    const { life } = host;
    await world.run(life.create('warm'));
    life.gateway.calls.clear();
    await world.run(life.create('db'));
    expect(life.gateway.totalCalls).toBe(7);
    await expect(world.run(life.get('other'))).rejects.toThrow(VolumeNotFoundError);
    life.gateway.calls.clear();
    await world.run(life.create('other'));
    expect(life.gateway.totalCalls).toBe(6);
    life.gateway.calls.clear();
    world.array.usage = { usedKiB: 95, roomKiB: 100 };
    await expect(world.run(life.create('more'))).rejects.toThrow('is 95.0 % full');
    expect(life.gateway.totalCalls).toBe(2);
    expect(world.array.byName('docker-more')).toBeUndefined();
  });

  it('answers Get of a known volume with 1, and with none when it is mounted here', async () => {
    const { calls, life } = await warmWorld();
    expect(await calls(() => life.get('warm'))).toBe(1);
    expect(await calls(() => life.mount('warm', 'm1'))).toBe(2);
    expect(await calls(() => life.get('warm'))).toBe(0);
  });

  it('mounts a formatted free volume with 2, a second time with none, also where only a Get has seen it', async () => {
    const world = new World(2);
    const other = world.host(2).life;
    await world.run(other.create('db'));
    const { life } = world.host(1);
    await world.run(life.get('db'));
    life.gateway.calls.clear();
    await world.run(life.mount('db', 'm1'));
    expect(Object.fromEntries(life.gateway.calls)).toEqual({
      ...ONCE_PER_START,
      getVolume: 1,
      attachVolume: 1,
    });
    life.gateway.calls.clear();
    await world.run(life.mount('db', 'm2'));
    expect(life.gateway.totalCalls).toBe(0);
  });

  it('answers Path with none', async () => {
    const { calls, life } = await warmWorld();
    await calls(() => life.mount('warm', 'm1'));
    expect(await calls(() => life.driver.path('warm'))).toBe(0);
  });

  it('unmounts the last user with 1, others with none', async () => {
    const { calls, life } = await warmWorld();
    await calls(() => life.mount('warm', 'm1'));
    await calls(() => life.mount('warm', 'm2'));
    expect(await calls(() => life.unmount('warm', 'm1'))).toBe(0);
    expect(await calls(() => life.unmount('warm', 'm2'))).toBe(1);
  });

  it('removes with 2', async () => {
    const { calls, life } = await warmWorld();
    await calls(() => life.create('db'));
    expect(await calls(() => life.remove('db'))).toBe(2);
  });

  it('reconciles with 1 when all is well', async () => {
    const { calls, life } = await warmWorld();
    await calls(() => life.mount('warm', 'm1'));
    // It has a failover policy of its own, so its marker is looked for once after the Mount.
    expect(await calls(() => life.reconcile())).toBe(2);
    expect(await calls(() => life.reconcile())).toBe(1);
  });

  it.each([{ held: 300 }, { held: 100_000 }])(
    'answers a burst of 300 Gets with at most 2, $held volumes on the array, seen here before or not',
    async ({ held }) => {
      const { world, life, calls } = await warmWorld();
      fill(world, held);
      const burst = (): Promise<unknown> =>
        Promise.all(Array.from({ length: 300 }, (_, number) => life.get(`v${number}`)));
      expect(await calls(burst)).toBeLessThanOrEqual(2);
      expect(await calls(burst)).toBeLessThanOrEqual(2);
    },
  );

  it('costs no more calls when the array holds 100,000 volumes', async () => {
    const { world, life, calls } = await warmWorld();
    fill(world, 100_000);
    expect(await calls(() => life.create('db'))).toBe(6);
    expect(await calls(() => life.get('db'))).toBe(1);
    expect(await calls(() => life.mount('db', 'm1'))).toBe(2);
    expect(await calls(() => life.unmount('db', 'm1'))).toBe(1);
    expect(await calls(() => life.remove('db'))).toBe(2);
    expect(await calls(() => life.driver.list(life.call()))).toBe(1);
  });
});
