import { BURST, type Results } from './measure.ts';
import { OPERATION } from './operations.ts';
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
};
const MOST_CALLS_OF_BURST = 2;
/** What an operation may take beyond its floor, without delay: the difference of the medians. */
const MOST_OVERHEAD_MS = 15;
const OVERHEAD_OF = [OPERATION.mount, OPERATION.mountAgain, OPERATION.unmount, OPERATION.unmountAgain];
/** Of the time to list 100,000 volumes to that of the same request read as JSON. */
const MOST_LIST_RATIO = 2;
const MANY = 100_000;
/** Of a takeover to the same done by hand. */
const MOST_TAKEOVER_RATIO = 1.5;

/** One promise of the design and what was measured. */
export interface Finding {
  readonly what: string;
  readonly limit: string;
  readonly measured: string;
  readonly isKept: boolean;
}

export function judge(results: Results): Finding[] {
  return [
    ...callFindings(results),
    ...burstFindings(results),
    ...overheadFindings(results),
    ...takeoverFindings(results),
    listFinding(results),
  ];
}

function seriesOf(
  results: Results,
  what: string,
  wanted: (at: { delayMs: number; volumes: number }) => boolean,
): Series[] {
  return [...results.cases, ...results.takeovers]
    .filter(wanted)
    .flatMap(({ series }) => series.entries().flatMap(([name, found]) => (name === what ? [found] : [])));
}

function callFindings(results: Results): Finding[] {
  return Object.entries(MOST_CALLS).map(([what, most]) => {
    const calls = Math.max(...seriesOf(results, what, () => true).map((series) => series.calls));
    return {
      what: `gateway calls of ${what}`,
      limit: `≤ ${most}`,
      measured: `${calls}`,
      isKept: calls <= most,
    };
  });
}

function burstFindings(results: Results): Finding[] {
  const calls = Math.max(...results.bursts.map((burst) => burst.calls));
  const what = `gateway calls of ${BURST} Gets at once`;
  const limit = `≤ ${MOST_CALLS_OF_BURST}`;
  return [{ what, limit, measured: `${calls}`, isKept: calls <= MOST_CALLS_OF_BURST }];
}

function overheadFindings(results: Results): Finding[] {
  return OVERHEAD_OF.map((what) => {
    const all = seriesOf(results, what, ({ delayMs }) => delayMs === 0);
    const p50 = (side: 'plugin' | 'floor'): number =>
      quantile(
        all.flatMap((series) => series[side]),
        0.5,
      );
    const overheadMs = p50('plugin') - p50('floor');
    return {
      what: `p50 of ${what} beyond its floor, no delay`,
      limit: `< ${MOST_OVERHEAD_MS} ms`,
      measured: `${overheadMs.toFixed(1)} ms`,
      isKept: overheadMs < MOST_OVERHEAD_MS,
    };
  });
}

function takeoverFindings({ takeovers }: Results): Finding[] {
  return takeovers.flatMap(({ delayMs, series }) => {
    const { plugin, floor } = series.of(OPERATION.takeOver);
    const ratio = quantile(plugin, 0.5) / quantile(floor, 0.5);
    return {
      what: `p50 of ${OPERATION.takeOver} to its floor, ${delayMs === 0 ? 'no' : `${delayMs} ms`} delay`,
      limit: `< ${MOST_TAKEOVER_RATIO} ×`,
      measured: `${ratio.toFixed(2)} ×`,
      isKept: ratio < MOST_TAKEOVER_RATIO,
    };
  });
}

function listFinding(results: Results): Finding {
  const all = seriesOf(results, OPERATION.list, ({ delayMs, volumes }) => delayMs === 0 && volumes === MANY);
  const ratio = Math.max(...all.map(({ plugin, floor }) => quantile(plugin, 0.5) / quantile(floor, 0.5)));
  return {
    what: `p50 of List of ${MANY.toLocaleString('en')} volumes to its floor, no delay`,
    limit: `< ${MOST_LIST_RATIO} ×`,
    measured: `${ratio.toFixed(2)} ×`,
    isKept: ratio < MOST_LIST_RATIO,
  };
}
