import type { FloorVolume } from './floor.ts';
import type { Plugin } from './plugin.ts';
import { milliseconds, type SeriesTable } from './samples.ts';
import type { Setup } from './setup.ts';

/** So many at once. */
export const PARALLEL = [16, 64] as const;
const MOST = Math.max(...PARALLEL);
const CREATED_AT_ONCE = 8;

/** Volumes for operations in parallel: those of the plugin, by name, and as many made by hand. */
export interface Fleet {
  readonly names: readonly string[];
  readonly byHand: readonly FloorVolume[];
}

export async function createFleet({ array, plugin, floor }: Setup): Promise<Fleet> {
  const numbers = Array.from({ length: MOST }, (_, number) => number);
  const byHand: FloorVolume[] = [];
  for (let first = 0; first < MOST; first += CREATED_AT_ONCE) {
    const batch = numbers.slice(first, first + CREATED_AT_ONCE);
    await Promise.all(batch.map((number) => plugin.ask('Create', { Name: `fleet${number}`, Opts: {} })));
    byHand.push(...(await Promise.all(batch.map((number) => floor.create(`floor-fleet${number}`)))));
    // Once, so that the mountpoints are there.
    await Promise.all(batch.map((number) => mountOnce(plugin, `fleet${number}`)));
    await Promise.all(byHand.slice(first).map((volume) => floor.mount(volume)));
    await Promise.all(byHand.slice(first).map((volume) => floor.unmount(volume)));
  }
  await array.untilDevicesGone();
  return { names: numbers.map((number) => `fleet${number}`), byHand };
}

async function mountOnce(plugin: Plugin, Name: string): Promise<void> {
  await plugin.ask('Mount', { Name, ID: 'bench' });
  await plugin.ask('Unmount', { Name, ID: 'bench' });
}

/**
 * Mounts of so many different volumes at once, then their unmounts, then as many Gets: all of it with the plugin, then
 * by hand.
 */
export async function measureParallel(
  setup: Setup,
  fleet: Fleet,
  width: number,
  into: SeriesTable,
): Promise<void> {
  const { array, plugin, floor, ledger } = setup;
  const names = fleet.names.slice(0, width);
  const byHand = fleet.byHand.slice(0, width);
  const withPlugin = async (call: 'Mount' | 'Unmount' | 'Get', body: object): Promise<void> => {
    const series = into.of(`${width} × ${call}`);
    const ids: string[] = [];
    const act = async (Name: string): Promise<void> => {
      ids.push(await plugin.ask(call, { Name, ...body }));
    };
    await ledger.settle();
    series.pluginWalls.push(await atOnce(names, act, series.plugin));
    ledger.noteTogether(series, ids);
    await ledger.settle();
  };
  const withHands = async (call: string, act: (volume: FloorVolume) => Promise<void>): Promise<void> => {
    const series = into.of(`${width} × ${call}`);
    series.floorWalls.push(await atOnce(byHand, act, series.floor));
  };
  await withPlugin('Mount', { ID: 'bench' });
  await withPlugin('Unmount', { ID: 'bench' });
  await array.untilDevicesGone();
  await withPlugin('Get', {});
  await withHands('Mount', (volume) => floor.mount(volume));
  await withHands('Unmount', (volume) => floor.unmount(volume));
  await array.untilDevicesGone();
  await withHands('Get', (volume) => floor.get(volume));
}

/** An engine's Gets at its start: of so many volumes at once. Gives the gateway calls and the time until the last answer. */
export async function measureBurst(
  setup: Setup,
  names: readonly string[],
): Promise<{ calls: number; ms: number }> {
  const { ledger, plugin } = setup;
  const count = { calls: 0 };
  const ids: string[] = [];
  await ledger.settle();
  const ms = await milliseconds(() =>
    Promise.all(names.map(async (Name) => ids.push(await plugin.ask('Get', { Name })))),
  );
  ledger.noteTogether(count, ids);
  await ledger.settle();
  return { ...count, ms };
}

async function atOnce<T>(
  items: readonly T[],
  act: (item: T) => Promise<void>,
  times: number[],
): Promise<number> {
  return milliseconds(() =>
    Promise.all(items.map(async (item) => times.push(await milliseconds(() => act(item))))),
  );
}
