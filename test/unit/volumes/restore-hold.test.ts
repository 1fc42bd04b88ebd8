import { expect, it } from 'vitest';
import { asArrayName, asSystemId, type VolumeId } from '../../../src/array/ids.ts';
import { letOthersTake } from '../../../src/volumes/copies/restore-hold.ts';
import { isRestoring, recordedVolume, type RestoringVolume } from '../../../src/volumes/host-volume.ts';
import { markerName } from '../../../src/volumes/naming.ts';
import { prepareRestore } from './world/scenarios.ts';
import { World } from './world/world.ts';

/** "db" with the marker that keeps others from it, as a host has it that died within a restore. */
async function scene() {
  const world = new World(1);
  const { life } = world.host(1);
  await prepareRestore(world, { fs: 'ext4' });
  const { id } = world.volume('db');
  const { signal } = life.call();
  const name = markerName('never', id);
  const mark = (of: VolumeId) => world.run(life.host.array.snapshotVolume(of, name, signal));
  const entry = (
    markerId: VolumeId | undefined,
    more: { readonly earlierBoot?: true } = {},
  ): RestoringVolume => {
    const made = recordedVolume({
      name: 'db',
      arrayName: asArrayName(world.volume('db').name),
      volumeId: id,
      systemId: asSystemId(world.array.systemId),
      phase: 'restoring',
      holders: [],
      mountpoint: '/m/db',
      since: '2026-01-01T00:00:00.000Z',
      restore: {
        snapshot: 'before',
        sourceId: id,
        keptAs: 'undo',
        step: 'finishing',
        hold: { id: markerId },
      },
      ...more,
    });
    if (!isRestoring(made)) throw new Error('it is a restore');
    return made;
  };
  const take = (left: RestoringVolume, host = life.host) => world.run(letOthersTake(host, left, signal));
  return { world, life, id, mark, entry, take, signal };
}

it('takes the marker away that this host made', async () => {
  const { world, id, mark, entry, take } = await scene();
  const marker = await mark(id);
  expect(await take(entry(marker))).toBe('free');
  expect(world.array.volumes.has(marker)).toBe(false);
});

it('leaves a marker that somebody has given another policy since', async () => {
  const { world, life, id, mark, entry, take, signal } = await scene();
  const marker = await mark(id);
  await world.run(life.host.array.renameVolume(marker, markerName('always', id), signal));
  expect(await take(entry(marker))).toBe('free');
  expect(world.array.volumes.has(marker)).toBe(true);
});

it('leaves what bears the name of a marker and is of another volume', async () => {
  const { world, mark, entry, take } = await scene();
  await world.run(world.host(1).life.create('other'));
  const foreign = await mark(world.volume('other').id);
  await take(entry(undefined));
  expect(world.array.volumes.has(foreign)).toBe(true);
});

it('leaves the marker where a copy of the whole machine might have the same entry', async () => {
  const { world, life, id, mark, entry, take } = await scene();
  const marker = await mark(id);
  const identity = Object.create(life.host.identity, {
    doubt: { get: () => 'the array sees its address elsewhere' },
  }) as typeof life.host.identity;
  expect(await take(entry(marker, { earlierBoot: true }), { ...life.host, identity })).toBe('free');
  expect(world.array.volumes.has(marker)).toBe(true);
});
