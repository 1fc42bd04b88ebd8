import { element, part, setText } from './dom.js';
import uPlot from './uplot.js';
import { sizeWords } from './words.js';

/** @import {IoHistory} from '../detail-data.ts' */

/**
 * @typedef {{
 *   name: string,
 *   title: string,
 *   lines: readonly (readonly [words: string, css: string])[],
 *   words: (value: number) => string,
 * }} ChartKind
 */

/** @typedef {readonly (readonly (number | null)[])[]} Columns */

const HEIGHT = 120;
const AXIS_WIDTH = 72;
const AXIS_FONT = '12px system-ui, sans-serif';
const READ_AND_WRITE = /** @type {const} */ ([
  ['read', 'line-one'],
  ['write', 'line-two'],
]);

/** @type {readonly ChartKind[]} */
const IO_KINDS = [
  { name: 'iops', title: 'IOPS', lines: READ_AND_WRITE, words: countOf },
  { name: 'bandwidth', title: 'Bandwidth', lines: READ_AND_WRITE, words: (kib) => `${sizeWords(kib)}/s` },
  { name: 'latency', title: 'Latency', lines: READ_AND_WRITE, words: (us) => `${countOf(us / 1000)} ms` },
];

/** What each box shows, and with which plot once it has a width. */
const boxes =
  /** @type {WeakMap<Element, { kind: ChartKind, columns: Columns, plot: uPlot | undefined }>} */ (
    new WeakMap()
  );

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) fit(target, contentRect.width);
});

/** Charts of reads and writes over the last hour. */
export function makeIoCharts() {
  return element(
    'div',
    { class: 'charts', 'data-part': 'io' },
    element('p', { class: 'muted', 'data-part': 'io-none' }),
    ...IO_KINDS.map(makeChart),
  );
}

/**
 * @param {Element} parent
 * @param {IoHistory | null} io
 */
export function fillIoCharts(parent, io) {
  setText(
    part(parent, 'io-none'),
    io === null ? 'I/O of the last hour: nothing is known yet.' : 'I/O of the last hour',
  );
  const [iops, bandwidth, latency] = IO_KINDS;
  if (iops === undefined || bandwidth === undefined || latency === undefined) return;
  fillChart(parent, iops, io && [io.atSeconds, io.readIops, io.writeIops]);
  fillChart(parent, bandwidth, io && [io.atSeconds, io.readKiBps, io.writeKiBps]);
  fillChart(parent, latency, io && [io.atSeconds, io.readLatencyUs, io.writeLatencyUs]);
}

/**
 * A chart, and in words for who does not see it what it says.
 * @param {ChartKind} kind
 */
export function makeChart(kind) {
  const { name, title, lines } = kind;
  const box = element('div', { class: 'plot', 'aria-hidden': 'true', 'data-part': `${name}-plot` });
  boxes.set(box, { kind, columns: [], plot: undefined });
  sizes.observe(box);
  return element(
    'figure',
    { 'data-part': name },
    element(
      'figcaption',
      {},
      element('strong', {}, `${title}: `),
      ...lines.flatMap(([words, css], index) => [
        index === 0 ? '' : ', ',
        element('span', { class: css }, words),
        element('span', { 'data-part': `${name}-${index}` }),
      ]),
    ),
    box,
  );
}

/**
 * @param {Element} parent
 * @param {ChartKind} kind
 * @param {Columns | null} columns the first one seconds since 1970
 */
export function fillChart(parent, kind, columns) {
  const figure = part(parent, kind.name);
  figure.hidden = columns === null;
  if (columns === null) return;
  for (const [index] of kind.lines.entries())
    setText(part(figure, `${kind.name}-${index}`), lineWords(columns[index + 1] ?? [], kind.words));
  const box = part(figure, `${kind.name}-plot`);
  const known = boxes.get(box);
  if (known === undefined) return;
  boxes.set(box, { ...known, columns });
  known.plot?.setData(dataOf(columns));
}

/**
 * @param {readonly (number | null)[]} values
 * @param {(value: number) => string} words
 */
function lineWords(values, words) {
  const known = values.filter((value) => value !== null);
  const last = values.at(-1) ?? null;
  if (known.length === 0) return ' not known';
  return ` ${last === null ? 'not known now' : words(last)} (at most ${words(Math.max(...known))})`;
}

/**
 * @param {Element} box
 * @param {number} width
 */
function fit(box, width) {
  const known = boxes.get(box);
  if (known === undefined) return;
  const { kind, columns, plot } = known;
  if (!box.isConnected) {
    plot?.destroy();
    sizes.unobserve(box);
  } else if (width < 1) return;
  else if (plot !== undefined) plot.setSize({ width, height: HEIGHT });
  else if (box instanceof HTMLElement)
    boxes.set(box, { ...known, plot: new uPlot(optionsOf(kind, box, width), dataOf(columns), box) });
}

/**
 * @param {ChartKind} kind
 * @param {HTMLElement} box
 * @param {number} width
 * @returns {uPlot.Options}
 */
function optionsOf({ lines, words }, box, width) {
  // The style sheet has the colours of both themes, and a canvas only knows such as are computed.
  const muted = () => getComputedStyle(box).color;
  const axis = {
    stroke: muted,
    font: AXIS_FONT,
    grid: { stroke: muted, width: 0.2 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    cursor: { show: false },
    legend: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      axis,
      { ...axis, size: AXIS_WIDTH, values: (_plot, values) => values.map((value) => words(value)) },
    ],
    series: [
      {},
      ...lines.map(([label, css]) => ({
        label,
        width: 1.5,
        points: { size: 4 },
        stroke: () => colourOf(box, css),
      })),
    ],
  };
}

/**
 * @param {HTMLElement} box
 * @param {string} css
 */
function colourOf(box, css) {
  const sample = box.parentElement?.querySelector(`.${css}`);
  return getComputedStyle(sample ?? box).color;
}

/**
 * @param {Columns} columns
 * @returns {uPlot.AlignedData}
 */
function dataOf(columns) {
  const [at = [], ...lines] = columns;
  return [at.map((seconds) => seconds ?? 0), ...lines.map((line) => [...line])];
}

/** @param {number} value */
function countOf(value) {
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 });
}
