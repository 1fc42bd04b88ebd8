import { describe, expect, it } from 'vitest';
import type { Point, Side } from './world/steps.ts';
import { World } from './world/world.ts';

/** "precious" is another volume of this host, whose disk gets the device of the one that is worked on. */
async function scene() {
  const world = new World(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  const { life, kernel, sdcId } = world.host(1);
  await run(life.create('precious'));
  await run(life.create('db', { fs: 'ext4', size: '8GiB' }));
  const precious = structuredClone(world.content('precious'));
  const swapAt = (method: string, side: Side, id: () => string | undefined): void => {
    life.steps.hook = (point: Point) => {
      const volumeId = id();
      if (point.method === method && point.side === side && volumeId !== undefined) {
        kernel.swapped.set(volumeId as never, world.volume('precious'));
      }
      return 'go';
    };
  };
  const provisional = () =>
    [...world.array.volumes.values()].find(({ name }) => name.startsWith('~new.'))?.id;
  return { world, run, life, kernel, sdcId, precious, swapAt, provisional };
}

const refused = { code: 'SDC', problem: 'device-mismatch' };

describe('Create, whose device becomes another volume,', () => {
  it.each<[string, Side]>([
    ['proveBlank', 'after'],
    ['make', 'after'],
    ['mount', 'after'],
    ['writeLabel', 'after'],
  ])('is refused %s (%s), and the other volume is as it was', async (method, side) => {
    const { world, run, life, precious, swapAt, provisional } = await scene();
    swapAt(method, side, provisional);
    await expect(run(life.create('web', { fs: 'ext4' }))).rejects.toMatchObject(refused);
    expect(world.exists('web')).toBe(false);
    expect(world.content('precious')).toEqual(precious);
    expect(world.array.violations).toEqual([]);
  });
});

describe('Mount, whose device becomes another volume,', () => {
  it.each<[string, Side]>([
    ['probe', 'after'],
    ['check', 'after'],
    ['mount', 'before'],
    ['mount', 'after'],
    ['readLabel', 'after'],
    ['grow', 'after'],
    ['assertVisibleToHost', 'after'],
  ])('hands nothing out (%s, %s) and leaves nothing mounted', async (method, side) => {
    const { world, run, life, kernel, precious, swapAt } = await scene();
    swapAt(method, side, () => world.volume('db').id);
    await expect(run(life.mount('db', 'a'))).rejects.toMatchObject({
      code: expect.stringMatching(/SDC|FILESYSTEM/) as string,
    });
    expect(kernel.mounts).toEqual([]);
    expect(world.content('precious')).toEqual(precious);
    kernel.swapped.clear();
    life.steps.hook = () => 'go';
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
    await expect(run(life.mount('db', 'a'))).resolves.toBe('/run/volumes/docker-db');
  });
});

it('no device is held any more when its volume is unmapped, however the call ends', async () => {
  for (const failing of ['none', 'make', 'mount', 'writeLabel', 'prepareMountpoint', 'grow']) {
    const { run, life } = await scene();
    const held: number[] = [];
    life.steps.hook = ({ method, side }) => {
      if (method === 'unmapVolume' && side === 'before') held.push(life.sdc.held.size);
      return method === failing && side === 'after' ? new Error('it fails') : 'go';
    };
    const calls = [() => life.create('web'), () => life.mount('db', 'a'), () => life.unmount('db', 'a')];
    for (const call of calls) await Promise.allSettled([run<unknown>(call())]);
    expect(held.length).toBeGreaterThan(0);
    expect(held.every((count) => count === 0)).toBe(true);
    expect(life.sdc.held.size).toBe(0);
  }
});
