import { DataServicesBench } from './data-services.ts';
import { measureList, measureLife } from './operations.ts';
import { createFleet, measureBurst, measureParallel, PARALLEL } from './parallel.ts';
import { measureProcess, type ProcessCosts } from './process-costs.ts';
import { SeriesTable } from './samples.ts';
import type { Setup } from './setup.ts';
import { TakeoverBench } from './takeover.ts';

export const DELAYS_MS = [0, 20] as const;
export const VOLUMES = [10, 10_000, 100_000] as const;
/** Gets of an engine that starts. */
export const BURST = 300;
const WARM_UPS = 3;
/** How often, and for how long, ms, on a machine that is slow or busy. */
const LIVES = { least: 8, most: 15, limitMs: 20_000 };
const TAKEOVERS = { least: 6, most: 15, limitMs: 40_000 };
const SERVICES = { least: 3, most: 8, limitMs: 20_000 };
const LISTS = { least: 3, most: 5, limitMs: 10_000 };
const PARALLEL_ROUNDS = { least: 1, most: 3, limitMs: 20_000 };
/** As many volumes as the peer was measured with. */
const PARALLEL_VOLUMES = 10_000;

/** What was measured with one delay and one number of volumes. */
export interface Case {
  readonly delayMs: number;
  readonly volumes: number;
  readonly series: SeriesTable;
}

export interface Burst {
  readonly delayMs: number;
  readonly volumes: number;
  readonly isKnown: boolean;
  readonly calls: number;
  readonly ms: number;
}

export interface Results {
  readonly cases: readonly Case[];
  readonly takeovers: readonly Case[];
  readonly services: readonly Case[];
  readonly parallel: readonly Case[];
  readonly bursts: readonly Burst[];
  readonly process: ProcessCosts;
  /** Gateway calls of no operation and of nothing that the plugin does beside. */
  readonly strayCalls: readonly string[];
}

/** Everything, from few volumes to many, each number without and with a delay. `say` hears what comes next. */
export async function measureAll(setup: Setup, say: (what: string) => void): Promise<Results> {
  const cases: Case[] = [];
  const parallel: Case[] = [];
  const bursts: Burst[] = [];
  say('warm up');
  for (let life = 0; life < WARM_UPS; life += 1) await measureLife(setup, new SeriesTable());
  const takeovers = await measureTakeovers(setup, say);
  const services = await measureServices(setup, say);
  for (const volumes of VOLUMES) {
    await setup.array.seedTo(volumes);
    for (const delayMs of DELAYS_MS) {
      say(`${volumes} volumes, ${delayMs} ms delay: each operation`);
      await setup.array.delay(delayMs);
      cases.push(await measureCase(setup, { delayMs, volumes }));
    }
    if (volumes >= BURST * 2) bursts.push(...(await measureBursts(setup, volumes, say)));
    if (volumes === PARALLEL_VOLUMES) parallel.push(...(await measureParallelCases(setup, volumes, say)));
  }
  await setup.array.delay(0);
  say('starts and memory');
  const process = await measureProcess(setup);
  await setup.ledger.settle();
  return { cases, takeovers, services, parallel, bursts, process, strayCalls: setup.ledger.strays };
}

/** They ask for one volume alone, so the number of others does not matter. */
async function measureTakeovers(setup: Setup, say: (what: string) => void): Promise<Case[]> {
  const bench = await TakeoverBench.start(setup);
  await bench.measure(new SeriesTable());
  const cases: Case[] = [];
  for (const delayMs of DELAYS_MS) {
    say(`${delayMs} ms delay: takeovers`);
    await setup.array.delay(delayMs);
    const series = new SeriesTable();
    await repeat(TAKEOVERS, () => bench.measure(series));
    await setup.ledger.settle();
    cases.push({ delayMs, volumes: 1, series });
  }
  await setup.array.delay(0);
  await bench.stop();
  return cases;
}

/** They ask for single volumes and families, so the number of others does not matter. */
async function measureServices(setup: Setup, say: (what: string) => void): Promise<Case[]> {
  const bench = await DataServicesBench.start(setup);
  await bench.measure(new SeriesTable());
  const cases: Case[] = [];
  for (const delayMs of DELAYS_MS) {
    say(`${delayMs} ms delay: snapshots, clones, restores, growth, limits, trash`);
    await setup.array.delay(delayMs);
    const series = new SeriesTable();
    await repeat(SERVICES, () => bench.measure(series));
    await setup.ledger.settle();
    cases.push({ delayMs, volumes: 1, series });
  }
  await setup.array.delay(0);
  await bench.stop();
  return cases;
}

async function measureCase(setup: Setup, at: { delayMs: number; volumes: number }): Promise<Case> {
  const series = new SeriesTable();
  await repeat(LIVES, () => measureLife(setup, series));
  await repeat(LISTS, (list) => measureList(setup, series, list % 2 === 0));
  await setup.ledger.settle();
  return { ...at, series };
}

/** Each time of volumes that the plugin has never heard of, then of the same ones again. */
async function measureBursts(setup: Setup, volumes: number, say: (what: string) => void): Promise<Burst[]> {
  const bursts: Burst[] = [];
  for (const [number, delayMs] of DELAYS_MS.entries()) {
    say(`${volumes} volumes, ${delayMs} ms delay: ${BURST} Gets at once`);
    await setup.array.delay(delayMs);
    const names = setup.array.seeded(volumes - BURST * (number + 1), BURST);
    for (const isKnown of [false, true]) {
      bursts.push({ delayMs, volumes, isKnown, ...(await measureBurst(setup, names)) });
    }
  }
  return bursts;
}

async function measureParallelCases(
  setup: Setup,
  volumes: number,
  say: (what: string) => void,
): Promise<Case[]> {
  await setup.array.delay(0);
  say(`make ${Math.max(...PARALLEL)} volumes`);
  const fleet = await createFleet(setup);
  const cases: Case[] = [];
  for (const delayMs of DELAYS_MS) {
    say(`${volumes} volumes, ${delayMs} ms delay: ${PARALLEL.join(' and ')} at once`);
    await setup.array.delay(delayMs);
    const series = new SeriesTable();
    await repeat(PARALLEL_ROUNDS, async () => {
      for (const width of PARALLEL) await measureParallel(setup, fleet, width, series);
    });
    cases.push({ delayMs, volumes, series });
  }
  return cases;
}

async function repeat(
  times: { least: number; most: number; limitMs: number },
  work: (number: number) => Promise<void>,
): Promise<void> {
  const end = performance.now() + times.limitMs;
  for (let number = 0; number < times.most; number += 1) {
    if (number >= times.least && performance.now() > end) return;
    await work(number);
  }
}
