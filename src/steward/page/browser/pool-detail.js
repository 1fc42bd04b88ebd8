import { fillChart, fillIoCharts, makeChart, makeIoCharts } from './charts.js';
import { element, part, setText, show } from './dom.js';
import { sizeWords } from './words.js';

/** @import {PoolDetail} from '../detail-data.ts' */

const DAY_SECONDS = 86_400;

const CAPACITY = /** @type {const} */ ({
  name: 'use',
  title: 'Used',
  lines: [
    ['so far', 'line-one'],
    ['by the forecast', 'line-two'],
  ],
  words: sizeWords,
});

/** What a pool opens to, below its card. */
export function makePoolDetail() {
  return element(
    'div',
    { 'data-part': 'detail', class: 'pool-detail' },
    element('p', { class: 'muted', role: 'status', 'data-part': 'why' }),
    element('div', { class: 'charts', 'data-part': 'all' }, makeIoCharts(), makeChart(CAPACITY)),
  );
}

/**
 * @param {Element} card
 * @param {{ answer: PoolDetail | undefined, why: string } | undefined} said
 */
export function fillPoolDetail(card, said) {
  show(part(card, 'detail'), said !== undefined);
  if (said === undefined) return;
  const { answer, why } = said;
  setText(part(card, 'why'), why);
  show(part(card, 'why'), why !== '');
  show(part(card, 'all'), answer !== undefined);
  if (answer === undefined) return;
  fillIoCharts(card, answer.io);
  fillChart(card, CAPACITY, capacityColumns(answer.capacity));
}

/**
 * The forecast's line begins where the history ends, and reaches as far ahead as that goes back, or until the pool is full.
 * @param {PoolDetail['capacity']} capacity
 */
function capacityColumns({ atSeconds, usedKiB, roomKiB, forecast }) {
  const [first] = atSeconds;
  const last = atSeconds.at(-1);
  const used = usedKiB.at(-1);
  if (first === undefined || last === undefined || used === undefined) return null;
  const none = usedKiB.map(() => null);
  if (forecast.kind !== 'full' || last === first) return [atSeconds, usedKiB, none];
  const perSecond = forecast.kibPerDay / DAY_SECONDS;
  const untilFull = perSecond <= 0 ? Infinity : (roomKiB - used) / perSecond;
  const ahead = Math.max(1, Math.min(last - first, untilFull));
  return [
    [...atSeconds, last + ahead],
    [...usedKiB, null],
    [...none.slice(1), used, used + perSecond * ahead],
  ];
}
