import { open } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../hosts/until.ts';
import { PREFIX, type BenchSdc } from './array.ts';
import { control } from './control.ts';
import { OPERATION } from './operations.ts';
import { Plugin } from './plugin.ts';
import { milliseconds, type SeriesTable } from './samples.ts';
import type { Setup } from './setup.ts';

interface BenchHost {
  readonly sdc: BenchSdc;
  readonly plugin: Plugin;
}

/** Two hosts that take a volume from each other, again and again; and two hands that do the same. */
export class TakeoverBench {
  readonly #setup: Setup;
  readonly #hosts: readonly [BenchHost, BenchHost];
  #rounds = 0;

  private constructor(setup: Setup, hosts: readonly [BenchHost, BenchHost]) {
    this.#setup = setup;
    this.#hosts = hosts;
  }

  static async start(setup: Setup): Promise<TakeoverBench> {
    const [one, two] = setup.array.sdcs;
    const second = await Plugin.start(setup.dir, setup.array, { name: 'second', sdc: two });
    return new TakeoverBench(setup, [
      { sdc: one, plugin: setup.plugin },
      { sdc: two, plugin: second },
    ]);
  }

  /** A volume goes to the second host and back, each time from a holder that the array has just lost. */
  async measure(into: SeriesTable): Promise<void> {
    this.#rounds += 1;
    const Name = `moved${this.#rounds}`;
    const [one, two] = this.#hosts;
    const { floor } = this.#setup;
    await one.plugin.ask('Create', { Name, Opts: {} });
    await two.plugin.ask('Get', { Name });
    const byHand = await floor.create(`floor-moved${this.#rounds}`);
    await this.#quiet();
    await one.plugin.ask('Mount', { Name, ID: 'first' });
    await floor.mount(byHand);
    await this.#move({ Name, byHand, from: one, to: two, handFirst: this.#rounds % 2 === 0 }, into);
    await this.#move({ Name, byHand, from: two, to: one, handFirst: this.#rounds % 2 === 1 }, into);
    await one.plugin.ask('Unmount', { Name, ID: 'first' });
    await floor.unmount(byHand);
    await this.#quiet();
    await one.plugin.ask('Remove', { Name });
    await floor.remove(byHand);
  }

  async stop(): Promise<void> {
    await this.#hosts[1].plugin.stop();
  }

  async #move(
    how: {
      readonly Name: string;
      readonly byHand: Awaited<ReturnType<Setup['floor']['create']>>;
      readonly from: BenchHost;
      readonly to: BenchHost;
      readonly handFirst: boolean;
    },
    into: SeriesTable,
  ): Promise<void> {
    const { Name, byHand, from, to, handFirst } = how;
    const { array, floor, ledger } = this.#setup;
    const series = into.of(OPERATION.takeOver);
    await leaveUnfinished(path.join(from.plugin.mountRoot, PREFIX + Name));
    await leaveUnfinished(floor.placeOf(byHand, from.sdc));
    await this.#silence(from.sdc, true);
    const hand = async (): Promise<void> => {
      series.floor.push(await milliseconds(() => floor.takeOver(byHand, from.sdc, to.sdc)));
    };
    if (handFirst) await hand();
    let id = '';
    series.plugin.push(
      await milliseconds(async () => {
        id = await to.plugin.ask('Mount', { Name, ID: 'first' });
      }),
    );
    ledger.note(series, id);
    if (!handFirst) await hand();
    await this.#silence(from.sdc, false);
    await from.plugin.ask('Unmount', { Name, ID: 'first' });
    await floor.cleanUp(byHand, from.sdc);
    await array.untilDevicesGone(from.sdc);
  }

  /** Returns when the array sees it so. */
  async #silence({ guid, id }: BenchSdc, silent: boolean): Promise<void> {
    const { gateway } = this.#setup.array;
    await control(gateway, 'POST', 'sdcs', { guid, silent });
    await until(`SDC ${guid} to ${silent ? 'fall silent' : 'come back'}`, async () => {
      const { sdcs } = (await control(gateway, 'GET', 'state')) as {
        sdcs: readonly { readonly id: string; readonly connected: boolean }[];
      };
      return sdcs.find((one) => one.id === id)?.connected !== silent;
    });
  }

  async #quiet(): Promise<void> {
    for (const { sdc } of this.#hosts) await this.#setup.array.untilDevicesGone(sdc);
  }
}

/** So that the next host has a file system to replay, as after a power cut. */
async function leaveUnfinished(mountpoint: string): Promise<void> {
  const file = await open(path.join(mountpoint, 'written'), 'a');
  try {
    await file.appendFile('a line\n');
    await file.sync();
  } finally {
    await file.close();
  }
}
