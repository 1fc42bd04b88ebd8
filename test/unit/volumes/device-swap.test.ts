import { describe, expect, it } from 'vitest';
import type { VolumeId } from '../../../src/array/ids.ts';
import type { Point, Side } from './world/steps.ts';
import { World } from './world/world.ts';

/** Steps that read or write the device, or hand it out. */
const USES = new Set([
  'proveBlank',
  'make',
  'check',
  'mount',
  'prepareRoot',
  'writeLabel',
  'readLabel',
  'grow',
]);

/** "precious" is another volume of this host, whose disk gets the device of the one that is worked on. */
async function scene() {
  const world = new World(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  const { life, kernel, sdcId } = world.host(1);
  await run(life.create('precious'));
  await run(life.create('db', { fs: 'ext4', size: '8GiB' }));
  const precious = structuredClone(world.content('precious'));
  /** Answers what was done with the device from then on, up to the undoing. */
  const swapAt = (method: string, side: Side, id: () => VolumeId | undefined): string[] => {
    const uses: string[] = [];
    life.steps.hook = (point: Point) => {
      const volumeId = id();
      const isSwapped = kernel.swapped.size > 0;
      if (isSwapped && point.side === 'before' && USES.has(point.method)) uses.push(point.method);
      if (point.method === method && point.side === side && volumeId !== undefined)
        kernel.swapped.set(volumeId, world.volume('precious'));
      return 'go';
    };
    return uses;
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
    const uses = swapAt(method, side, provisional);
    await expect(run(life.create('web', { fs: 'ext4' }))).rejects.toMatchObject(refused);
    expect(world.exists('web')).toBe(false);
    expect(uses).toEqual([]);
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
    const uses = swapAt(method, side, () => world.volume('db').id);
    await expect(run(life.mount('db', 'a'))).rejects.toMatchObject({
      code: expect.stringMatching(/SDC|FILESYSTEM/) as string,
    });
    expect(uses).toEqual([]);
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
      if (method === 'detachVolume' && side === 'before') held.push(life.sdc.held.size);
      return method === failing && side === 'after' ? new Error('it fails') : 'go';
    };
    const calls = [() => life.create('web'), () => life.mount('db', 'a'), () => life.unmount('db', 'a')];
    for (const call of calls) await Promise.allSettled([run<unknown>(call())]);
    expect(held.length).toBeGreaterThan(0);
    expect(held.every((count) => count === 0)).toBe(true);
    expect(life.sdc.held.size).toBe(0);
  }
});
