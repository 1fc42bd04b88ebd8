import { describe, expect, it } from 'vitest';
import { VolumeConflictError, VolumeInUseError } from '../../../src/errors.ts';
import type { VolumeId } from '../../../src/array/ids.ts';
import { World } from './world/world.ts';

/** "db" is mounted here and its container gone; while Remove unmaps it, something happens to it at the array. */
async function removalDuring(meanwhile: (world: World, id: VolumeId) => void) {
  const world = new World();
  const { life } = world.host(1);
  await world.run(life.create('db'));
  const { id } = world.volume('db');
  await world.run(life.mount('db', 'a'));
  await world.pass(11_000);
  life.steps.hook = ({ method, side }) => {
    if (method === 'detachVolume' && side === 'after') meanwhile(world, id);
    return 'go';
  };
  return { world, life, removal: world.run(life.remove('db')) };
}

describe('Remove of a volume that has to be let go of first', () => {
  it('removes it', async () => {
    const { world, removal } = await removalDuring(() => undefined);
    await removal;
    expect(world.exists('db')).toBe(false);
    expect(world.leaks()).toEqual([]);
  });

  it('does not remove what was renamed meanwhile, which is not the volume that was asked for (rule 15)', async () => {
    const { world, life, removal } = await removalDuring(({ array }, id) => {
      array.rename(id, 'docker-kept');
    });
    await expect(removal).rejects.toThrow(VolumeConflictError);
    await expect(removal).rejects.toThrow('it was renamed to "docker-kept" at the array meanwhile');
    expect(world.exists('kept')).toBe(true);
    await world.run(life.remove('db'));
    expect(world.exists('kept')).toBe(true);
    expect(world.leaks()).toEqual([]);
  });

  it('is told that it is in use when another host has mapped it at the last moment', async () => {
    const world = new World(2);
    const { life } = world.host(1);
    const other = world.host(2);
    await world.run(life.create('db'));
    const { id } = world.volume('db');
    life.steps.hook = ({ method, side }) => {
      if (method === 'removeVolume' && side === 'before') world.array.map(id, other.sdcId, false);
      return 'go';
    };
    const removal = world.run(life.remove('db'));
    await expect(removal).rejects.toBeInstanceOf(VolumeInUseError);
    await expect(removal).rejects.toThrow('another host mapped it just now; try again');
    expect(world.exists('db')).toBe(true);
  });

  it('succeeds when somebody else removed it meanwhile', async () => {
    const { world, life, removal } = await removalDuring(({ array }, id) => {
      array.remove(id);
    });
    await removal;
    expect(life.host.journal.known('db')).toBeUndefined();
    expect(world.leaks()).toEqual([]);
  });
});
