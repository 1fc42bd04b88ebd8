import { OPERATION } from './operations.ts';
import { Plugin } from './plugin.ts';
import { milliseconds, type SeriesTable } from './samples.ts';
import type { Setup } from './setup.ts';

type OperationKey = keyof typeof OPERATION;

const GIB_IN_KIB = 1024 ** 2;

/** What volumes can do beside being mounted, step by step, by a plugin that keeps removed volumes. */
export class DataServicesBench {
  readonly #setup: Setup;
  readonly #plugin: Plugin;
  #rounds = 0;

  private constructor(setup: Setup, plugin: Plugin) {
    this.#setup = setup;
    this.#plugin = plugin;
  }

  static async start(setup: Setup): Promise<DataServicesBench> {
    const place = { name: 'services', sdc: setup.array.sdcs[1], settings: { SCALEIO_REMOVE_GRACE: '24h' } };
    return new DataServicesBench(setup, await Plugin.start(setup.dir, setup.array, place));
  }

  /** Snapshots, clones, a restore, growth, limits and a way back, of one volume. */
  async measure(into: SeriesTable): Promise<void> {
    this.#rounds += 1;
    const plugin = this.#plugin;
    const name = `service${this.#rounds}`;
    const step = (key: OperationKey, act: () => Promise<string>): Promise<void> => this.#step(into, key, act);
    const limit = (iops: number, bandwidthKiBps: number | null) => (): Promise<string> =>
      plugin.operate('limit', { name, iops, bandwidthKiBps });
    const create = (clone: string, Opts: object) => (): Promise<string> =>
      plugin.ask('Create', { Name: `${name}${clone}`, Opts });
    await plugin.ask('Create', { Name: name, Opts: {} });
    await step('limitFree', limit(900, 10_240));
    await plugin.ask('Mount', { Name: name, ID: 'bench' });
    await step('limit', limit(1000, null));
    await step('lift', limit(0, 0));
    await step('grow', () => plugin.operate('grow', { name, sizeKiB: 24 * GIB_IN_KIB }));
    await step('snapshot', () => this.#snapshot(name, null));
    await step('namedSnapshot', () => this.#snapshot(name, 'before'));
    await step('clone', create('copy', { from: name }));
    await step('largerClone', create('larger', { from: name, size: '32GiB' }));
    await plugin.ask('Unmount', { Name: name, ID: 'bench' });
    await this.#setup.array.untilDevicesGone(this.#setup.array.sdcs[1]);
    await step('restore', () => plugin.operate('restore', { name, snapshot: 'before', keepMs: null }));
    await this.#setup.array.untilDevicesGone(this.#setup.array.sdcs[1]);
    for (const copy of ['copy', 'larger'])
      await plugin.operate('remove', { name: `${name}${copy}`, now: true });
    await step('trash', () => plugin.ask('Remove', { Name: name }));
    await step('undelete', () => plugin.operate('undelete', { wanted: name, as: null }));
  }

  async stop(): Promise<void> {
    await this.#plugin.stop();
  }

  #snapshot(name: string, snapshot: string | null): Promise<string> {
    const forGood = { expireMs: null, secureForMinutes: null };
    return this.#plugin.operate('takeSnapshots', { names: [name], snapshot, ...forGood });
  }

  async #step(into: SeriesTable, key: OperationKey, act: () => Promise<string>): Promise<void> {
    const series = into.of(OPERATION[key]);
    let id = '';
    series.plugin.push(
      await milliseconds(async () => {
        id = await act();
      }),
    );
    this.#setup.ledger.note(series, id);
  }
}
