import { describe, expect, test } from 'vitest';
import {
  judge,
  MOST_CALLS,
  MOST_MEMORY,
  MOST_TIMES_FLOOR,
  type Finding,
} from '../../../lab/bench/budgets.ts';
import type { Case, Results } from '../../../lab/bench/measure.ts';
import { OPERATION } from '../../../lab/bench/operations.ts';
import type { MemoryOverTime } from '../../../lab/bench/process-costs.ts';
import type { Memory } from '../../../lab/bench/programs.ts';
import { SeriesTable } from '../../../lab/bench/samples.ts';

const SAMPLES = 15;

interface Told {
  readonly delayMs?: number;
  readonly volumes?: number;
  /** By operation; 1.2 for those that are left out. */
  readonly ratio?: Readonly<Record<string, number>>;
  readonly calls?: Readonly<Record<string, number>>;
}

/** Each operation with as many calls as it may have, on a machine whose floor takes from 20 to 34 ms. */
function measured(
  names: readonly string[],
  { delayMs = 0, volumes = 10, ratio = {}, calls = {} }: Told,
): Case {
  const series = new SeriesTable();
  for (const name of names) {
    const one = series.of(name);
    one.calls = calls[name] ?? MOST_CALLS[name] ?? 0;
    for (let number = 0; number < SAMPLES; number += 1) {
      one.floor.push(20 + number);
      one.plugin.push((20 + number) * (ratio[name] ?? 1.2));
    }
  }
  return { delayMs, volumes, series };
}

function results(told: Told = {}, more: Partial<Results> = {}): Results {
  const lives = Object.values(OPERATION).filter((name) => name !== OPERATION.takeOver);
  return {
    cases: [measured(lives, told), measured(lives, { ...told, volumes: 100_000 })],
    takeovers: [
      measured([OPERATION.takeOver], told),
      measured([OPERATION.takeOver], { ...told, delayMs: 20 }),
    ],
    services: [],
    parallel: [],
    bursts: [{ delayMs: 0, volumes: 10, isKnown: false, calls: 2, ms: 1 }],
    process: {
      starts: Array.from({ length: 9 }, () => ({ thereMs: 200, awayMs: 220, bareMs: 50 })),
      memory: memoryOf({ residentMiB: 70, anonymousMiB: 30 }),
    },
    strayCalls: [],
    ...more,
  };
}

function memoryOf(all: Memory, other: Partial<MemoryOverTime> = {}): MemoryOverTime {
  return { fresh: all, idle: all, busy: all, crowded: all, listed: all, ...other };
}

function slowed(one: Results, by: (number: number) => number): Results {
  const slow = ({ series, ...at }: Case): Case => {
    const table = new SeriesTable();
    for (const [name, { plugin, floor, calls }] of series.entries()) {
      const to = table.of(name);
      to.calls = calls;
      to.plugin.push(...plugin.map((ms, number) => ms * by(number)));
      to.floor.push(...floor.map((ms, number) => ms * by(number)));
    }
    return { ...at, series: table };
  };
  const starts = one.process.starts.map(({ thereMs, awayMs, bareMs }, number) => ({
    thereMs: thereMs * by(number),
    awayMs: awayMs * by(number),
    bareMs: bareMs * by(number),
  }));
  return {
    ...one,
    cases: one.cases.map(slow),
    takeovers: one.takeovers.map(slow),
    process: { ...one.process, starts },
  };
}

const broken = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ what, isKept }) => (isKept ? [] : [what]));

