import { expect, test } from 'vitest';
import { CancelledError, FilesystemError } from '../../../src/errors.ts';
import { TrimLoop } from '../../../src/volumes/upkeep/trim-loop.ts';
import { World } from './world/world.ts';

const HOUR = 3_600_000;
const TIMES = { intervalMs: HOUR, limitMs: 60_000, courtesyMs: 250 };

/** Two mounted volumes and one that is not; `trim` plays fstrim. */
async function scene(trim: (mountpoint: string, signal: AbortSignal) => Promise<number>) {
  const world = new World();
  const { life } = world.host(1);
  for (const name of ['a', 'b', 'idle']) await world.run(life.create(name));
  await world.run(life.mount('a', 'm1'));
  await world.run(life.mount('b', 'm2'));
  const trimmed: string[] = [];
  const { attacher: sdc, journal, clock, log, trace } = life.host;
  const filesystems = {
    mounts: () => life.host.filesystems.mounts(),
    trim: (mountpoint: string, signal: AbortSignal) => {
      trimmed.push(mountpoint.slice(-1));
      return trim(mountpoint, signal);
    },
  };
  const { lock } = life.driver;
  const loop = new TrimLoop({ attacher: sdc, filesystems, journal, lock, clock, log, trace }, TIMES);
  loop.start();
  await world.pass(0);
  return { world, life, loop, trimmed };
}

const until = (signal: AbortSignal): Promise<number> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new CancelledError('fstrim was cancelled'));
    });
  });

test('trims what is mounted, one after the other, once an interval, the first time after a part of it', async () => {
  let running = 0;
  const { world, loop, trimmed } = await scene(async () => {
    expect((running += 1)).toBe(1);
    await Promise.resolve();
    running -= 1;
    return 1000;
  });
  expect(trimmed).toEqual([]);
  await world.pass(HOUR);
  expect(trimmed.toSorted()).toEqual(['a', 'b']);
  await world.pass(HOUR);
  expect(trimmed).toHaveLength(4);
  expect(loop.totals).toEqual({ runs: 4, failures: 0, reclaimedBytes: 4000 });
  await world.run(loop.stop());
  await world.pass(3 * HOUR);
  expect(trimmed).toHaveLength(4);
});

test('gives way to an Unmount, which is not kept waiting', async () => {
  const { world, life, loop, trimmed } = await scene((_, signal) => until(signal));
  await world.pass(HOUR);
  expect(trimmed).toEqual(['a']);
  const before = world.clock.now();
  await world.run(life.unmount('a', 'm1'));
  expect(world.clock.now() - before).toBeLessThanOrEqual(TIMES.courtesyMs);
  expect(world.leaks().filter((leak) => leak.includes('docker-a'))).toEqual([]);
  expect(loop.totals.failures).toBe(0);
  await world.run(loop.stop());
});

test('a volume whose trim fails is said so, and the next is trimmed all the same', async () => {
  const { world, loop, trimmed } = await scene((mountpoint) =>
    mountpoint.endsWith('a') ? Promise.reject(new FilesystemError('I/O error')) : Promise.resolve(5),
  );
  await world.pass(HOUR);
  expect(trimmed.toSorted()).toEqual(['a', 'b']);
  expect(loop.totals).toEqual({ runs: 2, failures: 1, reclaimedBytes: 5 });
  await world.run(loop.stop());
});

test('ends with the plugin in the middle of a trim', async () => {
  const { world, loop, trimmed } = await scene((_, signal) => until(signal));
  await world.pass(HOUR);
  expect(trimmed).toHaveLength(1);
  await world.run(loop.stop());
});

test('a device that becomes another volume while it is trimmed counts as a failure (rule 14)', async () => {
  const { world, loop } = await scene(() => {
    world.host(1).kernel.swapped.set(world.volume('a').id, world.volume('idle'));
    return Promise.resolve(5);
  });
  await world.pass(HOUR);
  expect(loop.totals).toEqual({ runs: 2, failures: 1, reclaimedBytes: 5 });
  await world.run(loop.stop());
});

test('what is mounted from another device than the volume has is not trimmed (rule 14)', async () => {
  const { world, loop, trimmed } = await scene(() => Promise.resolve(5));
  const { kernel } = world.host(1);
  kernel.mounts = kernel.mounts.map((mount) =>
    mount.volume === world.volume('a') ? { ...mount, deviceNumber: '252:999' } : mount,
  );
  await world.pass(HOUR);
  expect(trimmed).toEqual(['b']);
  expect(loop.totals).toEqual({ runs: 2, failures: 1, reclaimedBytes: 5 });
  await world.run(loop.stop());
});
