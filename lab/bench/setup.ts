import path from 'node:path';
import { BenchArray } from './array.ts';
import { CallLedger } from './call-ledger.ts';
import { Floor } from './floor.ts';
import { Plugin } from './plugin.ts';

/** What a measurement works with. */
export interface Setup {
  readonly dir: string;
  readonly array: BenchArray;
  readonly plugin: Plugin;
  readonly floor: Floor;
  readonly ledger: CallLedger;
}

export async function startSetup(dir: string): Promise<Setup> {
  const array = await BenchArray.start(dir);
  const plugin = await Plugin.start(dir, array, { name: 'plugin' });
  const floor = await Floor.start(path.join(dir, 'floor'), array);
  const ledger = new CallLedger(() => array.takeCalls());
  return { dir, array, plugin, floor, ledger };
}
