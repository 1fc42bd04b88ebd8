import { describe, expect, it } from 'vitest';
import { asVolumeId } from '../../../src/array/ids.ts';
import { isViewName, isViewOf, viewName } from '../../../src/volumes/copies/view-names.ts';
import { isOurs } from '../../../src/volumes/naming.ts';
import { explore } from './world/explore.ts';
import type { StoredVolume } from './world/fake-array.ts';
import type { FakeHost } from './world/fake-host.ts';
import { race } from './world/race.ts';
import { operate } from './world/scenarios.ts';
import { World } from './world/world.ts';

const HOUR_MS = 3_600_000;
const ID = asVolumeId('a1b2c3d4e5f60789');

async function prepare(world: World): Promise<void> {
  const one = world.host(1);
  await world.run(one.life.create('db', { fs: 'ext4', iops: '100', failover: 'always', subpath: 'data' }));
  one.kernel.bind('user', await world.run(one.life.mount('db', 'user')));
  one.kernel.write('user', 'file', 'then');
  const wish = { names: ['db'], snapshot: 'before', expireMs: null, secureForMinutes: null };
  await world.run(operate(world).takeSnapshots(wish, one.life.call().signal));
  one.kernel.write('user', 'file', 'now');
}

const views = (world: World): StoredVolume[] =>
  [...world.array.volumes.values()].filter(({ name }) => isViewName(name));

/** "db" is in use on host 1 and holds "now"; its snapshot "before" holds "then", with a log to replay. */
async function scene(version = '3.6') {
  const world = new World(2);
  world.array.version = version;
  const [one, two] = [world.host(1), world.host(2)];
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await prepare(world);
  const snapshot = [...world.array.volumes.values()].find(({ name }) => name.endsWith('@before'));
  if (snapshot === undefined) throw new Error('there is one');
  const look = async (host: FakeHost, who: string): Promise<string | undefined> => {
    host.kernel.bind(who, await run(host.life.mount('db@before', who)));
    return host.kernel.read(who, 'file');
  };
  const leave = async (host: FakeHost, who: string): Promise<void> => {
    host.kernel.letGo(who);
    await run(host.life.unmount('db@before', who));
  };
  return { world, one, two, run, snapshot, look, leave };
}

describe('the name of a view', () => {
  it('is that of one snapshot and prefix, and no volume of ours', () => {
    const name = viewName('docker-', ID);
    const view = { name, kind: 'snapshot', ancestorId: ID } as const;
    expect([name.length <= 31, isViewName(name), isOurs('', name)]).toEqual([true, true, false]);
    expect(isViewOf('docker-', view)).toBe(true);
    for (const other of [
      { ...view, kind: 'thin' as const },
      { ...view, ancestorId: asVolumeId('a1b2c3d4e5f60780') },
      { ...view, name: viewName('swarm-', ID) },
      { ...view, name: `${name}0` },
    ])
      expect(isViewOf('docker-', other)).toBe(false);
  });
});

