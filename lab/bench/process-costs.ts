import { Plugin } from './plugin.ts';
import type { Memory } from './programs.ts';
import type { Setup } from './setup.ts';

const STARTS = 15;
/** Nobody listens there. */
const AWAY = 'http://127.0.0.1:9';
const OPERATIONS = 10_000;
const AT_ONCE = 8;
const CROWD = 64;

/** Three starts one after the other. */
export interface Start {
  readonly thereMs: number;
  readonly awayMs: number;
  readonly bareMs: number;
}

export interface ProcessCosts {
  /** From starting the process to its first answer, ms, each time: with the gateway there, with it away, and of a bare server. */
  readonly starts: readonly Start[];
  readonly memory: MemoryOverTime;
}

/** Of one plugin, in this order. */
export interface MemoryOverTime {
  readonly fresh: Memory;
  /** After one Create. */
  readonly idle: Memory;
  /** After 10,000 operations. */
  readonly busy: Memory;
  /** After 64 volumes were made and mounted at once. */
  readonly crowded: Memory;
  /** After Lists of all volumes. */
  readonly listed: Memory;
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
  const memory = await memoryOverTime(await Plugin.start(dir, array, { name: 'memory' }));
  return { starts, memory };
}

async function memoryOverTime(plugin: Plugin): Promise<MemoryOverTime> {
  const fresh = await plugin.memory();
  const Name = 'memory';
  await plugin.ask('Create', { Name, Opts: {} });
  const idle = await plugin.memory();
  await plugin.ask('Mount', { Name, ID: 'bench' });
  await manyOperations(plugin, Name);
  const busy = await plugin.memory();
  const crowd = Array.from({ length: CROWD }, (_, number) => `crowd${number}`);
  await Promise.all(crowd.map((one) => plugin.ask('Create', { Name: one, Opts: {} })));
  await Promise.all(crowd.map((one) => plugin.ask('Mount', { Name: one, ID: 'bench' })));
  const crowded = await plugin.memory();
  await Promise.all(crowd.map((one) => plugin.ask('Unmount', { Name: one, ID: 'bench' })));
  for (let list = 0; list < 3; list += 1) await plugin.ask('List');
  const listed = await plugin.memory();
  await plugin.stop();
  return { fresh, idle, busy, crowded, listed };
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
