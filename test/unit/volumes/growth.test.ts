import { expect, it, onTestFinished } from 'vitest';
import { FilesystemError } from '../../../src/errors.ts';
import { AutoGrowth } from '../../../src/volumes/growth/auto-growth.ts';
import { dataActionsOn, dataActionsWithout } from '../../../src/volumes/data-actions.ts';
import { DeviceGrowth } from '../../../src/volumes/growth/device-growth.ts';
import { Reconciler } from '../../../src/volumes/upkeep/reconcile.ts';
import type { FakeHost } from './world/fake-host.ts';
import { World } from './world/world.ts';

const GIB = 1024 * 1024;
const TIMES = { lookMs: 2000, limitMs: 10_000, rescanMs: 1000 };
const limit = (): AbortSignal => new AbortController().signal;

/** "db" of 8 GiB, mounted on the first host, which watches the sizes of its devices. */
async function scene(options: Record<string, string> = {}) {
  const world = new World(2);
  const [one, two] = [world.host(1), world.host(2)];
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(one.life.create('db', { size: '8GiB', ...options }));
  await run(one.life.mount('db', 'a'));
  const watchOn = (host: FakeHost) => {
    const { lock } = host.life;
    const growth = new DeviceGrowth({ ...host.life.host, lock }, TIMES);
    const actions = dataActionsOn(host.life.host, { lock, growth, freezer: host.kernel.freezer });
    const grow = (sizeKiB: number, name = 'db') => world.run(actions.grow({ name, sizeKiB }, limit()));
    return { growth, grow };
  };
  const { growth, grow } = watchOn(one);
  growth.start();
  onTestFinished(() => world.run(growth.stop()));
  const { array } = world;
  const { id } = world.volume('db');
  const sdcHears = (): void => {
    one.kernel.rescan();
  };
  /** Of the file system. */
  const filled = () => world.content('db').sizeKiB / GIB;
  return { world, one, two, run, growth, grow, watchOn, array, id, filled, sdcHears };
}

it('grows a mounted file system within seconds of its device, whoever asked the array, without asking the array', async () => {
  const { world, one, array, id, filled, sdcHears } = await scene();
  await world.pass(10_000);
  one.life.gateway.calls.clear();
  array.grow(id, 24 * GIB);
  sdcHears();
  await world.pass(TIMES.lookMs + 100);
  expect(filled()).toBe(24);
  expect(one.life.gateway.totalCalls).toBe(0);
  const { status } = await world.run(one.life.get('db'));
  expect(status).toMatchObject({ size: '24GiB' });
});

it('asks the attacher for the size once when a round sees that the array has more', async () => {
  const { world, one, run, growth, array, id, filled } = await scene();
  const rescans = () =>
    one.life.steps.points.filter(({ method, side }) => method === 'rescan' && side === 'after').length;
  const reconciler = new Reconciler(one.life.host, one.life.lock, growth);
  array.grow(id, 16 * GIB);
  await world.pass(10_000);
  expect([filled(), rescans()]).toEqual([8, 0]);
  const deaf = one.kernel.rescan.bind(one.kernel);
  one.kernel.rescan = () => undefined;
  await run(reconciler.run(limit()));
  await run(reconciler.run(limit()));
  expect(rescans()).toBe(1);
  one.kernel.rescan = deaf;
  array.grow(id, 24 * GIB);
  await run(reconciler.run(limit()));
  await world.pass(TIMES.lookMs + 100);
  expect([filled(), rescans()]).toEqual([24, 2]);
});

it('touches no device that is as large as this host knows it', async () => {
  const { world, one } = await scene();
  const touched = () =>
    one.life.steps.points.filter(({ method }) => ['holdDevice', 'grow', 'isFrozen'].includes(method)).length;
  const before = touched();
  await world.pass(20_000);
  expect(touched()).toBe(before);
});

