import { lifeActionsOn, type LifeActions } from '../../../../src/volumes/life/life-actions.ts';
import { BUILT_IN_DEFAULTS } from '../../../../src/volumes/options/option-table.ts';
import type { FilesystemType } from '../../../../src/volumes/volume.ts';
import { newFilesystem, type Content, type FilesystemContent } from './content.ts';
import type { StoredVolume } from './fake-array.ts';
import type { Scenario } from './failpoints.ts';
import { createPrecious, LABELLED, PRECIOUS, precious, useVolume } from './scenarios.ts';
import type { World } from './world.ts';

const NEW_VOLUMES = { defaults: BUILT_IN_DEFAULTS, classes: new Map<string, never>() };

/** What an operator asks of a host's plugin about which volumes there are. */
export function lifeActions(world: World, host = 1): LifeActions {
  const { life } = world.host(host);
  return lifeActionsOn(life.host, life.lock, NEW_VOLUMES);
}

/** What others have made and nobody has. */
export function foreignVolume(world: World, name: string, content: Content): StoredVolume {
  const [pool] = world.array.pools.keys();
  if (pool === undefined) throw new Error('no pool');
  return world.array.add({ name, storagePoolId: pool, createdAtSeconds: 0, content });
}

/** A file system with something in it, as another plugin leaves it. */
export function foreignContent(fs: FilesystemType = 'xfs'): FilesystemContent {
  const content = newFilesystem(fs, 8 * 1024 * 1024);
  content.files.set('precious', PRECIOUS);
  content.directories.add('data');
  return content;
}

function adopting(): Scenario {
  const request = { arrayName: 'rexray-db', name: 'db', inPlace: false, subpath: 'data' };
  const adopt = (world: World): Promise<unknown> =>
    lifeActions(world).adopt(request, new AbortController().signal);
  return {
    name: 'adoption of what others have made',
    prepare: (world) => {
      foreignVolume(world, 'rexray-db', foreignContent('ext4'));
      return Promise.resolve();
    },
    act: adopt,
    afterwards: async (world) => {
      await world.reconcileAll();
      if (!world.exists('db')) await world.run(adopt(world));
      await useVolume(world, 'after');
      await world.reconcileAll();
    },
    faults: (world) => [
      ...precious(world),
      ...(world.content('db').label?.subpath === 'data' ? [] : ['without its subpath']),
    ],
  };
}

function renaming(): Scenario {
  const to = (world: World, name: string, other: string): Promise<unknown> =>
    lifeActions(world).rename({ name, to: other }, new AbortController().signal);
  return {
    name: 'renaming',
    prepare: async (world) => {
      await createPrecious(world, LABELLED);
      await useVolume(world, 'before');
    },
    act: (world) => to(world, 'db', 'db2'),
    afterwards: async (world) => {
      if (world.exists('db2')) await world.run(to(world, 'db2', 'db'));
      await useVolume(world, 'after');
      await world.reconcileAll();
    },
    faults: precious,
  };
}

function sealing(): Scenario {
  const seal = (world: World): Promise<unknown> =>
    lifeActions(world).seal({ name: 'db' }, new AbortController().signal);
  return {
    name: 'sealing of a volume whose journal is to be replayed',
    prepare: async (world) => {
      await createPrecious(world);
      world.content('db').dirty = true;
    },
    act: seal,
    afterwards: async (world) => {
      await world.reconcileAll();
      await world.run(seal(world));
      const { life } = world.host(1);
      await world.run(life.mount('db', 'a'));
      await world.run(life.unmount('db', 'a'));
      await world.reconcileAll();
    },
    faults: (world) => [
      ...precious(world),
      ...(world.volume('db').accessModeLimit === 'ReadOnly' ? [] : ['can be written']),
      ...(world.content('db').dirty ? ['its journal was not replayed'] : []),
    ],
  };
}

/** What is done about which volumes there are and what they are called. */
export const LIFE_SCENARIOS: readonly Scenario[] = [adopting(), renaming(), sealing()];
