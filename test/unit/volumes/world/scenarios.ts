import { dataActionsOn, type DataActions } from '../../../../src/volumes/data-actions.ts';
import { markerName } from '../../../../src/volumes/naming.ts';
import type { Scenario } from './failpoints.ts';
import type { World } from './world.ts';

export const PRECIOUS = 'written before';

/** Does what an engine does before it creates: only a name that Get does not find is created. */
export async function engineCreate(
  world: World,
  name: string,
  options: Record<string, string>,
): Promise<void> {
  const { life } = world.host(1);
  const found = await world.runToEnd(life.get(name));
  if (found.kind !== 'answered') await world.run(life.create(name, options));
}

/** A container's whole life: mounted, bound, written to, gone. */
export async function useVolume(world: World, id: string, host = 1): Promise<void> {
  const { kernel, life } = world.host(host);
  await world.run(life.get('db'));
  const path = await world.run(life.mount('db', id));
  kernel.bind(id, path);
  kernel.write(id, `by ${id}`, 'new');
  kernel.letGo(id);
  await world.run(life.get('db'));
  await world.run(life.unmount('db', id));
}

export async function createPrecious(
  world: World,
  options: Record<string, string> = {},
  host = 1,
): Promise<void> {
  await world.run(world.host(host).life.create('db', options));
  world.content('db').files.set('precious', PRECIOUS);
}

/** A container that runs. */
async function start(world: World, id: string): Promise<void> {
  const { kernel, life } = world.host(1);
  kernel.bind(id, await world.run(life.mount('db', id)));
}

/** The container stops, if it did not die with its host, and the engine says so. */
async function stop(world: World, id: string): Promise<void> {
  const { kernel, life } = world.host(1);
  kernel.letGo(id);
  await world.run(life.unmount('db', id));
}

/** A container that ran before the disturbance must not have noticed, unless its host went down. */
function stillWrites(world: World, id: string): void {
  const { kernel } = world.host(1);
  if (kernel.holderNames.includes(id)) kernel.write(id, 'still', 'alive');
}

export const precious = (world: World): string[] =>
  world.content('db').files.get('precious') === PRECIOUS ? [] : ['data lost'];

export const LABELLED = { fs: 'ext4', mount: 'commit=30', iops: '100', failover: 'always' };

function creating(options: Record<string, string>, isRetried: boolean): Scenario {
  return {
    name: `Create ${JSON.stringify(options)}, ${isRetried ? 'retried' : 'not retried'}`,
    prepare: () => Promise.resolve(),
    act: (world) => world.host(1).life.create('db', options),
    afterwards: async (world) => {
      if (!isRetried) return;
      await engineCreate(world, 'db', options);
      await useVolume(world, 'after');
    },
    faults: (world) => {
      if (!world.exists('db')) return isRetried ? ['no volume after all'] : [];
      const { label, fs } = world.content('db');
      const markers = [...world.array.volumes.values()].filter(({ kind }) => kind === 'snapshot').length;
      const isWhole = label?.name === 'db' && markers === (options['failover'] === undefined ? 0 : 1);
      return isWhole ? [] : [`incomplete: ${fs} ${JSON.stringify(label)}, ${markers} markers`];
    },
  };
}