it('waits for a frozen file system, and for who is busy with the volume', async () => {
  const { world, one, array, id, filled, sdcHears } = await scene();
  one.kernel.frozen.add(world.volume('db'));
  array.grow(id, 16 * GIB);
  sdcHears();
  await world.pass(10_000);
  expect(filled()).toBe(8);
  one.kernel.frozen.clear();
  const gate = Promise.withResolvers<undefined>();
  const busy = one.life.lock.run('db', 'test', limit(), () => gate.promise);
  await world.pass(10_000);
  expect(filled()).toBe(8);
  gate.resolve(undefined);
  await world.run(busy);
  await world.pass(TIMES.lookMs + 100);
  expect(filled()).toBe(16);
});

it('says once that a file system cannot grow in use, and leaves it to the next Mount', async () => {
  const { world, one, run, array, id, filled, sdcHears } = await scene();
  one.life.steps.hook = ({ method, side }) =>
    method === 'grow' && side === 'before' ? new FilesystemError('resize2fs needs CAP_SYS_RESOURCE') : 'go';
  array.grow(id, 16 * GIB);
  sdcHears();
  await world.pass(20_000);
  expect(one.life.lines.filter((line) => line.includes('not grown to its volume')).length).toBe(1);
  one.life.steps.hook = () => 'go';
  await world.pass(20_000);
  expect(filled()).toBe(8);
  await run(one.life.unmount('db', 'a'));
  await run(one.life.mount('db', 'b'));
  expect(filled()).toBe(16);
});

it('does not touch what is not this volume any more', async () => {
  const { world, one, run, array, id, filled, sdcHears } = await scene();
  await run(one.life.create('other', { size: '16GiB' }));
  await world.pass(5000);
  array.grow(id, 16 * GIB);
  sdcHears();
  one.kernel.swapped.set(id, world.volume('other'));
  await world.pass(10_000);
  expect(filled()).toBe(8);
});

it('does not grow what another device is mounted in the place of', async () => {
  const { world, one, array, id, filled, sdcHears } = await scene();
  one.kernel.mounts = one.kernel.mounts.map((mount) => ({ ...mount, deviceNumber: '9:9' }));
  array.grow(id, 16 * GIB);
  sdcHears();
  await world.pass(10_000);
  expect(filled()).toBe(8);
});

it('is asked for by name: two calls, and the answer comes when the file system has grown', async () => {
  const { one, grow, filled } = await scene();
  one.life.gateway.calls.clear();
  const report = await grow(20 * GIB);
  expect(report).toEqual({
    beforeKiB: 8 * GIB,
    sizeKiB: 24 * GIB,
    holder: 'host1 (10.0.0.1)',
    filesystem: 'here',
    why: null,
  });
  expect(filled()).toBe(24);
  expect(one.life.gateway.totalCalls).toBe(2);
  expect(await grow(24 * GIB)).toMatchObject({ beforeKiB: 24 * GIB, filesystem: 'here' });
});

it('leaves the file system to the host that has the volume, or to the next Mount', async () => {
  const { world, one, two, run, watchOn, filled, sdcHears } = await scene();
  const { grow } = watchOn(two);
  expect(await grow(16 * GIB)).toMatchObject({ filesystem: 'holder', holder: 'host1 (10.0.0.1)' });
  sdcHears();
  await world.pass(TIMES.lookMs + 100);
  expect(filled()).toBe(16);
  await run(one.life.unmount('db', 'a'));
  expect(await grow(24 * GIB)).toMatchObject({ filesystem: 'mount', holder: null });
  const { host, lock } = two.life;
  const without = dataActionsWithout({ ...host, prefix: 'docker-', lock });
  expect(await run(without.grow({ name: 'db', sizeKiB: 32 * GIB }, limit()))).toMatchObject({
    filesystem: 'mount',
  });
  await run(one.life.mount('db', 'a'));
  expect(filled()).toBe(32);
});

it('says why the file system has not followed', async () => {
  const { one, grow } = await scene();
  one.kernel.rescan = () => undefined;
  expect(await grow(16 * GIB)).toMatchObject({
    filesystem: 'later',
    why: expect.stringContaining('does not show the new size') as string,
  });
});

it('refuses to make a volume smaller, what is limited to reading, and what is not there', async () => {
  const { one, run, grow, id } = await scene();
  await grow(16 * GIB);
  await expect(grow(8 * GIB)).rejects.toThrow('cannot be made smaller');
  await expect(grow(8 * GIB, 'other')).rejects.toThrow('the array has no such volume');
  await run(one.life.host.array.limitToReadOnly(id, limit()));
  await expect(grow(24 * GIB)).rejects.toThrow('limited to reading');
});