describe('a snapshot that is looked into', () => {
  it.each(['3.6', '4.5'])('is shared by all hosts, reading only, as of its moment (%s)', async (version) => {
    const { world, one, two, run, snapshot, look, leave } = await scene(version);
    const before = structuredClone(snapshot.content);
    expect((await run(one.life.get('db@before'))).name).toBe('db@before');
    expect(await look(two, 'a')).toBe('then');
    expect(await look(one, 'b')).toBe('then');
    const [view, other] = views(world);
    expect([view?.mappings.size, view?.accessModeLimit, other]).toEqual([2, 'ReadOnly', undefined]);
    for (const { kernel } of [one, two])
      expect(kernel.mounts.find(({ volume }) => volume === view)).toMatchObject({ readOnly: true });
    expect(snapshot.content).toEqual(before);
    expect(one.kernel.read('user', 'file')).toBe('now');
    expect((await run(one.life.get('db@before'))).mountpoint).not.toBe('');
    await leave(two, 'a');
    expect(views(world)).toHaveLength(1);
    await leave(one, 'b');
    expect(views(world)).toEqual([]);
    expect(world.array.volumes.has(snapshot.id)).toBe(true);
    one.kernel.letGo('user');
    await run(one.life.unmount('db', 'user'));
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });

  it('is of one host at a time where the array cannot limit it, and reading only there, too', async () => {
    const { world, one, two, run, look, leave } = await scene('2.6');
    expect(await look(two, 'a')).toBe('then');
    await expect(run(one.life.mount('db@before', 'b'))).rejects.toThrow('host2');
    expect(two.kernel.mounts).toMatchObject([{ readOnly: true }]);
    await leave(two, 'a');
    expect(await look(one, 'b')).toBe('then');
    await leave(one, 'b');
    expect([views(world), world.array.violations]).toEqual([[], []]);
  });

  it('is no volume: it is not listed, and to remove it changes nothing', async () => {
    const { world, one, run, snapshot } = await scene();
    const listed = await run(one.life.driver.list(one.life.call()));
    expect(listed.map(({ name }) => name)).toEqual(['db']);
    await run(one.life.get('db@before'));
    await run(one.life.remove('db@before'));
    expect(world.array.volumes.has(snapshot.id)).toBe(true);
    for (const name of ['db@befor', 'db2@before', '@before', 'db@'])
      await expect(run(one.life.get(name))).rejects.toThrow('no volume');
    await expect(run(one.life.mount('db@befor', 'a'))).rejects.toThrow('the array has no such volume');
  });

  it('makes way for a volume that is called so', async () => {
    const { world, one, run, look, leave } = await scene();
    await run(one.life.create('db@before', { fs: 'xfs' }));
    expect(await look(one, 'a')).toBeUndefined();
    expect(views(world)).toEqual([]);
    await leave(one, 'a');
    expect(world.exists('db@before')).toBe(true);
    await run(one.life.remove('db@before'));
    expect(await look(one, 'a')).toBe('then');
  });

  it('takes 9 calls more where its view is new, and one more where it is there than a Mount of what this host does not know', async () => {
    const { one, two, run, look } = await scene();
    await run(two.life.get('db'));
    two.life.gateway.calls.clear();
    await look(two, 'a');
    const first = two.life.gateway.totalCalls;
    await run(one.life.get('db'));
    one.life.gateway.calls.clear();
    await look(one, 'b');
    expect([first, one.life.gateway.totalCalls]).toEqual([14, 5]);
  });

  it('can be copied as a volume that is limited to reading', async () => {
    const { world, one, two, run } = await scene();
    await run(one.life.create('old', { from: 'db@before', readonly: 'true' }));
    expect(world.volume('old').accessModeLimit).toBe('ReadOnly');
    for (const { kernel, life } of [one, two]) {
      kernel.bind('reader', await run(life.mount('old', 'a')));
      expect(kernel.read('reader', 'file')).toBe('then');
    }
  });

  it('leaves nothing when a host that has it dies, once that is back, and a view that nobody has goes within hours', async () => {
    const { world, one, two, look, run } = await scene();
    await look(two, 'a');
    two.reboot();
    await world.reconcileAll();
    expect(views(world)).toEqual([]);
    await look(two, 'a');
    const [view] = views(world);
    if (view === undefined) throw new Error('there is one');
    two.powerOff();
    world.array.unmap(view.id, two.sdcId);
    for (let hour = 0; hour < 4; hour += 1) {
      expect(views(world)).toHaveLength(hour < 1 ? 1 : views(world).length);
      await run(one.life.reconcile());
      await world.pass(HOUR_MS);
    }
    expect(views(world)).toEqual([]);
  });

  it('is not taken for one that nobody has while a host does', async () => {
    const { world, one, two, look, run } = await scene();
    await look(two, 'a');
    for (let hour = 0; hour < 4; hour += 1) {
      await run(one.life.reconcile());
      await world.pass(HOUR_MS);
    }
    expect(views(world)).toHaveLength(1);
    expect(two.kernel.read('a', 'file')).toBe('then');
  });
});

/** Nobody has "db"; both hosts know it, so that they ask for what they must. */
async function calm(world: World): Promise<void> {
  const [one, two] = [world.host(1), world.host(2)];
  await world.run(one.life.create('db'));
  const wish = { names: ['db'], snapshot: 'before', expireMs: null, secureForMinutes: null };
  await world.run(operate(world).takeSnapshots(wish, one.life.call().signal));
  for (const { life } of [one, two]) {
    await world.run(life.get('db'));
    await life.host.identity.current(life.call().signal);
  }
}

const mapped = (world: World): string =>
  views(world)
    .map(({ mappings }) => mappings.size)
    .join();

describe('two hosts and one snapshot, in every order', () => {
  it('both look into it: both see it, in one view', async () => {
    const explored = await explore(() =>
      race(
        calm,
        [(life) => life.mount('db@before', 'm1'), (life) => life.mount('db@before', 'm2')],
        (answers, world) => [
          ...answers.flatMap((answer) => (answer?.ok === true ? [] : [`answered ${JSON.stringify(answer)}`])),
          ...(mapped(world) === '2' ? [] : [`not one view of two hosts: ${mapped(world)}`]),
        ],
        // What a host reads of its own copy nobody else changes.
        { isScheduled: (method) => !['getVolume', 'findVolumeId', 'identity'].includes(method) },
      ),
    );
    expect(explored.faults).toEqual([]);
    expect(explored.endings).toBeGreaterThan(1);
  });

  it('one leaves while another looks: who looks sees it, and nothing is removed under it', async () => {
    const explored = await explore(() =>
      race(
        async (world) => {
          await calm(world);
          await world.run(world.host(1).life.mount('db@before', 'm1'));
        },
        [(life) => life.unmount('db@before', 'm1'), (life) => life.mount('db@before', 'm2')],
        (answers, world) => [
          ...answers.flatMap((answer) => (answer?.ok === true ? [] : [`answered ${JSON.stringify(answer)}`])),
          ...(mapped(world) === '1' ? [] : [`not one view of one host: ${mapped(world)}`]),
        ],
      ),
    );
    expect(explored.faults).toEqual([]);
    expect(explored.endings).toBeGreaterThan(1);
  });
});