/** The origin is mounted, and written to, on this host or another. */
function copying(options: Record<string, string>, usedOn: 1 | 2): Scenario {
  const asked = { from: 'db', ...options };
  return {
    name: `Create ${JSON.stringify(asked)}, its origin in use on host ${usedOn}`,
    hosts: 2,
    prepare: async (world) => {
      await createPrecious(world, { fs: 'ext4', ...(usedOn === 1 ? { failover: 'always' } : {}) }, usedOn);
      const { kernel, life } = world.host(usedOn);
      kernel.bind('user', await world.run(life.mount('db', 'user')));
    },
    act: (world) => world.host(1).life.create('copy', asked),
    afterwards: async (world) => {
      await engineCreate(world, 'copy', asked);
      const { kernel, life } = world.host(usedOn);
      if (kernel.holderNames.includes('user')) kernel.write('user', 'still', 'alive');
      kernel.letGo('user');
      await world.run(life.unmount('db', 'user'));
      await useVolume(world, 'after', usedOn);
    },
    faults: (world) => {
      const [origin, copy] = [world.volume('db'), world.volume('copy')];
      const [theirs, own] = [world.content('db'), world.content('copy')];
      const isOwn = own.label?.volumeId === copy.id && own.label.originId === origin.id;
      const markers = [...world.array.volumes.values()].filter(({ name }) => name.endsWith(`.${copy.id}`));
      const ofOrigin = [...world.array.volumes.values()].filter(({ name }) => name.endsWith(`.${origin.id}`));
      const wanted =
        options['failover'] === 'default' || (usedOn === 2 && options['failover'] === undefined) ? 0 : 1;
      return [
        ...precious(world),
        ...(own.files.get('precious') === PRECIOUS && !own.lostFound ? [] : ['copy without its data']),
        ...(isOwn && own.label?.name === 'copy' ? [] : ['copy without a label of its own']),
        ...(theirs.label?.volumeId === origin.id ? [] : ['origin without its label']),
        ...(own.uuid === theirs.uuid ? ['one UUID for both'] : []),
        ...(markers.length === wanted ? [] : [`${markers.length} markers of the copy`]),
        ...(ofOrigin.length === (usedOn === 1 ? 1 : 0) ? [] : ['the markers of the origin changed']),
      ];
    },
  };
}

function mounting(isRetried: boolean, createdOn: 1 | 2, options: Record<string, string>): Scenario {
  return {
    name: `first Mount, made on host ${createdOn}, ${isRetried ? 'retried' : 'not retried'}`,
    hosts: 2,
    prepare: (world) => createPrecious(world, options, createdOn),
    act: (world) => world.host(1).life.mount('db', 'unanswered'),
    afterwards: async (world, wasAnswered) => {
      if (wasAnswered) await world.run(world.host(1).life.unmount('db', 'unanswered'));
      if (isRetried) await useVolume(world, 'after');
    },
    faults: precious,
  };
}

function mountingSecond(isRetried: boolean): Scenario {
  return {
    name: `second Mount, ${isRetried ? 'retried' : 'not retried'}`,
    prepare: async (world) => {
      await createPrecious(world);
      await start(world, 'first');
    },
    act: (world) => world.host(1).life.mount('db', 'unanswered'),
    afterwards: async (world, wasAnswered) => {
      stillWrites(world, 'first');
      if (wasAnswered) await world.run(world.host(1).life.unmount('db', 'unanswered'));
      if (isRetried) await useVolume(world, 'after');
      stillWrites(world, 'first');
      await stop(world, 'first');
    },
    faults: precious,
  };
}

/** An Unmount without an answer is never repeated; the ID comes back only if that container is started again. */
function unmountingLast(next: 'same ID again' | 'another ID' | 'nothing'): Scenario {
  return {
    name: `last Unmount, then ${next}`,
    prepare: async (world) => {
      await createPrecious(world, LABELLED);
      await start(world, 'a');
      world.host(1).kernel.letGo('a');
    },
    act: (world) => world.host(1).life.unmount('db', 'a'),
    afterwards: async (world) => {
      if (next !== 'nothing') await useVolume(world, next === 'another ID' ? 'b' : 'a');
    },
    faults: precious,
  };
}

function unmountingNotLast(comesBack: boolean): Scenario {
  return {
    name: `Unmount, not last, ${comesBack ? 'the ID comes back' : 'the ID never comes back'}`,
    prepare: async (world) => {
      await createPrecious(world);
      await start(world, 'a');
      await start(world, 'b');
      world.host(1).kernel.letGo('a');
    },
    act: (world) => world.host(1).life.unmount('db', 'a'),
    afterwards: async (world) => {
      stillWrites(world, 'b');
      await world.reconcileAll();
      stillWrites(world, 'b');
      if (comesBack) await useVolume(world, 'a');
      stillWrites(world, 'b');
      await stop(world, 'b');
    },
    faults: precious,
  };
}

/** The engine nests IDs, so it may give back the last one while a container still uses the volume. */
function unmountingHeld(): Scenario {
  return {
    name: 'last Unmount while a container still holds the device',
    prepare: async (world) => {
      await createPrecious(world);
      await start(world, 'a');
    },
    act: (world) => world.host(1).life.unmount('db', 'a'),
    afterwards: async (world) => {
      stillWrites(world, 'a');
      await world.reconcileAll();
      stillWrites(world, 'a');
      await stop(world, 'a');
    },
    faults: precious,
  };
}

