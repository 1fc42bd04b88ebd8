import { BURST, type Results } from './measure.ts';
import { OPERATION } from './operations.ts';
import type { Start } from './process-costs.ts';
import { quantile, type Series } from './samples.ts';

/** Gateway calls that an operation may cost at most, however many volumes the array holds (the design's budgets). */
export const MOST_CALLS: Readonly<Record<string, number>> = {
  [OPERATION.create]: 6,
  [OPERATION.get]: 1,
  [OPERATION.mount]: 2,
  [OPERATION.getMounted]: 0,
  [OPERATION.path]: 0,
  [OPERATION.unmount]: 1,
  [OPERATION.mountAgain]: 2,
  [OPERATION.unmountAgain]: 1,
  [OPERATION.list]: 1,
  [OPERATION.remove]: 2,
  [OPERATION.takeOver]: 6,
  [OPERATION.limitFree]: 6,
  [OPERATION.limit]: 2,
  [OPERATION.lift]: 3,
  [OPERATION.grow]: 2,
  [OPERATION.snapshot]: 2,
  // One more: the array knows names with their expiry, so only the family's list tells whether this one is free.
  [OPERATION.namedSnapshot]: 3,
  [OPERATION.clone]: 7,
  [OPERATION.largerClone]: 8,
  // Two are for the marker that keeps the volume from takeovers meanwhile.
  [OPERATION.restore]: 9,
  [OPERATION.trash]: 2,
  [OPERATION.undelete]: 3,
};
const MOST_CALLS_OF_BURST = 2;
/**
 * Time at most, as a multiple of the floor: the same unavoidable work done by hand, beside it in the same run. Where the machine is
 * slow or has much else to do both take longer, so there is no limit in milliseconds.
 */
export const MOST_TIMES_FLOOR = {
  operation: 2,
  takeOver: 1.5,
  list: 2,
  start: 15,
} as const;
/** MiB; how fast the machine is has no part in it. */
export const MOST_MEMORY = { idle: 105, idleAnonymous: 48, most: 130 } as const;
const TIMED = [
  OPERATION.create,
  OPERATION.mount,
  OPERATION.mountAgain,
  OPERATION.unmount,
  OPERATION.unmountAgain,
];
const MANY = 100_000;

/** One promise of the design and what was measured. */
export interface Finding {
  readonly what: string;
  readonly limit: string;
  readonly measured: string;
  readonly isKept: boolean;
}

/** Holds what was measured against each budget. No verdict depends on how fast the machine is. */
export function judge(results: Results): Finding[] {
  return [
    ...callFindings(results),
    ...burstFindings(results),
    strayFinding(results),
    ...operationFindings(results),
    ...takeoverFindings(results),
    listFinding(results),
    ...startFindings(results),
    ...memoryFindings(results),
  ];
}

function seriesOf(
  results: Results,
  what: string,
  wanted: (at: { delayMs: number; volumes: number }) => boolean,
): Series[] {
  return [...results.cases, ...results.takeovers, ...results.services]
    .filter(wanted)
    .flatMap(({ series }) => series.entries().flatMap(([name, found]) => (name === what ? [found] : [])));
}

function callFindings(results: Results): Finding[] {
  return Object.entries(MOST_CALLS).map(([what, most]) => {
    const calls = mostCalls(seriesOf(results, what, () => true));
    return {
      what: `gateway calls of ${what}`,
      limit: `≤ ${most}`,
      measured: `${calls}`,
      // None at all where some are allowed: nothing was measured, or counted by the wrong ids.
      isKept: calls <= most && (most === 0 || calls > 0),
    };
  });
}

/** Of nothing: not a number, which keeps no promise. */
function mostCalls(counted: readonly { readonly calls: number }[]): number {
  return counted.length === 0 ? Number.NaN : Math.max(...counted.map(({ calls }) => calls));
}

