import { DELAYS_MS, type Case, type Results } from './measure.ts';
import { count } from './report.ts';
import { summary, type Series } from './samples.ts';

const LEFT = 200;
const PANEL = 330;
const GAP = 46;
const TOP = 74;
const LANE = 13;
const SPACE = 9;
/** The ends of the axis, ms: powers of ten. */
const FROM = -1;
const TO = 4;

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; }
.small { font-size: 10.5px; fill: #57606a; }
.grid { stroke: #d0d7de; }
.beyond { stroke: #0969da; stroke-width: 2; }
.late { stroke: #0969da; stroke-width: 1; stroke-dasharray: 2 2; }
.plugin { fill: #0969da; }
.floor { fill: #ffffff; stroke: #bc4c00; stroke-width: 1.6; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .small { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .beyond, .late { stroke: #58a6ff; }
  .plugin { fill: #58a6ff; }
  .floor { fill: #0d1117; stroke: #f0883e; }
}`;

/** A picture of each operation beside its floor, by delay and number of volumes, readable on light and dark ground. */
export function plot(results: Results): string {
  const names = results.cases[0]?.series.entries().map(([name]) => name) ?? [];
  const lanes = new Set(results.cases.map(({ volumes }) => volumes)).size;
  const rowHeight = lanes * LANE + SPACE;
  const height = TOP + names.length * rowHeight + 30;
  const width = LEFT + DELAYS_MS.length * (PANEL + GAP);
  const row = (name: string): number => TOP + names.indexOf(name) * rowHeight;
  const parts = [
    heading(results),
    ...names.map((name) => text(LEFT - 62, row(name) + (lanes * LANE) / 2 + 4, name, 'text-anchor="end"')),
    ...names.flatMap((name) => laneLabels(results, row(name))),
    ...DELAYS_MS.flatMap((delayMs, panel) => {
      const left = LEFT + panel * (PANEL + GAP);
      const cases = results.cases.filter((one) => one.delayMs === delayMs);
      return [
        axis(left, height - 24, delayMs),
        ...cases.flatMap((one, lane) => dots(one, { left, lane, row })),
      ];
    }),
  ];
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n<style>${STYLE}\n</style>\n${parts.join('\n')}\n</svg>\n`;
}

function heading({ cases }: Results): string {
  const sizes = [...new Set(cases.map(({ volumes }) => count(volumes)))].join(', ');
  return [
    text(10, 22, 'Each operation beside its floor', 'class="title"'),
    text(10, 40, `The three lines of an operation: ${sizes} volumes on the array.`, 'class="small"'),
    circle(LEFT + PANEL + GAP + 6, 36, 'floor'),
    text(LEFT + PANEL + GAP + 16, 40, 'by hand, p50'),
    circle(LEFT + PANEL + GAP + 116, 36, 'plugin'),
    text(LEFT + PANEL + GAP + 126, 40, 'plugin, p50; dashed to its p95'),
  ].join('\n');
}

function laneLabels({ cases }: Results, top: number): string[] {
  const sizes = [...new Set(cases.map(({ volumes }) => volumes))];
  return sizes.map((volumes, lane) =>
    text(LEFT - 8, top + lane * LANE + 10, count(volumes), 'class="small" text-anchor="end"'),
  );
}

function axis(left: number, bottom: number, delayMs: number): string {
  const marks = Array.from({ length: TO - FROM + 1 }, (_, step) => 10 ** (FROM + step));
  return [
    text(left, TOP - 12, `${delayMs} ms added per request`),
    ...marks.flatMap((mark) => [
      line(x(mark, left), x(mark, left), { top: TOP - 4, bottom: bottom - 6 }, 'grid'),
      text(x(mark, left), bottom + 8, label(mark), 'class="small" text-anchor="middle"'),
    ]),
  ].join('\n');
}

function dots(one: Case, at: { left: number; lane: number; row: (name: string) => number }): string[] {
  return one.series.entries().map(([name, series]) => {
    const y = at.row(name) + at.lane * LANE + 6;
    return dot(series, at.left, y);
  });
}

function dot(series: Series, left: number, y: number): string {
  const plugin = summary(series.plugin);
  const level = { top: y, bottom: y };
  const parts = [line(x(plugin.p50, left), x(plugin.p95, left), level, 'late')];
  if (series.floor.length > 0) {
    const floor = summary(series.floor);
    parts.push(line(x(floor.p50, left), x(plugin.p50, left), level, 'beyond'));
    parts.push(circle(x(floor.p50, left), y, 'floor'));
  }
  return [...parts, circle(x(plugin.p50, left), y, 'plugin')].join('\n');
}

function x(ms: number, left: number): number {
  const share = (Math.log10(Math.max(ms, 10 ** FROM)) - FROM) / (TO - FROM);
  return Math.round((left + Math.min(1, share) * PANEL) * 10) / 10;
}

function label(ms: number): string {
  return ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}

function text(left: number, y: number, words: string, attributes = ''): string {
  return `<text x="${left}" y="${y}" ${attributes}>${words.replaceAll('&', '&amp;')}</text>`;
}

function circle(left: number, y: number, kind: string): string {
  return `<circle cx="${left}" cy="${y}" r="3.6" class="${kind}"/>`;
}

function line(from: number, to: number, at: { top: number; bottom: number }, kind: string): string {
  return `<line x1="${from}" x2="${to}" y1="${at.top}" y2="${at.bottom}" class="${kind}"/>`;
}
