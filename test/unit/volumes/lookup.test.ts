import { describe, expect, it } from 'vitest';
import { GatewayUnavailableError } from '../../../src/errors.ts';
import type { VolumeId } from '../../../src/volumes/volume.ts';
import { World } from './world/world.ts';

/** "other" is on the array, and by the name "ghost" the array answers its id. */
async function scene() {
  const world = new World(2);
  await world.run(world.host(2).life.create('other'));
  world.array.wrongIds.set('docker-ghost', world.volume('other').id);
  return { world, life: world.host(1).life };
}

describe('rule 15: a look-up by name that is answered with the id of another volume', () => {
  it.each(['get', 'remove', 'create'] as const)('is no volume and no absence for %s', async (verb) => {
    const { world, life } = await scene();
    await expect(world.run<unknown>(life[verb]('ghost'))).rejects.toThrow(GatewayUnavailableError);
    await expect(world.run<unknown>(life[verb]('ghost'))).rejects.toThrow('bears the name "docker-other"');
    expect(world.exists('other')).toBe(true);
    expect(world.exists('ghost')).toBe(false);
    expect(life.host.journal.known('ghost')).toBeUndefined();
  });

  it('is nothing to mount', async () => {
    const { world, life } = await scene();
    await expect(world.run(life.mount('ghost', 'm1'))).rejects.toThrow(GatewayUnavailableError);
    expect(world.volume('other').mappings.size).toBe(0);
  });

  it('that does not exist is no absence either', async () => {
    const { world, life } = await scene();
    world.array.wrongIds.set('docker-ghost', 'ffffffffffffffff' as VolumeId);
    await expect(world.run(life.remove('ghost'))).rejects.toThrow('which does not exist');
  });

  it('is asked again once, so that a rename between the two questions is got over', async () => {
    const { world, life } = await scene();
    const right = life.gateway.getVolume.bind(life.gateway);
    life.gateway.getVolume = (id, signal) => {
      world.array.wrongIds.clear();
      return right(id, signal);
    };
    await expect(world.run(life.get('ghost'))).rejects.toThrow('no volume "ghost" on the array');
  });

  it('leaves what an unfinished Create named alone', async () => {
    const { world, life } = await scene();
    const made = life.gateway.createVolume.bind(life.gateway);
    life.gateway.createVolume = async (volume, signal) => {
      await made(volume, signal);
      world.array.wrongIds.set(volume.name, world.volume('other').id);
      throw new GatewayUnavailableError('the answer got lost');
    };
    await expect(world.run(life.create('db'))).rejects.toThrow('the answer got lost');
    expect(world.exists('other')).toBe(true);
  });
});