function burstFindings(results: Results): Finding[] {
  const calls = mostCalls(results.bursts);
  const what = `gateway calls of ${BURST} Gets at once`;
  const limit = `≤ ${MOST_CALLS_OF_BURST}`;
  return [{ what, limit, measured: `${calls}`, isKept: calls <= MOST_CALLS_OF_BURST }];
}

function strayFinding({ strayCalls }: Results): Finding {
  const what = 'gateway calls that belong to nothing';
  const which = strayCalls.length === 0 ? '' : ` (${[...new Set(strayCalls)].slice(0, 3).join(', ')})`;
  return { what, limit: '≤ 0', measured: `${strayCalls.length}${which}`, isKept: strayCalls.length === 0 };
}

function operationFindings(results: Results): Finding[] {
  return TIMED.map((what) => {
    const all = seriesOf(results, what, ({ delayMs }) => delayMs === 0);
    return ratioFinding(`${what}, no delay`, all.flatMap(pairsOf), MOST_TIMES_FLOOR.operation);
  });
}

function takeoverFindings({ takeovers }: Results): Finding[] {
  return takeovers.map(({ delayMs, series }) => {
    const what = `${OPERATION.takeOver}, ${delayMs === 0 ? 'no' : `${delayMs} ms`} delay`;
    return ratioFinding(what, pairsOf(series.of(OPERATION.takeOver)), MOST_TIMES_FLOOR.takeOver);
  });
}

function listFinding(results: Results): Finding {
  const all = seriesOf(results, OPERATION.list, ({ delayMs, volumes }) => delayMs === 0 && volumes === MANY);
  const what = `List of ${MANY.toLocaleString('en')} volumes, no delay`;
  return ratioFinding(what, all.flatMap(pairsOf), MOST_TIMES_FLOOR.list);
}

function startFindings({ process: { starts } }: Results): Finding[] {
  const pairs = (of: (start: Start) => number): Pair[] =>
    starts.map((start) => ({ plugin: of(start), floor: start.bareMs }));
  return [
    ratioFinding(
      'start to first answer',
      pairs(({ thereMs }) => thereMs),
      MOST_TIMES_FLOOR.start,
    ),
    ratioFinding(
      'start to first answer, gateway away',
      pairs(({ awayMs }) => awayMs),
      MOST_TIMES_FLOOR.start,
    ),
  ];
}

function memoryFindings({ process: { memory } }: Results): Finding[] {
  const { fresh, idle, busy, crowded, listed } = memory;
  const most = Math.max(...[fresh, idle, busy, crowded, listed].map(({ residentMiB }) => residentMiB));
  return [
    memoryFinding('resident memory after one Create', memory.idle.residentMiB, MOST_MEMORY.idle),
    memoryFinding('anonymous memory after one Create', memory.idle.anonymousMiB, MOST_MEMORY.idleAnonymous),
    memoryFinding('resident memory at most', most, MOST_MEMORY.most),
  ];
}

function memoryFinding(what: string, mib: number, most: number): Finding {
  const measured = `${mib.toFixed(0)} MiB`;
  return { what, limit: `≤ ${most} MiB`, measured, isKept: mib > 0 && mib <= most };
}

/** One measurement and the floor's beside it. */
interface Pair {
  readonly plugin: number;
  readonly floor: number;
}

function pairsOf({ plugin, floor }: Series): Pair[] {
  return plugin.flatMap((ms, number) => {
    const beside = floor[number];
    return beside === undefined ? [] : [{ plugin: ms, floor: beside }];
  });
}

/** The median of the pairs' ratios: both of a pair met the same mood of the machine. Nothing measured keeps no promise. */
function ratioFinding(what: string, pairs: readonly Pair[], most: number): Finding {
  const ratio = quantile(
    pairs.map(({ plugin, floor }) => plugin / floor),
    0.5,
  );
  return {
    what: `time of ${what}, to its floor's`,
    limit: `< ${most} ×`,
    measured: `${ratio.toFixed(2)} ×`,
    isKept: ratio < most,
  };
}
