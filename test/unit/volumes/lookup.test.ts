import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CancelledError, GatewayUnavailableError } from '../../../src/errors.ts';
import type { VolumeId } from '../../../src/array/ids.ts';
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

  it('and read back under another id is no volume, whatever name that one bears', async () => {
    const { world, life } = await scene();
    const right = life.gateway.getVolume.bind(life.gateway);
    life.gateway.getVolume = async (id, signal) => {
      const volume = await right(id, signal);
      return volume && { ...volume, id: 'ffffffffffffffff' as VolumeId, name: 'docker-ghost' };
    };
    await expect(world.run(life.get('ghost'))).rejects.toThrow(GatewayUnavailableError);
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

describe('a burst of Gets of names that this host never saw', () => {
  it('is one question, however its calls are spread over the first moments', async () => {
    const world = new World(2);
    const names = Array.from({ length: 5 }, (_, number) => `v${number}`);
    for (const name of names) await world.run(world.host(2).life.create(name));
    const { life } = world.host(1);
    const gets: Promise<unknown>[] = [];
    for (const name of names) {
      gets.push(life.get(name));
      await world.pass(3);
    }
    await world.run(Promise.all(gets));
    expect(Object.fromEntries(life.gateway.calls)).toMatchObject({ listVolumes: 1 });
    expect([life.gateway.calls.get('findVolumeId'), life.gateway.calls.get('getVolume')]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe('a gateway that does not answer', () => {
  it('makes List refuse within 4 s, which is less than podman waits', async () => {
    const { life } = new World().host(1);
    life.gateway.listVolumeNames = (_pick, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new CancelledError('no answer so far'));
        });
      });
    const before = performance.now();
    await expect(life.driver.list(life.call())).rejects.toThrow('no answer so far');
    expect(performance.now() - before).toBeLessThan(4000);
  });

  it('lets List take its time once the list flows, as long ones do', { timeout: 15_000 }, async () => {
    const { life } = new World().host(1);
    life.gateway.listVolumeNames = async (pick, signal) => {
      const first = pick('docker-first');
      await delay(4500);
      signal.throwIfAborted();
      return [first, pick('docker-last')].flatMap((name) => name ?? []);
    };
    expect((await life.driver.list(life.call())).map(({ name }) => name)).toEqual(['first', 'last']);
  });

  it('makes Get of an unknown name end within 10 s', { timeout: 15_000 }, async () => {
    const world = new World();
    const { life } = world.host(1);
    life.gateway.findVolumeId = (_name, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new CancelledError('no answer so far'));
        });
      });
    const before = performance.now();
    const get = life.get('db');
    await world.pass(1000);
    await expect(get).rejects.toThrow('no answer so far');
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});