function removing(options: Record<string, string>, isRetried: boolean): Scenario {
  return {
    name: `Remove ${JSON.stringify(options)}, ${isRetried ? 'retried' : 'not retried'}`,
    prepare: async (world) => {
      await createPrecious(world, options);
      await useVolume(world, 'before');
    },
    act: (world) => world.host(1).life.remove('db'),
    afterwards: async (world) => {
      if (!isRetried) return;
      // An engine whose Get says that the volume is gone does not send the Remove.
      const { life } = world.host(1);
      if ((await world.runToEnd(life.get('db'))).kind === 'answered') await world.run(life.remove('db'));
    },
    faults: (world) => {
      if (world.exists('db')) return isRetried ? ['still there'] : precious(world);
      const left = [...world.array.volumes.values()].map(({ name }) => name);
      return left.length === 0 ? [] : [`left on the array: ${left.join()}`];
    },
  };
}

export const GRACE_MS = 120_000;

/** From now on host 1 keeps what it removes for a while. */
export function keepRemoved(world: World, host = 1): void {
  const one = world.host(host);
  one.policy = { ...one.policy, removeGraceMs: GRACE_MS };
  one.restart();
}

/** Rounds until all that is in the trash is gone: the grace, a margin, and the time between the two steps. */
async function emptyTrash(world: World): Promise<void> {
  await world.reconcileAll(10);
}

function nothingLeft(world: World): string[] {
  const left = [...world.array.volumes.values()].map(({ name }) => name);
  return left.length === 0 ? [] : [`left on the array: ${left.join()}`];
}

function removingToTrash(options: Record<string, string>, isRetried: boolean): Scenario {
  return {
    name: `Remove with a grace ${JSON.stringify(options)}, ${isRetried ? 'retried' : 'not retried'}`,
    prepare: async (world) => {
      keepRemoved(world);
      await createPrecious(world, options);
      await useVolume(world, 'before');
    },
    act: (world) => world.host(1).life.remove('db'),
    afterwards: async (world) => {
      const { life } = world.host(1);
      if (isRetried && (await world.runToEnd(life.get('db'))).kind === 'answered')
        await world.run(life.remove('db'));
      const isWhole = [...world.array.volumes.values()].some(
        ({ content }) => content.kind === 'filesystem' && content.files.get('precious') === PRECIOUS,
      );
      if (!isWhole) throw new Error('data lost within the grace');
      await emptyTrash(world);
    },
    faults: (world) => {
      if (world.exists('db')) return isRetried ? ['still there'] : precious(world);
      return nothingLeft(world);
    },
  };
}

/** The grace is over: the first step takes the volume out of everybody's reach, the second removes it. */
function erasing(step: 'first' | 'second'): Scenario {
  return {
    name: `the ${step} step of erasing`,
    prepare: async (world) => {
      keepRemoved(world);
      await createPrecious(world, LABELLED);
      await world.run(world.host(1).life.remove('db'));
      await world.run(world.host(1).life.reconcile());
      await world.pass(2 * GRACE_MS + 120_000);
      if (step === 'first') return;
      await world.run(world.host(1).life.reconcile());
      await world.pass(120_000);
    },
    act: (world) => world.host(1).life.reconcile(),
    afterwards: emptyTrash,
    faults: nothingLeft,
  };
}

/** Host 2, or a person, gave it back its name before this host noticed. */
function broughtBack(): Scenario {
  return {
    name: 'look around after a removed volume was brought back',
    prepare: async (world) => {
      keepRemoved(world);
      await createPrecious(world);
      await world.run(world.host(1).life.remove('db'));
      await world.run(world.host(1).life.reconcile());
      const [volume] = world.array.volumes.values();
      if (volume !== undefined) world.array.rename(volume.id, 'docker-db');
      await world.pass(2 * GRACE_MS + 120_000);
    },
    act: (world) => world.host(1).life.reconcile(),
    afterwards: async (world) => {
      await useVolume(world, 'after');
      await emptyTrash(world);
    },
    faults: precious,
  };
}

