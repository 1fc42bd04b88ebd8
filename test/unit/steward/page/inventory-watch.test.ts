import { expect, onTestFinished, test } from 'vitest';
import { CancelledError, GatewayUnavailableError } from '../../../../src/errors.ts';
import { InventoryWatch } from '../../../../src/steward/page/inventory-watch.ts';
import { FakeClock, FakeInventory, sdc, silent, turn, volume } from './scene.ts';

async function watching({ isWatched = false, readingMs = 0 } = {}) {
  const [clock, inventory] = [new FakeClock(), new FakeInventory()];
  inventory.volumes = [volume('db', ['host1'])];
  inventory.hosts = [sdc('host1'), sdc('host2')];
  inventory.during = () => {
    clock.take(readingMs);
  };
  const state = { isWatched, told: 0 };
  const watch = new InventoryWatch(
    {
      inventory,
      clock,
      log: silent,
      isWatched: () => state.isWatched,
      onReading: () => {
        state.told += 1;
      },
    },
    { prefix: 'docker-', intervalMs: 60_000 },
  );
  watch.start();
  onTestFinished(() => watch.stop());
  await turn();
  return { clock, inventory, watch, state };
}

test('reads at the interval while nobody looks, and every 2 s while somebody does', async () => {
  const { clock, inventory, watch, state } = await watching();
  await clock.pass(59_000);
  expect(inventory.readings).toBe(1);
  await clock.pass(1000);
  expect(inventory.readings).toBe(2);
  await clock.pass(10_000);
  state.isWatched = true;
  watch.wake();
  await turn();
  expect(inventory.readings).toBe(3);
  await clock.pass(10_000);
  expect(inventory.readings).toBe(8);
  expect(state.told).toBe(8);
});

test('reads an array that answers slowly for no more than a tenth of the time', async () => {
  const { clock, inventory } = await watching({ isWatched: true, readingMs: 3000 });
  await clock.pass(26_000);
  expect(inventory.readings).toBe(1);
  await clock.pass(1000);
  expect(inventory.readings).toBe(2);
  await clock.pass(300_000);
  expect(inventory.readings).toBeLessThanOrEqual(12);
});

test('says why the array cannot be read, keeps what it said before, and goes on when it answers again', async () => {
  const { clock, inventory, watch } = await watching({ isWatched: true });
  const readAt = watch.freshness().readAt;
  inventory.failure = new GatewayUnavailableError('no gateway answered');
  await clock.pass(20_000);
  expect(watch.freshness()).toEqual({ readAt, state: 'unreachable', failure: 'no gateway answered' });
  expect(watch.sighting?.volumes.size).toBe(1);
  inventory.failure = undefined;
  inventory.volumes = [volume('db', ['host2'])];
  await clock.pass(2000);
  expect(watch.freshness()).toMatchObject({ state: 'current', failure: null });
  expect(watch.timeline({ audit: [], news: [] }).map(({ text }) => text)).toEqual([
    'volume "db" moved from host1 to host2',
  ]);
});

test('goes on after an error that nobody expected', async () => {
  const { clock, inventory, watch } = await watching({ isWatched: true });
  inventory.failure = new TypeError('a bug');
  await clock.pass(2000);
  expect(watch.freshness()).toMatchObject({ state: 'unreachable', failure: 'TypeError: a bug' });
  inventory.failure = undefined;
  await clock.pass(2000);
  expect(watch.freshness().state).toBe('current');
});

test('calls it stale when a reading hangs, but not because nobody looked for a while', async () => {
  const { clock, inventory, watch, state } = await watching();
  await clock.pass(59_000);
  state.isWatched = true;
  expect(watch.freshness().state).toBe('stale');
  inventory.readVolumes = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(new CancelledError('stopped'));
      });
    });
  watch.wake();
  await clock.pass(15_000);
  expect(watch.freshness().state).toBe('current');
  await clock.pass(15_000);
  expect(watch.freshness().state).toBe('stale');
});

test('has a new revision when something changed, and none for another reading of the same', async () => {
  const { clock, inventory, watch } = await watching({ isWatched: true });
  const first = watch.revision;
  await clock.pass(6000);
  expect(watch.revision).toBe(first);
  inventory.hosts = [sdc('host1', { state: 'disconnected' }), sdc('host2')];
  await clock.pass(2000);
  expect(watch.revision).toBe(first + 1);
  inventory.volumes = [volume('db', ['host1'], { sizeKiB: 1 })];
  await clock.pass(2000);
  expect(watch.revision).toBe(first + 2);
});
