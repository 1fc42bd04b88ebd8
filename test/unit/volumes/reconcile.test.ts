import { describe, expect, it } from 'vitest';
import type { FakeHost } from './world/fake-host.ts';
import { HOST_REBOOT, PLUGIN_CRASH, disturbEverywhere, type Scenario } from './world/failpoints.ts';
import { World } from './world/world.ts';

const LONG = 'a-name-much-too-long-for-the-array-of-this-host';

/** One host with a volume, and a way to leave a Create half done. */
async function hostWithVolume(name = 'db') {
  const world = new World();
  const host = world.host(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(host.life.create(name));
  return { world, host, run };
}

async function dieAt(
  world: World,
  host: FakeHost,
  method: string,
  work: () => Promise<unknown>,
): Promise<void> {
  host.life.steps.hook = (point) => (point.method === method && point.side === 'after' ? 'die' : 'go');
  await world.runToEnd(work(), host.life);
}

describe('Reconciler', () => {
  it('keeps what an earlier life mounted for an engine that may be starting, not longer than that', async () => {
    const { world, host, run } = await hostWithVolume();
    await run(host.life.mount('db', 'a'));
    host.restart();
    await world.pass(host.policy.inheritedMountMs - 1);
    await run(host.life.reconcile());
    expect(host.kernel.mounts).toHaveLength(1);
    await world.pass(1);
    await run(host.life.reconcile());
    expect(world.leaks()).toEqual([]);
  });

  it('leaves alone what is mounted and held, in one call', async () => {
    const { host, run } = await hostWithVolume();
    await run(host.life.mount('db', 'a'));
    host.life.gateway.calls.clear();
    expect(await run(host.life.reconcile())).toEqual({
      finished: [],
      lost: [],
      postponed: [],
      unclaimed: [],
      unmarked: [],
    });
    expect(Object.fromEntries(host.life.gateway.calls)).toEqual({ volumesOfHost: 1 });
  });

  it('leaves alone mappings that are not ours', async () => {
    const { world, host, run } = await hostWithVolume();
    const { storagePoolId } = world.volume('db');
    const foreign = world.array.add({ name: 'datastore-1', storagePoolId, createdAtSeconds: 0 });
    const others = world.array.add({ name: '~new.00000000.00000001', storagePoolId, createdAtSeconds: 0 });
    for (const { id } of [foreign, others]) world.array.map(id, host.sdcId, false);
    await run(host.life.reconcile());
    expect([foreign.mappings.size, others.mappings.size]).toEqual([1, 1]);
  });

  it('leaves alone a volume that a call is busy with', async () => {
    const { world, host, run } = await hostWithVolume();
    const gate = Promise.withResolvers<'go'>();
    host.life.steps.hook = ({ method, side }) =>
      method === 'check' && side === 'before' ? gate.promise : 'go';
    const mounting = host.life.mount('db', 'a');
    await world.pass(100);
    expect(await run(host.life.reconcile())).toEqual({
      finished: [],
      lost: [],
      postponed: [],
      unclaimed: [],
      unmarked: [],
    });
    gate.resolve('go');
    host.kernel.bind('a', await run(mounting));
    host.kernel.write('a', 'file', 'data');
  });

  it('is not held up by an unfinished volume that hangs', async () => {
    const { world, host, run } = await hostWithVolume();
    await run(host.life.mount('db', 'a'));
    await dieAt(world, host, 'make', () => host.life.create('half'));
    const [half] = [...world.array.volumes.values()].filter(({ name }) => name.startsWith('~new.'));
    if (half === undefined) throw new Error('no unfinished volume');
    host.kernel.hold('a process that hangs', half);
    host.restart();
    await run(host.life.unmount('db', 'a'));
    expect(await run(host.life.reconcile())).toMatchObject({ postponed: ['half'] });
    host.kernel.letGo('a process that hangs');
    expect(await run(host.life.reconcile())).toMatchObject({ finished: ['half'] });
    expect(world.leaks()).toEqual([]);
  });

  it('cleans up what another host took, once', async () => {
    const { world, host, run } = await hostWithVolume();
    await run(host.life.mount('db', 'a'));
    host.kernel.wasFenced = () => true;
    world.array.unmap(world.volume('db').id, host.sdcId);
    expect(await run(host.life.reconcile())).toMatchObject({ lost: ['db'] });
    expect(await run(host.life.reconcile())).toEqual({
      finished: [],
      lost: [],
      postponed: [],
      unclaimed: [],
      unmarked: [],
    });
    expect(world.leaks()).toEqual([]);
  });
});

describe('Reconciler after the journal was lost', () => {
  const HOUR_MS = 3_600_000;

  it('removes unfinished volumes of this host, found by their names, once they are old', async () => {
    const { world, host, run } = await hostWithVolume();
    await dieAt(world, host, 'detachVolume', () => host.life.create('half'));
    host.disk.loseJournal();
    host.restart();
    await run(host.life.reconcile());
    expect(host.disk.mustRebuild).toBe(false);
    expect(world.leaks()).not.toEqual([]);
    await world.pass(HOUR_MS);
    expect(await run(host.life.reconcile())).toMatchObject({ finished: [expect.stringMatching(/^~new\./)] });
    expect(world.leaks()).toEqual([]);
  });

  it.each(['db', LONG])('leaves mapped what it did not record, and says so: %s', async (name) => {
    const { world, host, run } = await hostWithVolume(name);
    await run(host.life.mount(name, 'a'));
    host.disk.loseJournal();
    host.reboot();
    const { unclaimed } = await run(host.life.reconcile());
    expect(unclaimed).toHaveLength(1);
    await world.reconcileAll();
    expect(world.leaks()).toEqual([
      expect.stringContaining('mapping of'),
      expect.stringContaining('device of'),
    ]);
    // Once while its device has not come back, and once when it has.
    expect(host.life.lines.filter((line) => line.includes('not by this plugin'))).toHaveLength(2);
    host.kernel.bind('b', await run(host.life.mount(name, 'b')));
    host.kernel.letGo('b');
    await run(host.life.unmount(name, 'b'));
    expect(world.leaks()).toEqual([]);
  });

  it.each(['db', LONG])('does not take %s from a container, and it can be mounted again', async (name) => {
    const { world, host, run } = await hostWithVolume(name);
    host.kernel.bind('a', await run(host.life.mount(name, 'a')));
    host.disk.loseJournal();
    host.disk.known.clear();
    host.restart();
    await world.reconcileAll();
    host.kernel.write('a', 'file', 'data');
    const path = await run(host.life.mount(name, 'b'));
    await world.reconcileAll();
    expect(host.kernel.mountAt(path)).toBeDefined();
    host.kernel.letGo('a');
    await run(host.life.unmount(name, 'b'));
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });
});

/** A host whose plugin dies, with something left for the reconciler of the next life. */
function leaving(name: string, leave: (world: World, host: FakeHost) => Promise<void>): Scenario {
  return {
    name,
    prepare: async (world) => {
      const host = world.host(1);
      await world.run(host.life.create('db'));
      await leave(world, host);
      host.restart();
      await world.pass(host.policy.abandonedMountMs + 1);
    },
    act: (world) => world.host(1).life.reconcile(),
    afterwards: async (world) => {
      const { kernel } = world.host(1);
      if (kernel.holderNames.includes('a')) kernel.write('a', 'still', 'alive');
      await world.reconcileAll();
      if (kernel.holderNames.includes('a')) kernel.write('a', 'still', 'alive');
      kernel.letGo('a');
      await world.run(world.host(1).life.unmount('db', 'a'));
    },
    faults: (world) => (world.exists('db') ? [] : ['volume lost']),
  };
}

const LEFT: readonly Scenario[] = [
  leaving('an unfinished volume', (world, host) =>
    dieAt(world, host, 'mount', () => host.life.create('half', { failover: 'always' })),
  ),
  leaving('a volume to release', async (world, host) => {
    await world.run(host.life.mount('db', 'a'));
    await dieAt(world, host, 'put', () => host.life.unmount('db', 'a'));
  }),
  leaving('a volume mounted for nobody', async (world, host) => {
    await world.run(host.life.mount('db', 'a'));
  }),
  leaving('a volume mounted for a container', async (world, host) => {
    host.kernel.bind('a', await world.run(host.life.mount('db', 'a')));
  }),
  leaving('a volume that was taken', async (world, host) => {
    await world.run(host.life.mount('db', 'a'));
    host.kernel.wasFenced = () => true;
    world.array.unmap(world.volume('db').id, host.sdcId);
  }),
];

describe.each([PLUGIN_CRASH, HOST_REBOOT])('$name at every step of reconciling', (disturbance) => {
  it.each(LEFT)('$name', async (scenario) => {
    expect(await disturbEverywhere(scenario, disturbance)).toEqual([]);
  });
});
