import { describe, expect, it } from 'vitest';
import { VolumeConflictError, VolumeNotFoundError } from '../../../src/errors.ts';
import { World } from './world/world.ts';

/** Host 1 was just asked for "db", which is not there, as an engine asks before it creates. */
async function afterGet() {
  const world = new World(2);
  const { life } = world.host(1);
  const rival = world.host(2).life;
  const askFor = (name: string): Promise<void> =>
    expect(world.run(life.get(name))).rejects.toThrow(VolumeNotFoundError);
  await askFor('db');
  const callsOf = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
    life.gateway.calls.clear();
    await world.run(work());
    return Object.fromEntries(life.gateway.calls);
  };
  return { world, life, rival, askFor, callsOf };
}

describe('Create right after a Get that found no volume', () => {
  it('does not look for it again', async () => {
    const { life, callsOf } = await afterGet();
    expect(await callsOf(() => life.create('db'))).not.toHaveProperty('findVolumeId');
  });

  it.each([{}, { failover: 'never' }, { readonly: 'true' }])(
    'is success when another host made the same %j meanwhile, whose volume stays as it is',
    async (options) => {
      const { world, life, rival } = await afterGet();
      await world.run(rival.create('db', options));
      const { id, content } = world.volume('db');
      await world.run(life.create('db', options));
      expect(world.volume('db')).toMatchObject({ id, content });
      await world.reconcileAll();
      expect(world.leaks()).toEqual([]);
    },
  );

  it('is a conflict when another host made another volume of the name meanwhile, and leaves nothing', async () => {
    const { world, life, rival } = await afterGet();
    await world.run(rival.create('db', { size: '64GiB' }));
    const { id } = world.volume('db');
    await expect(world.run(life.create('db', { size: '8GiB' }))).rejects.toThrow(VolumeConflictError);
    expect(world.volume('db').id).toBe(id);
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });

  it('looks for it when it is tried again', async () => {
    const { life, world, callsOf } = await afterGet();
    const right = life.gateway.createVolume.bind(life.gateway);
    life.gateway.createVolume = () => Promise.reject(new VolumeConflictError('not now'));
    await expect(world.run(life.create('db'))).rejects.toThrow('not now');
    life.gateway.createVolume = right;
    expect(await callsOf(() => life.create('db'))).toHaveProperty('findVolumeId');
  });

  it('looks for it when the volume was made here since, though a Get that came in between found none', async () => {
    const { life, world, callsOf } = await afterGet();
    const right = life.gateway.createVolume.bind(life.gateway);
    life.gateway.createVolume = async (volume, signal) => {
      await expect(life.get('db')).rejects.toThrow(VolumeNotFoundError);
      return right(volume, signal);
    };
    await world.run(life.create('db'));
    life.gateway.createVolume = right;
    expect(await callsOf(() => life.create('db'))).toEqual({ getVolume: 1 });
  });

  it('looks for it when the Get is no news any more, and for others than the one that was asked for', async () => {
    const { life, world, askFor, callsOf } = await afterGet();
    expect(await callsOf(() => life.create('other'))).toHaveProperty('findVolumeId');
    await world.pass(5001);
    await askFor('third');
    expect(await callsOf(() => life.create('db'))).toHaveProperty('findVolumeId');
  });
});
