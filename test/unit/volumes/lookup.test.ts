import { expect, it } from 'vitest';
import type { VolumeName } from '../../../src/volumes/volume.ts';
import { World } from './world/world.ts';

const names = Array.from({ length: 300 }, (_, number) => `v${number}`) as VolumeName[];

/** A host whose plugin has heard of none of the volumes, and whose gateway tells when it is first asked. */
async function burstWorld() {
  const world = new World(2);
  const { life } = world.host(1);
  await world.run(life.create('warm'));
  await world.run(life.get('warm'));
  const { storagePoolId } = world.volume('warm');
  for (const name of names) world.array.add({ name: `docker-${name}`, storagePoolId, createdAtSeconds: 0 });
  const { gateway } = life;
  const asked = Promise.withResolvers<undefined>();
  const find = gateway.findVolumeId.bind(gateway);
  gateway.findVolumeId = async (...request) => {
    asked.resolve(undefined);
    // The rest of the burst arrives while this one is on its way.
    await Promise.resolve();
    return find(...request);
  };
  gateway.calls.clear();
  return { world, life, gateway, asked: asked.promise };
}

it('costs a burst no third call that one of its Gets ran ahead', async () => {
  const { world, life, gateway, asked } = await burstWorld();
  const [first = '', ...rest] = names;
  const ahead = life.get(first);
  const others = asked.then(() => Promise.all(rest.map((name) => life.get(name))));
  const found = await world.run(Promise.all([ahead, others]));
  expect(Object.fromEntries(gateway.calls)).toEqual({ findVolumeId: 1, listVolumes: 1 });
  expect(found.flat().map(({ name }) => name)).toEqual(names);
});

it('answers one name that is asked for again and again meanwhile', async () => {
  const { world, life, gateway, asked } = await burstWorld();
  const [name = ''] = names;
  const ahead = life.get(name);
  const again = asked.then(() => Promise.all([life.get(name), life.get(name)]));
  const found = await world.run(Promise.all([ahead, again]));
  expect(Object.fromEntries(gateway.calls)).toEqual({ findVolumeId: 1, getVolume: 1 });
  expect(found.flat().map((one) => one.name)).toEqual([name, name, name]);
});

it('believes the id that it found only while the volume bears the name', async () => {
  const { world, life, gateway } = await burstWorld();
  const [name = ''] = names;
  const old = world.volume(name);
  const read = gateway.getVolume.bind(gateway);
  let added: string | undefined;
  gateway.getVolume = (...request) => {
    if (old.name !== 'docker-moved') world.array.rename(old.id, 'docker-moved');
    const { storagePoolId } = old;
    added ??= world.array.add({ name: `docker-${name}`, storagePoolId, createdAtSeconds: 0 }).id;
    return read(...request);
  };
  const { status } = await world.run(life.get(name));
  expect(status['id']).toBe(added);
});