const POLICY = { lookMs: 1000, coolDownMs: 10_000, againMs: 60_000, limitMs: 30_000, poolLimitPercent: 95 };

/** The same, asking to grow by itself; `fill` says how many GiB its files take. */
async function growing(options: Record<string, string> = {}) {
  const base = await scene({ 'grow-above': '85%', 'grow-by': '8GiB', 'grow-max': '32GiB', ...options });
  const { world, one, growth, filled } = base;
  const files = { gib: 1 };
  const auto = new AutoGrowth(
    {
      ...one.life.host,
      lock: one.life.lock,
      follow: (name, sizeKiB, signal) => growth.follow(name, sizeKiB, signal),
      usage: (mountpoint) =>
        Promise.resolve(
          mountpoint.endsWith('slow')
            ? { usedBytes: 99, availableBytes: 1 }
            : { usedBytes: files.gib, availableBytes: filled() - files.gib },
        ),
    },
    POLICY,
  );
  auto.start();
  onTestFinished(() => world.run(auto.stop()));
  return { ...base, auto, files, size: () => world.volume('db').sizeKiB / GIB };
}

it('grows a volume before its file system is full, again after a rest, and up to its cap', async () => {
  const { world, one, auto, files, filled, size } = await growing();
  await world.pass(20_000);
  expect(size()).toBe(8);
  files.gib = 7;
  await world.pass(5000);
  expect([size(), filled()]).toEqual([16, 16]);
  files.gib = 15;
  await world.pass(3000);
  expect(size()).toBe(16);
  await world.pass(POLICY.coolDownMs);
  expect(filled()).toBe(24);
  files.gib = 23;
  await world.pass(2 * POLICY.coolDownMs);
  files.gib = 31;
  await world.pass(10 * POLICY.coolDownMs);
  expect(filled()).toBe(32);
  expect(auto.totals.grown).toBe(3);
  expect(auto.totals.refused).toBeGreaterThan(0);
  expect(one.life.lines.some((line) => line.includes('has grown to its grow-max, 32 GiB'))).toBe(true);
});

it('does not grow by itself what asks for nothing, what another host has, nor in a pool that is nearly full', async () => {
  const plain = await scene();
  expect(plain.world.content('db').label?.growAbovePercent).toBe(0);
  const { world, one, two, array, files, size } = await growing();
  array.usage = { usedKiB: 96, roomKiB: 100 };
  files.gib = 7.5;
  await world.pass(2 * POLICY.againMs);
  expect(size()).toBe(8);
  expect(one.life.lines.some((line) => line.includes('96.0 % full'))).toBe(true);
  array.usage = { usedKiB: 10, roomKiB: 100 };
  array.unmap(world.volume('db').id, one.sdcId, two.sdcId);
  await world.pass(2 * POLICY.againMs);
  expect(size()).toBe(8);
});

it('grows a volume while the array keeps another one waiting', async () => {
  const { world, one, run, files, filled } = await growing();
  const wish = { 'grow-above': '85%', 'grow-by': '8GiB', 'grow-max': '32GiB', size: '8GiB' };
  await run(one.life.create('slow', wish));
  await run(one.life.mount('slow', 'b'));
  const slow = world.volume('slow').id;
  const { array } = one.life.host;
  const getVolume = array.getVolume.bind(array);
  one.life.gateway.getVolume = async (asked, signal) => {
    if (asked === slow) await world.clock.sleep(20_000, signal);
    return getVolume(asked, signal);
  };
  await world.pass(3000);
  files.gib = 7.5;
  await world.pass(5000);
  expect(filled()).toBe(16);
});

it('goes on after the array has refused', async () => {
  const { world, one, files, filled } = await growing();
  one.gatewayUp = false;
  files.gib = 7.5;
  await world.pass(POLICY.againMs);
  expect(filled()).toBe(8);
  one.gatewayUp = true;
  await world.pass(POLICY.againMs + 5000);
  expect(filled()).toBe(16);
});