/** What an operator asks of host 1's plugin as it lives now. */
export function operate(world: World, host = 1): DataActions {
  const { life, kernel } = world.host(host);
  const growth = { follow: () => Promise.resolve({ kind: 'not-mounted' as const }) };
  return dataActionsOn(life.host, { lock: life.lock, growth, freezer: kernel.freezer });
}

/** There is a snapshot "before", and the volume was written to since. */
export async function prepareRestore(world: World, options: Record<string, string> = {}): Promise<void> {
  await createPrecious(world, options);
  world.content('db').files.set('version', 'then');
  const wish = { names: ['db'], snapshot: 'before', expireMs: null, secureForMinutes: null };
  await world.run(operate(world).takeSnapshots(wish, world.host(1).life.call().signal));
  world.content('db').files.set('version', 'now');
}

/** The plugin is killed when it has sent the request to overwrite the volume, and started again. */
export async function cutShort(world: World, side: 'before' | 'after' = 'before'): Promise<void> {
  const one = world.host(1);
  one.life.steps.hook = (point) =>
    point.method === 'overwriteContent' && point.side === side ? 'die' : 'go';
  const wish = { name: 'db', snapshot: 'before', keepMs: null };
  await world.runToEnd(operate(world).restore(wish, one.life.call().signal), one.life);
  one.restart();
}

/** A snapshot of a volume in use is mounted, for a container that looks into it. */
function lookingInto(): Scenario {
  const view = 'db@before';
  return {
    name: 'Mount of a snapshot',
    prepare: async (world) => {
      await prepareRestore(world);
      await start(world, 'user');
    },
    act: (world) => world.host(1).life.mount(view, 'unanswered'),
    afterwards: async (world, wasAnswered) => {
      const { kernel, life } = world.host(1);
      if (wasAnswered) await world.run(life.unmount(view, 'unanswered'));
      await world.reconcileAll();
      stillWrites(world, 'user');
      kernel.bind('looker', await world.run(life.mount(view, 'again')));
      const version = kernel.read('looker', 'version');
      kernel.letGo('looker');
      await world.run(life.unmount(view, 'again'));
      await stop(world, 'user');
      if (version !== 'then') throw new Error(`it holds ${version ?? 'nothing'}`);
      // A view of which the answer got lost is nobody's until a host sees it unused.
      for (let hour = 0; hour < 3; hour += 1) {
        await world.pass(3_600_000);
        await world.reconcileAll(1);
      }
    },
    faults: (world) => {
      const left = [...world.array.volumes.values()].map(({ name }) => name);
      return [
        ...precious(world),
        ...left.filter((name) => name.startsWith('~view')).map((name) => `left: ${name}`),
      ];
    },
  };
}

/** Somebody took it from this host meanwhile, so that nobody may overwrite it any more. */
function losingRestored(): Scenario {
  return {
    name: 'look around after a restore was cut short and its volume was taken',
    hosts: 2,
    prepare: async (world) => {
      await prepareRestore(world);
      await cutShort(world);
      world.array.unmap(world.volume('db').id, world.host(1).sdcId);
      await useVolume(world, 'taker', 2);
      world.content('db').files.set('version', 'later');
    },
    act: (world) => world.host(1).life.reconcile(),
    afterwards: async (world) => {
      await world.reconcileAll();
      await useVolume(world, 'after');
    },
    faults: (world) => [
      ...precious(world),
      ...(world.content('db').files.get('version') === 'later' ? [] : ['overwritten all the same']),
      ...(world.host(1).disk.droppedRestores.length === 1 ? [] : ['not told']),
    ],
  };
}

/** A person asks for it, and once more when there was no answer or it failed. */
function restoring(options: Record<string, string>): Scenario {
  const restore = (world: World): Promise<unknown> => {
    const { signal } = world.host(1).life.call();
    return operate(world).restore({ name: 'db', snapshot: 'before', keepMs: null }, signal);
  };
  const version = (world: World): string | undefined => world.content('db').files.get('version');
  return {
    name: `restore ${JSON.stringify(options)}`,
    prepare: (world) => prepareRestore(world, options),
    act: restore,
    afterwards: async (world) => {
      await world.reconcileAll();
      if (!['then', 'now'].includes(version(world) ?? '')) throw new Error('neither of then nor of now');
      await useVolume(world, 'between');
      if (version(world) !== 'then') await world.run(restore(world));
      await useVolume(world, 'after');
    },
    faults: (world) => [
      ...precious(world),
      ...(version(world) === 'then' ? [] : ['not restored']),
      ...(world.array.byName(markerName('never', world.volume('db').id)) === undefined
        ? []
        : ['nobody may take it any more']),
      ...(world.content('db').label?.volumeId === world.volume('db').id ? [] : ['without its label']),
    ],
  };
}