describe('the judge of the benchmark', () => {
  test('finds budgets kept that are', () => {
    expect(broken(judge(results()))).toEqual([]);
  });

  test.each([
    ['a machine ten times as slow', () => 10],
    ['a machine that got slower and slower', (number: number) => 1 + number],
    ['a machine a tenth as slow', () => 0.1],
  ])('comes to the same on %s', (_what, by) => {
    for (const one of [results(), results({ ratio: { [OPERATION.mount]: 2.5, [OPERATION.list]: 2.1 } })])
      expect(judge(slowed(one, by))).toEqual(judge(one));
  });

  test('measures no budget in units of time', () => {
    expect(judge(results()).filter(({ limit }) => /\d\s*(ms|s)\b/.test(limit))).toEqual([]);
  });

  test.each([
    OPERATION.create,
    OPERATION.mount,
    OPERATION.mountAgain,
    OPERATION.unmount,
    OPERATION.unmountAgain,
  ])('finds a %s that is too long for its floor', (name) => {
    const most = MOST_TIMES_FLOOR.operation;
    expect(broken(judge(results({ ratio: { [name]: most * 1.01 } })))).toEqual([
      `time of ${name}, no delay, to its floor's`,
    ]);
    expect(broken(judge(results({ ratio: { [name]: most * 0.99 } })))).toEqual([]);
  });

  test('finds a takeover that is too long, with delay and without', () => {
    const told = { ratio: { [OPERATION.takeOver]: MOST_TIMES_FLOOR.takeOver * 1.01 } };
    expect(broken(judge(results(told)))).toHaveLength(2);
  });

  test('finds a long List of many volumes', () => {
    const told = { ratio: { [OPERATION.list]: MOST_TIMES_FLOOR.list * 1.01 } };
    expect(broken(judge(results(told)))).toEqual([
      "time of List of 100,000 volumes, no delay, to its floor's",
    ]);
  });

  test('finds memory that is too much, whenever it is', () => {
    const small = { residentMiB: 70, anonymousMiB: 30 };
    const judged = (memory: MemoryOverTime): string[] => {
      const one = results();
      return broken(judge({ ...one, process: { ...one.process, memory } }));
    };
    const idle = { residentMiB: MOST_MEMORY.idle + 1, anonymousMiB: MOST_MEMORY.idleAnonymous + 1 };
    expect(judged(memoryOf(small, { idle }))).toEqual([
      'resident memory after one Create',
      'anonymous memory after one Create',
    ]);
    for (const phase of ['busy', 'crowded', 'listed'] as const) {
      const much = { residentMiB: MOST_MEMORY.most + 1, anonymousMiB: 90 };
      expect(judged(memoryOf(small, { [phase]: much }))).toEqual(['resident memory at most']);
    }
  });

  test('finds starts that are too long, with the gateway there and away', () => {
    const one = results();
    const slow = { thereMs: 50 * MOST_TIMES_FLOOR.start * 1.01, awayMs: 1, bareMs: 50 };
    const starts = (start: typeof slow): Results => ({
      ...one,
      process: { ...one.process, starts: Array.from({ length: 9 }, () => start) },
    });
    expect(broken(judge(starts(slow)))).toEqual(["time of start to first answer, to its floor's"]);
    expect(broken(judge(starts({ ...slow, thereMs: 1, awayMs: slow.thereMs })))).toEqual([
      "time of start to first answer, gateway away, to its floor's",
    ]);
  });

  test('lets a few slow ones pass, not most of them', () => {
    const few = results();
    const [first] = few.cases;
    const mount = first?.series.of(OPERATION.mount);
    mount?.plugin.splice(0, 7, ...Array.from({ length: 7 }, () => 10_000));
    expect(
      broken(judge({ ...few, cases: first === undefined ? [] : [first, ...few.cases.slice(1)] })),
    ).toEqual([]);
  });

  test('keeps no promise of what was never measured', () => {
    const nothing = broken(
      judge({ ...results({}, { bursts: [] }), cases: [], takeovers: [measured([], {})] }),
    );
    expect(nothing).toEqual(expect.arrayContaining([`time of ${OPERATION.mount}, no delay, to its floor's`]));
    expect(nothing).toEqual(
      expect.arrayContaining([`time of ${OPERATION.takeOver}, no delay, to its floor's`]),
    );
    expect(nothing).toEqual(
      expect.arrayContaining([`gateway calls of ${OPERATION.path}`, 'gateway calls of 300 Gets at once']),
    );
  });

  test.each(Object.entries(MOST_CALLS))('finds one call too many of %s', (name, most) => {
    expect(broken(judge(results({ calls: { [name]: most + 1 } })))).toEqual([`gateway calls of ${name}`]);
  });

  test('believes no count of none where a call cannot be done without', () => {
    expect(broken(judge(results({ calls: { [OPERATION.mount]: 0 } })))).toEqual([
      `gateway calls of ${OPERATION.mount}`,
    ]);
  });

  test('finds a burst of too many calls, and calls that belong to nothing', () => {
    const burst = { delayMs: 0, volumes: 10, isKnown: true, calls: 3, ms: 1 };
    expect(broken(judge(results({}, { bursts: [burst] })))).toEqual(['gateway calls of 300 Gets at once']);
    expect(broken(judge(results({}, { strayCalls: ['GET /api/logout'] })))).toEqual([
      'gateway calls that belong to nothing',
    ]);
  });
});
