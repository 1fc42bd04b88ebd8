import type { Floor, FloorVolume } from './floor.ts';
import { milliseconds, type SeriesTable } from './samples.ts';
import type { Setup } from './setup.ts';

/** The operations that are measured, as the tables call them. */
export const OPERATION = {
  create: 'Create',
  get: 'Get, known volume',
  mount: 'Mount, first here',
  getMounted: 'Get, mounted here',
  path: 'Path',
  unmount: 'Unmount, last user',
  mountAgain: 'Mount, later',
  unmountAgain: 'Unmount, later',
  list: 'List',
  remove: 'Remove',
  takeOver: 'Mount, from a dead host',
  limitFree: 'limits, of a volume that nobody has',
  limit: 'a limit, of an attached volume',
  lift: 'lifting both limits, attached',
  grow: 'growth',
  snapshot: 'snapshot',
  namedSnapshot: 'snapshot with a name of its own',
  clone: 'Create of a clone, origin known',
  largerClone: 'the same, larger',
  restore: 'restore',
  trash: 'Remove, into the trash',
  undelete: 'undelete',
} as const;

type OperationKey = keyof typeof OPERATION;

let rounds = 0;

/**
 * One volume's whole life with the plugin, and another one's by hand beside it, step by step and taking turns in who
 * is first, so that both meet the same moods of the machine.
 */
export async function measureLife(setup: Setup, into: SeriesTable): Promise<void> {
  rounds += 1;
  const Name = `v${rounds}`;
  const holder = { Name, ID: 'bench' };
  const { array, plugin, floor } = setup;
  const life = new Life(setup, into, rounds % 2 === 0);
  let byHand: FloorVolume | undefined;
  const hand = (act: (on: Floor, volume: FloorVolume) => Promise<void>) => async (): Promise<void> => {
    if (byHand === undefined) throw new Error('the volume made by hand is missing');
    await act(floor, byHand);
  };
  const mountByHand = hand((on, volume) => on.mount(volume));
  const unmountByHand = hand((on, volume) => on.unmount(volume));
  await life.step(
    'create',
    () => plugin.ask('Create', { Name, Opts: {} }),
    async () => {
      byHand = await floor.create(`floor${rounds}`);
    },
  );
  await array.untilDevicesGone();
  await life.step(
    'get',
    () => plugin.ask('Get', { Name }),
    hand((on, volume) => on.get(volume)),
  );
  await life.step('mount', () => plugin.ask('Mount', holder), mountByHand);
  await life.step('getMounted', () => plugin.ask('Get', { Name }));
  await life.step('path', () => plugin.ask('Path', { Name }));
  await life.step('unmount', () => plugin.ask('Unmount', holder), unmountByHand);
  await array.untilDevicesGone();
  await life.step('mountAgain', () => plugin.ask('Mount', holder), mountByHand);
  await life.step('unmountAgain', () => plugin.ask('Unmount', holder), unmountByHand);
  await array.untilDevicesGone();
  await life.step(
    'remove',
    () => plugin.ask('Remove', { Name }),
    hand((on, volume) => on.remove(volume)),
  );
}

/** One List of all the array's volumes, and the same by hand. */
export async function measureList(setup: Setup, into: SeriesTable, floorFirst: boolean): Promise<void> {
  const list = new Life(setup, into, floorFirst);
  await list.step(
    'list',
    () => setup.plugin.ask('List'),
    () => setup.floor.list(),
  );
}

class Life {
  readonly #setup: Setup;
  readonly #into: SeriesTable;
  readonly #floorFirst: boolean;

  constructor(setup: Setup, into: SeriesTable, floorFirst: boolean) {
    this.#setup = setup;
    this.#into = into;
    this.#floorFirst = floorFirst;
  }

  async step(key: OperationKey, act: () => Promise<string>, byHand?: () => Promise<void>): Promise<void> {
    const series = this.#into.of(OPERATION[key]);
    const measureFloor = async (): Promise<void> => {
      if (byHand !== undefined) series.floor.push(await milliseconds(byHand));
    };
    if (this.#floorFirst) await measureFloor();
    let id = '';
    series.plugin.push(
      await milliseconds(async () => {
        id = await act();
      }),
    );
    this.#setup.ledger.note(series, id);
    if (!this.#floorFirst) await measureFloor();
  }
}