/** Host 2 had it for a container; host 1 takes it by the policy "always" or because host 2 lost power. */
function takingOver(isAlive: boolean): Scenario {
  return {
    name: `Mount that takes it from a host that is ${isAlive ? 'alive' : 'dead'}`,
    hosts: 2,
    prepare: async (world) => {
      const [one, two] = [world.host(1), world.host(2)];
      one.mayFence = true;
      await createPrecious(world, { failover: isAlive ? 'always' : 'disconnected' }, 2);
      await world.run(one.life.get('db'));
      two.kernel.bind('old', await world.run(two.life.mount('db', 'old')));
      if (!isAlive) two.powerOff();
    },
    act: (world) => world.host(1).life.mount('db', 'unanswered'),
    afterwards: async (world, wasAnswered) => {
      const [one, two] = [world.host(1), world.host(2)];
      if (wasAnswered) await world.run(one.life.unmount('db', 'unanswered'));
      await useVolume(world, 'after');
      if (!isAlive) two.reboot();
      two.kernel.letGo('old');
      await world.run(two.life.unmount('db', 'old'));
    },
    faults: (world) => [...precious(world), ...fencedOthers(world)],
  };
}

/** Host 1 has lost it to host 2 and finds out, while host 2 works with it. */
function losing(): Scenario {
  return {
    name: 'look around after a fence',
    hosts: 2,
    prepare: async (world) => {
      const [one, two] = [world.host(1), world.host(2)];
      two.mayFence = true;
      await createPrecious(world, { failover: 'always' });
      await start(world, 'old');
      await world.run(two.life.get('db'));
      two.kernel.bind('new', await world.run(two.life.mount('db', 'new')));
      one.kernel.wasFenced = () => true;
    },
    act: (world) => world.host(1).life.reconcile(),
    afterwards: async (world) => {
      const { kernel, life } = world.host(2);
      await world.reconcileAll();
      kernel.write('new', 'still', 'alive');
      await stop(world, 'old');
      kernel.write('new', 'still', 'alive');
      kernel.letGo('new');
      await world.run(life.unmount('db', 'new'));
    },
    faults: (world) => [...precious(world), ...fencedOthers(world)],
  };
}

/** One fence is enough, and none may come from the host that lost the volume. */
function fencedOthers(world: World): string[] {
  const { fences } = world.array;
  return fences.length === 1 ? [] : [`${fences.length} fences`];
}

export const SCENARIOS: readonly Scenario[] = [
  creating({}, true),
  creating({}, false),
  creating(LABELLED, true),
  creating(LABELLED, false),
  creating({ readonly: 'true' }, true),
  copying({}, 1),
  copying({ size: '24GiB', failover: 'never', readonly: 'true' }, 2),
  mounting(true, 1, {}),
  mounting(false, 1, {}),
  mounting(true, 2, LABELLED),
  mounting(false, 2, LABELLED),
  mountingSecond(true),
  mountingSecond(false),
  unmountingLast('same ID again'),
  unmountingLast('another ID'),
  unmountingLast('nothing'),
  unmountingNotLast(true),
  unmountingNotLast(false),
  unmountingHeld(),
  removing({}, true),
  removing({}, false),
  removing(LABELLED, true),
  removing(LABELLED, false),
  removingToTrash({}, true),
  removingToTrash({}, false),
  removingToTrash(LABELLED, true),
  removingToTrash(LABELLED, false),
  erasing('first'),
  erasing('second'),
  broughtBack(),
  restoring({}),
  restoring(LABELLED),
  losingRestored(),
  lookingInto(),
  takingOver(false),
  takingOver(true),
  losing(),
];
