import { describe, expect, it } from 'vitest';
import { FilesystemError, GatewayUnavailableError, VolumeInUseError } from '../../../src/errors.ts';
import { recordedVolume, type HostVolume } from '../../../src/volumes/host-volume.ts';
import { ProvisionalSweep } from '../../../src/volumes/upkeep/provisional-sweep.ts';
import { asArrayName, asVolumeId, type HostId } from '../../../src/array/ids.ts';
import type { StoredVolume } from './world/fake-array.ts';
import type { FakeHost } from './world/fake-host.ts';
import { World } from './world/world.ts';

const OTHER_SDC = 'c0ffee0000000009' as HostId;
const READ_WRITE = { accessMode: 'ReadWrite', limitIops: 0, limitBandwidthKiBps: 0 } as const;
const HOUR_MS = 3_600_000;

/** Rule 13: only what is proven ours is undone. */
async function hostWithVolume(hosts = 1) {
  const world = new World(hosts);
  const host = world.host(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(host.life.create('db'));
  return { world, host, run, volume: world.volume('db') };
}

function onArray(world: World, host: FakeHost): string[] {
  return [...world.array.volumes.values()]
    .filter(({ mappings }) => mappings.has(host.sdcId))
    .map(({ name }) => name);
}

describe('a mapping that no entry tells of', () => {
  it.each(['while somebody has the device open', 'while nobody does'])('stays for ever %s', async (when) => {
    const { world, host, run, volume } = await hostWithVolume();
    world.array.map(volume.id, host.sdcId, false);
    await world.pass(10);
    if (when === 'while somebody has the device open') host.kernel.openRaw('xfs_repair', volume);
    for (let round = 0; round < 30; round += 1) {
      expect(await run(host.life.reconcile())).toMatchObject({ finished: [], unclaimed: ['db'] });
      await world.pass(HOUR_MS);
    }
    expect(onArray(world, host)).toEqual(['docker-db']);
    expect(host.life.lines.filter((line) => line.includes('not by this plugin'))).toHaveLength(1);
  });

  it('is told with who has the device open', async () => {
    const { world, host, run, volume } = await hostWithVolume();
    world.array.map(volume.id, host.sdcId, false);
    await world.pass(10);
    host.kernel.openRaw('process 7 "qemu"', volume);
    await run(host.life.reconcile());
    expect(host.life.lines.join('\n')).toContain('process 7 \\"qemu\\"');
  });

  it('stays with an empty prefix, where every volume of the array could be ours', async () => {
    const world = new World();
    const host = world.host(1);
    host.policy = { ...host.policy, prefix: '' };
    const [storagePoolId] = world.array.pools.keys();
    if (storagePoolId === undefined) throw new Error('the world has no pool');
    const { id } = world.array.add({ name: 'datastore', storagePoolId, createdAtSeconds: 0 });
    world.array.map(id, host.sdcId, false);
    await world.reconcileAll(10);
    expect(onArray(world, host)).toEqual(['datastore']);
  });

  it('is not removed with its volume', async () => {
    const { world, host, run, volume } = await hostWithVolume();
    world.array.map(volume.id, host.sdcId, false);
    await world.pass(10);
    host.kernel.openRaw('xfs_repair', volume);
    const refused = run(host.life.remove('db'));
    await expect(refused).rejects.toThrow(VolumeInUseError);
    await expect(refused).rejects.toThrow(/which this plugin did not do, and xfs_repair.*volume release db/);
    expect(world.exists('db')).toBe(true);
    host.kernel.letGo('xfs_repair');
    await expect(run(host.life.remove('db'))).rejects.toThrow(/nobody has it open/);
  });

  it('is taken up by a Mount, and let go of by its Unmount', async () => {
    const { world, host, run, volume } = await hostWithVolume();
    world.array.map(volume.id, host.sdcId, false);
    await world.pass(10);
    await run(host.life.mount('db', 'a'));
    expect(await run(host.life.reconcile())).toMatchObject({ unclaimed: [] });
    await run(host.life.unmount('db', 'a'));
    expect(world.leaks()).toEqual([]);
  });

  it('is taken up after whoever looked at the new device for a moment', async () => {
    const { world, host, run, volume } = await hostWithVolume();
    world.array.map(volume.id, host.sdcId, false);
    await world.pass(10);
    host.kernel.rawUsers.add('udev');
    host.kernel.hold('udev', volume, world.clock.now() + 1000);
    await run(host.life.mount('db', 'a'));
    expect(host.kernel.mounts).toHaveLength(1);
  });

  it('is not mounted under the hands of a repair', async () => {
    const { world, host, run, volume } = await hostWithVolume();
    world.array.map(volume.id, host.sdcId, false);
    await world.pass(10);
    host.kernel.openRaw('xfs_repair', volume);
    await expect(run(host.life.mount('db', 'a'))).rejects.toThrow(
      /which this plugin did not do, and xfs_repair/,
    );
    await world.reconcileAll();
    expect(host.kernel.mounts).toEqual([]);
    expect(onArray(world, host)).toEqual(['docker-db']);
  });

  it.each(['fails', 'dies'])('stays when a Mount that would take it up %s', async (how) => {
    const { world, host, run, volume } = await hostWithVolume();
    world.array.map(volume.id, host.sdcId, false);
    await world.pass(10);
    host.life.steps.hook = ({ method, side }) => {
      if (method !== 'check' || side !== 'before') return 'go';
      return how === 'dies' ? 'die' : new VolumeInUseError('by the will of the test');
    };
    await world.runToEnd(host.life.mount('db', 'a'), host.life);
    host.restart();
    await world.reconcileAll();
    expect(onArray(world, host)).toEqual(['docker-db']);
    expect(host.disk.entries.size).toBe(0);
    expect(await run(host.life.reconcile())).toMatchObject({ unclaimed: ['db'] });
  });
});

describe('an answer to "make a volume" that names another', () => {
  it('is believed for nothing: the other is not mapped, formatted or renamed', async () => {
    const { world, host, run } = await hostWithVolume();
    const { storagePoolId } = world.volume('db');
    const blank = world.array.add({ name: 'not-ours', storagePoolId, createdAtSeconds: 1 });
    host.life.gateway.createVolume = () => Promise.resolve(blank.id);
    await expect(run(host.life.create('more'))).rejects.toThrow(/not the volume that was asked for/);
    expect(blank).toMatchObject({ name: 'not-ours', content: { kind: 'blank' } });
    expect(blank.mappings.size).toBe(0);
    await world.reconcileAll();
    expect(world.array.volumes.has(blank.id)).toBe(true);
    expect(host.disk.entries.size).toBe(0);
  });
});

describe('a request that got no answer', () => {
  /** The gateway takes the call, says nothing, and carries it out later. */
  async function unanswered(
    method: 'attachVolume' | 'createVolume',
    work: (host: FakeHost) => Promise<unknown>,
  ) {
    const { world, host, run, volume } = await hostWithVolume();
    host.life.steps.hook = (point) =>
      point.method === method && point.side === 'before' ? new GatewayUnavailableError('no answer') : 'go';
    await expect(run(work(host))).rejects.toThrow('no answer');
    host.life.steps.hook = () => 'go';
    return { world, host, run, volume };
  }

  it('to map is undone when it is carried out late', async () => {
    const { world, host, run, volume } = await unanswered('attachVolume', (on) => on.life.mount('db', 'a'));
    await run(host.life.reconcile());
    world.array.map(volume.id, host.sdcId, false);
    await world.reconcileAll(4);
    expect(world.leaks()).toEqual([]);
  });

  it('to make a volume is undone when it is carried out late', async () => {
    const { world, host, run } = await unanswered('createVolume', (on) => on.life.create('more'));
    await run(host.life.reconcile());
    const [entry] = host.disk.entries.values();
    if (entry === undefined) throw new Error('nothing tells of the request any more');
    const { storagePoolId } = world.volume('db');
    world.array.add({ name: entry.arrayName, storagePoolId, createdAtSeconds: 1 });
    await world.reconcileAll(4);
    expect(world.leaks()).toEqual([]);
  });

  it('is remembered over a restart, and forgotten once nothing can come any more', async () => {
    const { world, host, run } = await unanswered('attachVolume', (on) => on.life.mount('db', 'a'));
    host.restart();
    await run(host.life.reconcile());
    await world.pass(host.policy.lateMs - 1);
    await run(host.life.reconcile());
    expect(host.disk.entries.size).toBe(1);
    await world.pass(1);
    await run(host.life.reconcile());
    expect(world.leaks()).toEqual([]);
  });

  it('is on disk before it goes out', async () => {
    const { world, host } = await hostWithVolume();
    host.life.steps.hook = ({ method, side }) =>
      method === 'attachVolume' && side === 'before' ? 'die' : 'go';
    await world.runToEnd(host.life.mount('db', 'a'), host.life);
    expect([...host.disk.entries.values()]).toMatchObject([
      { name: 'db', phase: 'mounting', attachment: 'intended' },
    ]);
  });
});

describe('two machines of one GUID', () => {
  /** Host 2 believes to be host 1: a copied setting, or a copied machine. */
  async function twins() {
    const { world, host, run, volume } = await hostWithVolume(2);
    host.kernel.bind('writer', await run(host.life.mount('db', 'a')));
    const twin = world.host(2);
    twin.pretendsToBe(host);
    return { world, host, twin, run, volume };
  }

  it('the one does not take away what the other has', async () => {
    const { world, host, twin, run } = await twins();
    expect(await run(twin.life.reconcile())).toMatchObject({ finished: [], unclaimed: ['db'] });
    await world.reconcileAll(5);
    host.kernel.write('writer', 'file', 'data');
    expect(twin.life.lines.join('\n')).toContain("none of this host's addresses");
  });

  it('the one does not mount what the other has', async () => {
    const { host, twin, run } = await twins();
    await run(twin.life.reconcile());
    await expect(run(twin.life.mount('db', 'b'))).rejects.toThrow(/did not do, and the array has the SDC/);
    host.kernel.write('writer', 'file', 'data');
  });

  it('the one does not act on a journal that was copied from the other', async () => {
    const { world, host, twin, run } = await twins();
    for (const [name, entry] of host.disk.entries) twin.disk.entries.set(name, structuredClone(entry));
    twin.disk.bootId = host.disk.bootId;
    twin.reboot();
    await run(twin.life.reconcile());
    await world.reconcileAll(5);
    host.kernel.write('writer', 'file', 'data');
    expect(onArray(world, host)).toEqual(['docker-db']);
  });

  it.each(['before a look at the array told of the other', 'after it'])(
    'a Mount by a journal that was copied takes nothing from the other, %s',
    async (when) => {
      const { host, twin, run } = await twins();
      for (const [name, entry] of host.disk.entries) twin.disk.entries.set(name, structuredClone(entry));
      twin.disk.bootId = host.disk.bootId;
      twin.reboot();
      if (when === 'after it') await run(twin.life.reconcile());
      else twin.life.host.identity.see = () => undefined;
      await expect(run(twin.life.mount('db', 'b'))).rejects.toThrow();
      host.kernel.write('writer', 'file', 'data');
    },
  );

  it('unfinished volumes of the one are not removed by the other', async () => {
    const { world, host, twin, run } = await twins();
    host.life.steps.hook = ({ method, side }) => (method === 'make' && side === 'after' ? 'die' : 'go');
    await world.runToEnd(host.life.create('half'), host.life);
    for (let round = 0; round < 6; round += 1) {
      await run(twin.life.reconcile());
      await world.pass(HOUR_MS);
    }
    expect(onArray(world, host)).toHaveLength(2);
  });
});

describe('a host whose SDC the array shows at an address of another machine', () => {
  it('acts on no entry of an earlier boot, also when the device is here', async () => {
    const { world, host, run } = await hostWithVolume();
    await run(host.life.mount('db', 'a'));
    host.life.steps.hook = ({ method, side }) => (method === 'make' && side === 'after' ? 'die' : 'go');
    await world.runToEnd(host.life.create('half'), host.life);
    host.isSeenAt('10.9.9.9');
    host.reboot();
    await world.reconcileAll(6);
    expect(onArray(world, host)).toHaveLength(2);
    host.isSeenAt(host.ip);
    await world.pass(HOUR_MS);
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });

  it('notices it in the mappings of a round, which costs no call', async () => {
    const { host, run } = await hostWithVolume();
    await run(host.life.mount('db', 'a'));
    await run(host.life.reconcile());
    expect(host.life.host.identity.doubt).toBeUndefined();
    host.isSeenAt('10.9.9.9');
    host.life.gateway.calls.clear();
    await run(host.life.reconcile());
    expect(host.life.host.identity.doubt).toMatch(/at 10\.9\.9\.9, which is none of this host's/);
    expect(host.life.gateway.totalCalls).toBe(1);
  });

  it('still serves what it recorded itself', async () => {
    const { world, host, run } = await hostWithVolume();
    host.isSeenAt('10.9.9.9');
    host.restart();
    await run(host.life.mount('db', 'a'));
    await run(host.life.unmount('db', 'a'));
    expect(world.leaks()).toEqual([]);
  });
});

describe('unfinished volumes that no entry tells of', () => {
  async function withLeftover() {
    const { world, host, run } = await hostWithVolume();
    host.life.steps.hook = ({ method, side }) => (method === 'make' && side === 'after' ? 'die' : 'go');
    await world.runToEnd(host.life.create('half'), host.life);
    host.disk.entries.clear();
    host.restart();
    const [half] = [...world.array.volumes.values()].filter(({ name }) => name.startsWith('~new.'));
    if (half === undefined) throw new Error('nothing was left');
    return { world, host, run, half };
  }

  it('are removed once they are old and were seen twice', async () => {
    const { world, host } = await withLeftover();
    for (let round = 0; round < 8; round += 1) {
      await world.run(host.life.reconcile());
      await world.pass(HOUR_MS / 2);
    }
    expect(world.leaks()).toEqual([]);
  });

  it('are not removed at first sight, however old they are', async () => {
    const { world, host, run, half } = await withLeftover();
    await world.pass(5 * HOUR_MS);
    expect(await run(host.life.reconcile())).toMatchObject({ finished: [] });
    expect(world.array.volumes.has(half.id)).toBe(true);
    await world.pass(600_000);
    await run(host.life.reconcile());
    expect(world.leaks()).toEqual([]);
  });

  it('cost one list an hour, and a quiet round one call', async () => {
    const { world, host, run } = await hostWithVolume();
    host.life.gateway.calls.clear();
    for (let minute = 0; minute < 180; minute += 1) {
      await run(host.life.reconcile());
      await world.pass(60_000);
    }
    expect(Object.fromEntries(host.life.gateway.calls)).toMatchObject({ volumesOfHost: 180 });
    const lists = host.life.gateway.calls.get('listVolumes') ?? 0;
    expect(lists).toBeGreaterThanOrEqual(2);
    expect(lists).toBeLessThanOrEqual(3);
  });

  it.each<[string, (half: StoredVolume) => Pick<HostVolume, 'arrayName' | 'volumeId'>]>([
    ['by its name', ({ name }) => ({ arrayName: asArrayName(name), volumeId: asVolumeId('') })],
    ['by its id', ({ id }) => ({ arrayName: asArrayName('another'), volumeId: id })],
  ])('stay while an entry tells of one %s, which is cleared by its own rules', async (_by, told) => {
    const { world, host, run, half } = await withLeftover();
    const sweep = new ProvisionalSweep(host.life.host);
    const me = await run(host.life.host.identity.current(host.life.call().signal));
    const found = async (): Promise<number> => {
      await world.pass(2 * HOUR_MS);
      return (await run(sweep.find(me, host.life.call().signal))).length;
    };
    expect([await found(), await found()]).toEqual([0, 1]);
    const entry = recordedVolume({
      name: 'half',
      systemId: me.systemId,
      phase: 'creating',
      holders: [],
      mountpoint: '/m',
      since: '',
      ...told(half),
    });
    await run(host.life.host.journal.put(entry));
    expect([await found(), await found()]).toEqual([0, 0]);
  });

  it('without the time of their making have no age, and stay', async () => {
    const { world, host, run, half } = await withLeftover();
    Object.assign(half, { createdAtSeconds: 0 });
    for (let round = 0; round < 6; round += 1) {
      await run(host.life.reconcile());
      await world.pass(HOUR_MS);
    }
    expect(world.array.volumes.has(half.id)).toBe(true);
  });

  it.each([
    ['0000', 0.25],
    ['ffff', 1],
  ])('are first looked for at a moment that chance (%s) sets', async (drawn, hours) => {
    const { world, host, run } = await hostWithVolume();
    const sweep = new ProvisionalSweep({
      ...host.life.host,
      clock: { ...host.life.host.clock, randomHex: () => drawn },
    });
    const me = await run(host.life.host.identity.current(host.life.call().signal));
    const lists = async (): Promise<number> => {
      host.life.gateway.calls.clear();
      await run(sweep.find(me, host.life.call().signal));
      return host.life.gateway.calls.get('listVolumes') ?? 0;
    };
    await world.pass(hours * HOUR_MS - 1);
    expect(await lists()).toBe(0);
    await world.pass(1);
    expect(await lists()).toBe(1);
  });

  it.each([
    'somebody has it open',
    'another host has it',
    'our SDC is not connected',
    'it is young by the array',
  ])('stay while %s', async (why) => {
    const { world, host, run, half } = await withLeftover();
    if (why === 'somebody has it open') host.kernel.openRaw('dd', half);
    if (why === 'another host has it') half.mappings.set(OTHER_SDC, READ_WRITE);
    if (why === 'our SDC is not connected') world.array.setConnected(host.sdcId, false);
    for (let round = 0; round < 6; round += 1) {
      if (why === 'it is young by the array')
        Object.assign(half, { createdAtSeconds: Math.floor(world.clock.now() / 1000) });
      await run(host.life.reconcile());
      await world.pass(HOUR_MS);
    }
    expect(world.array.volumes.has(half.id)).toBe(true);
    expect(host.disk.entries.size).toBe(0);
  });
});

describe('two plugins on one host', () => {
  it.each(['gateway', 'system'])(
    'the second changes nothing, and says who is there (by its %s)',
    async (by) => {
      const { world, host, run } = await hostWithVolume();
      host.otherPlugin = 'process 42';
      host.otherServes = by;
      host.restart();
      const calls: readonly (() => Promise<unknown>)[] = [
        () => host.life.mount('db', 'a'),
        () => host.life.create('more'),
        () => host.life.reconcile(),
      ];
      for (const call of calls) {
        await expect(run(call())).rejects.toThrow(/are served by process 42 already/);
      }
      host.otherPlugin = undefined;
      await run(host.life.mount('db', 'a'));
      await run(host.life.unmount('db', 'a'));
      expect(world.leaks()).toEqual([]);
    },
  );
});

describe('a state disk that takes no record', () => {
  async function mountedByEarlierLife() {
    const { world, host, run } = await hostWithVolume();
    const path = await run(host.life.mount('db', 'a'));
    host.restart();
    await world.pass(host.policy.inheritedMountMs);
    return { world, host, run, path };
  }

  function fill(host: FakeHost): void {
    host.life.steps.hook = ({ port, method, side }) =>
      port === 'journal' && method === 'put' && side === 'before' ? new FilesystemError('no room') : 'go';
  }

  it('takes no mount away that could not be put back', async () => {
    const { host, run, path } = await mountedByEarlierLife();
    fill(host);
    expect(await run(host.life.reconcile())).toMatchObject({ postponed: ['db'] });
    expect(host.kernel.mountAt(path)).toBeDefined();
    host.life.steps.hook = () => 'go';
    expect((await run(host.life.get('db'))).mountpoint).toBe(path);
  });

  it('and what a container is seen to use is not taken away at all', async () => {
    const { host, run, path } = await mountedByEarlierLife();
    host.kernel.bind('a', path);
    const unmounted: string[] = [];
    host.life.steps.hook = ({ method }) => {
      if (method === 'unmount') unmounted.push(method);
      return 'go';
    };
    expect(await run(host.life.reconcile())).toMatchObject({ finished: [], postponed: [] });
    expect(unmounted).toEqual([]);
  });

  it('a mount that is gone while its device is here is put back', async () => {
    const { world, host, run } = await hostWithVolume();
    const path = await run(host.life.mount('db', 'a'));
    host.kernel.unmount(path, true);
    expect((await run(host.life.get('db'))).mountpoint).toBe('');
    expect(await run(host.life.reconcile())).toMatchObject({ finished: ['db'] });
    expect((await run(host.life.get('db'))).mountpoint).toBe(path);
    await run(host.life.unmount('db', 'a'));
    expect(world.leaks()).toEqual([]);
  });

  it('a release of our own that could not be recorded is not called a loss', async () => {
    const { host, run } = await mountedByEarlierLife();
    fill(host);
    await run(host.life.unmount('db', 'a'));
    host.life.steps.hook = () => 'go';
    expect(await run(host.life.reconcile())).toMatchObject({ finished: ['db'], lost: [] });
    expect(host.life.lines.join('\n')).not.toContain('was taken from this host');
  });
});
