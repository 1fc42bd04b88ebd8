import { MOST_CALLS, type Finding } from './budgets.ts';
import { BURST, DELAYS_MS, VOLUMES, type Case, type Results } from './measure.ts';
import type { Start } from './process-costs.ts';
import type { Memory } from './programs.ts';
import { summary, quantile, type Series } from './samples.ts';

type Row = readonly string[];

/** The tables of docs/benchmark.md, of which the first ones are also printed. */
export function budgetTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ what, limit, measured, isKept }) => [
    what,
    limit,
    measured,
    isKept ? 'kept' : 'BROKEN',
  ]);
  return table(['budget', 'limit', 'measured', ''], rows);
}

/** One table per delay: a row for each operation, a column for each number of volumes. */
export function operationTables(results: Results): string {
  return DELAYS_MS.map((delayMs) => {
    const cases = results.cases.filter((one) => one.delayMs === delayMs);
    const columns = VOLUMES.map((volumes) => `${count(volumes)} volumes`);
    const [first] = cases;
    const names = first?.series.entries().map(([name]) => name) ?? [];
    const rows = names.map((name) => {
      const all = cases.map((one) => seriesIn(one, name));
      const calls = Math.max(...all.map((series) => series?.calls ?? 0));
      return [name, `${calls} of ${MOST_CALLS[name] ?? 0}`, ...all.map(cell)];
    });
    return `### ${delayMs} ms added per request\n\n${table(['operation', 'calls', ...columns], rows)}`;
  }).join('\n\n');
}

export function parallelTable(results: Results): string {
  const rows = results.parallel.flatMap(({ delayMs, series }) =>
    series.entries().map(([name, found]) => {
      const { plugin, floor } = { plugin: summary(found.plugin), floor: summary(found.floor) };
      const each = found.plugin.length / found.pluginWalls.length;
      const rate = (walls: readonly number[]): string => ((each / quantile(walls, 0.5)) * 1000).toFixed(0);
      return [
        `${delayMs} ms`,
        name,
        `${found.calls}`,
        `${rate(found.pluginWalls)} / s`,
        `${rate(found.floorWalls)} / s`,
        `${ms(plugin.p50)} / ${ms(plugin.p95)}`,
        `${ms(floor.p50)} / ${ms(floor.p95)}`,
        ratio(plugin.p50, floor.p50),
      ];
    }),
  );
  const columns = ['plugin', 'floor', 'plugin p50 / p95', 'floor p50 / p95', 'ratio'];
  return table(['delay', 'at once', 'calls', ...columns], rows);
}

/** Both quantiles of a takeover beside those of its floor. */
export function takeoverTable({ takeovers }: Results): string {
  const rows = takeovers.flatMap(({ delayMs, series }) =>
    series.entries().map(([name, found]) => {
      const { plugin, floor } = { plugin: summary(found.plugin), floor: summary(found.floor) };
      return [
        `${delayMs} ms`,
        `${found.calls} of ${MOST_CALLS[name] ?? 0}`,
        `${plugin.count}`,
        `${ms(plugin.p50)} / ${ms(plugin.p95)}`,
        `${ms(floor.p50)} / ${ms(floor.p95)}`,
        `${ratio(plugin.p50, floor.p50)} / ${ratio(plugin.p95, floor.p95)}`,
      ];
    }),
  );
  const columns = ['plugin p50 / p95', 'floor p50 / p95', 'ratio p50 / p95'];
  return table(['delay', 'calls', 'samples', ...columns], rows);
}

/** They have no floor: what they take is the array's time, of so many calls. */
export function servicesTable({ services }: Results): string {
  const names = services[0]?.series.entries().map(([name]) => name) ?? [];
  const rows = names.map((name) => {
    const all = services.map((one) => seriesIn(one, name));
    const calls = Math.max(...all.map((series) => series?.calls ?? 0));
    return [name, `${calls} of ${MOST_CALLS[name] ?? 0}`, ...all.map(cell)];
  });
  return table(['operation', 'calls', ...services.map(({ delayMs }) => `${delayMs} ms delay`)], rows);
}

export function burstTable({ bursts }: Results): string {
  const rows = bursts.map(({ delayMs, volumes, isKnown, calls, ms: took }) => [
    count(volumes),
    `${delayMs} ms`,
    isKnown ? 'yes' : 'no',
    `${calls}`,
    `${ms(took)} ms`,
  ]);
  return table(['volumes', 'delay', 'asked about before', 'calls', `last of ${BURST} answered after`], rows);
}

export function processTable({ process: costs }: Results): string {
  const of = ({ residentMiB, anonymousMiB }: Memory): string =>
    `${residentMiB.toFixed(0)} MiB (${anonymousMiB.toFixed(0)})`;
  const many = count(Math.max(...VOLUMES));
  const start = (of: (start: Start) => number): string => `${ms(quantile(costs.starts.map(of), 0.5))} ms`;
  return table(
    ['process', ''],
    [
      ['start to first answer', start(({ thereMs }) => thereMs)],
      ['the same, gateway away', start(({ awayMs }) => awayMs)],
      ['the same of a bare server', start(({ bareMs }) => bareMs)],
      ['resident memory after the start (of which anonymous)', of(costs.memory.fresh)],
      ['… after one Create', of(costs.memory.idle)],
      ['… after 10,000 operations', of(costs.memory.busy)],
      ['… after 64 volumes were made and mounted at once', of(costs.memory.crowded)],
      [`… after three Lists of ${many} volumes`, of(costs.memory.listed)],
    ],
  );
}

function seriesIn({ series }: Case, name: string): Series | undefined {
  return series.entries().find(([found]) => found === name)?.[1];
}

/** p50 / p95 of the plugin, then what the floor took and the ratio. */
function cell(series: Series | undefined): string {
  if (series === undefined) return '';
  const plugin = summary(series.plugin);
  const own = `${ms(plugin.p50)} / ${ms(plugin.p95)}`;
  if (series.floor.length === 0) return own;
  const floor = summary(series.floor);
  return `${own} · ${ms(floor.p50)} · ${ratio(plugin.p50, floor.p50)}`;
}

export function ms(value: number): string {
  return value >= 100 ? count(Math.round(value)) : value.toFixed(1);
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

function ratio(plugin: number, floor: number): string {
  return `${(plugin / floor).toFixed(2)} ×`;
}

function table(head: Row, rows: readonly Row[]): string {
  const line = (row: Row): string => `| ${row.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
