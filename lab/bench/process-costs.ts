import { Plugin } from './plugin.ts';
import type { Setup } from './setup.ts';

const STARTS = 15;
/** Nobody listens there. */
const AWAY = 'http://127.0.0.1:9';
const OPERATIONS = 10_000;
const AT_ONCE = 8;

/** Three starts one after the other. */
export interface Start {
  readonly thereMs: number;
  readonly awayMs: number;
  readonly bareMs: number;
}

export interface ProcessCosts {
  /** From starting the process to its first answer, ms, each time: with the gateway there, with it away, and of a bare server. */
  readonly starts: readonly Start[];
  /** Resident memory, MiB: just started, after one Create, after 10,000 operations, then after Lists of all volumes. */
  readonly freshMiB: number;
  readonly idleMiB: number;
  readonly busyMiB: number;
  readonly listMiB: number;
}

/**
 * Starts the plugin again and again, with its gateway there and away; then lets one work and looks at its memory. Ends the
 * plugin that has run so far.
 */
export async function measureProcess(setup: Setup): Promise<ProcessCosts> {
  const { dir, array } = setup;
  // One at a time serves a host's volumes.
  await setup.plugin.stop();
  // The first one that ends leaves Node's code cache behind, which an installed plugin has.
  await startOnce(setup, { name: 'first' });
  await Plugin.startBareServer(dir);
  const starts: Start[] = [];
  for (let number = 0; number < STARTS; number += 1) {
    starts.push({
      thereMs: await startOnce(setup, { name: `there${number}` }),
      bareMs: await Plugin.startBareServer(dir),
      awayMs: await startOnce(setup, { name: `away${number}`, gateway: AWAY }),
    });
  }
  const plugin = await Plugin.start(dir, array, { name: 'memory' });
  const freshMiB = await plugin.residentMiB();
  const Name = 'memory';
  await plugin.ask('Create', { Name, Opts: {} });
  const idleMiB = await plugin.residentMiB();
  await plugin.ask('Mount', { Name, ID: 'bench' });
  await manyOperations(plugin, Name);
  const busyMiB = await plugin.residentMiB();
  for (let list = 0; list < 3; list += 1) await plugin.ask('List');
  const listMiB = await plugin.residentMiB();
  await plugin.stop();
  return { starts, freshMiB, idleMiB, busyMiB, listMiB };
}

async function startOnce(setup: Setup, place: { name: string; gateway?: string }): Promise<number> {
  const plugin = await Plugin.start(setup.dir, setup.array, place);
  await plugin.stop();
  return plugin.startMs;
}

/** Get, Path, and another user of a mounted volume, who leaves again; some at a time. */
async function manyOperations(plugin: Plugin, Name: string): Promise<void> {
  let left = OPERATIONS / 4;
  const work = async (): Promise<void> => {
    for (; left > 0;) {
      left -= 1;
      const holder = { Name, ID: `user${left}` };
      await plugin.ask('Mount', holder);
      await plugin.ask('Get', { Name });
      await plugin.ask('Path', { Name });
      await plugin.ask('Unmount', holder);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
