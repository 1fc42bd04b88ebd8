import { byId, element, keep, part, setAttribute, setText, show } from './dom.js';
import { openable } from './opened.js';
import { fillPoolDetail, makePoolDetail } from './pool-detail.js';
import { nowMs } from './times.js';
import { byteWords, countWords, forecastWords, sizeWords, trashWords, unreadWords } from './words.js';

/** @import {PoolDetail} from '../detail-data.ts' */
/** @import {Overview, PoolView} from '../page-data.ts' */

/** @type {ReturnType<typeof openable<PoolDetail>>} */
const opened = openable({
  path: (id) => `api/pools/${encodeURIComponent(id)}`,
  onChange: () => {
    drawCards();
  },
});

/** @type {readonly PoolView[]} */
let drawn = [];

const LEVELS = /** @type {const} */ ({
  ok: ['OK', 'good'],
  warn: ['Warning', 'warn'],
  critical: ['Critical', 'bad'],
  unknown: ['Unknown', 'warn'],
});

/** What the longer label of the two takes. */
const TICK_ROOM = '6em';

/** @type {readonly (readonly [part: 'used' | 'unused' | 'spare' | 'committed', words: string])[]} */
const FACTS = [
  ['used', 'Used'],
  ['unused', 'Unused'],
  ['spare', 'Spare'],
  ['committed', 'Committed'],
];

/** @type {readonly (readonly [name: 'rebuild' | 'rebalance', words: string])[]} */
const MOVING = [
  ['rebuild', 'Rebuild'],
  ['rebalance', 'Rebalance'],
];

/** @param {Overview} overview */
export function showPools({ pools, acts, problems, space }) {
  const mode = acts ? 'The steward acts as its policy says.' : 'Dry run: the steward changes nothing.';
  setText(byId('pools-summary'), [mode, ...problems.map((problem) => `Policy: ${problem}.`)].join(' '));
  drawn = pools;
  drawCards();
  show(byId('pools-empty'), pools.length === 0);
  setText(byId('pools-empty'), unreadWords(space) ?? 'The array has no storage pool.');
}

function drawCards() {
  keep(byId('pool-list'), drawn, { key: ({ id }) => id, make: makePool, fill: fillPool });
}

/** What is used, spare and committed as lengths, with the thresholds of the policy. */
function makeBar() {
  const bar = element(
    'div',
    { class: 'bar', role: 'meter', 'aria-valuemin': '0', 'aria-valuemax': '100', 'data-part': 'bar' },
    ...['bar-used', 'bar-spare', 'bar-warn', 'bar-critical'].map((name) =>
      element('span', { class: name, 'data-part': name }),
    ),
  );
  return [
    bar,
    element(
      'div',
      { class: 'ticks', 'aria-hidden': 'true', 'data-part': 'ticks' },
      ...['warn', 'critical'].map((level) => element('span', { 'data-part': `tick-${level}` })),
    ),
    element('div', { class: 'committed' }, element('span', { 'data-part': 'bar-committed' })),
  ];
}

/**
 * @param {PoolView} pool
 * @returns {HTMLElement}
 */
function makePool({ id }) {
  const opener = element('button', { type: 'button', class: 'opener', 'data-part': 'opener' }, 'Charts');
  opener.addEventListener('click', () => {
    opened.toggle(id);
  });
  const facts = FACTS.map(([name, words]) =>
    element(
      'div',
      { class: 'fact' },
      element('dt', { 'data-swatch': name }, words),
      element('dd', { 'data-part': name }),
    ),
  );
  return element(
    'li',
    { class: 'card pool' },
    element(
      'h3',
      {},
      element('span', { 'data-part': 'name' }),
      element('span', { class: 'badge', 'data-part': 'level' }),
    ),
    element(
      'p',
      { class: 'percent' },
      element('strong', { 'data-part': 'percent' }),
      ' of what is not spare is used',
    ),
    ...makeBar(),
    element('dl', { class: 'facts' }, ...facts),
    element(
      'p',
      {},
      element('span', { class: 'muted' }, 'Forecast: '),
      element('span', { 'data-part': 'forecast' }),
    ),
    ...MOVING.map(([name, words]) =>
      element(
        'p',
        { 'data-part': name },
        element('span', { 'data-part': `${name}-words` }),
        element('progress', { max: '100', 'aria-label': words, 'data-part': `${name}-done` }),
      ),
    ),
    element('p', { 'data-part': 'trash' }),
    element('p', { class: 'muted', 'data-part': 'growth' }),
    element('p', { class: 'trouble', 'data-part': 'trouble' }),
    element('p', {}, opener),
    makePoolDetail(),
  );
}

/**
 * @param {Element} card
 * @param {PoolView} pool
 */
function fillPool(card, pool) {
  const { domain, name, level, usedPercent, usedKiB, unusedKiB, spareKiB, committedKiB } = pool;
  const [word, tone] = LEVELS[level];
  setText(part(card, 'name'), `${domain}/${name}`);
  const said = opened.said(pool.id);
  setAttribute(part(card, 'opener'), 'aria-label', `Charts of ${domain}/${name}`);
  setAttribute(part(card, 'opener'), 'aria-expanded', String(said !== undefined));
  fillPoolDetail(card, said);
  setText(part(card, 'level'), pool.watched === null ? 'not in the policy' : word);
  setAttribute(part(card, 'level'), 'data-tone', pool.watched === null ? 'quiet' : tone);
  setAttribute(card, 'data-level', level);
  setText(part(card, 'percent'), `${usedPercent.toFixed(1)} %`);
  fillBar(card, pool);
  const sizes = { used: usedKiB, unused: unusedKiB, spare: spareKiB, committed: committedKiB };
  for (const [fact] of FACTS) {
    setText(part(card, fact), sizeWords(sizes[fact]));
    setAttribute(part(card, fact), 'title', byteWords(sizes[fact]));
  }
  setText(part(card, 'forecast'), forecastWords(pool.forecast, nowMs()));
  for (const [moving, words] of MOVING) {
    const progress = pool[moving];
    show(part(card, moving), progress !== null);
    if (progress === null) continue;
    const { leftKiB, percent } = progress;
    setText(
      part(card, `${moving}-words`),
      `${words}: ${percent.toFixed(0)} % done, ${sizeWords(leftKiB)} left `,
    );
    setAttribute(part(card, `${moving}-done`), 'value', percent.toFixed(1));
  }
  setText(part(card, 'trash'), trashWords(pool.trash));
  show(part(card, 'trash'), pool.trash !== null && pool.trash.volumes > 0);
  const growth = pool.growth === null ? '' : `Growth: ${pool.growth}`;
  setText(part(card, 'growth'), [countWords(pool.devices, 'device'), growth].filter(Boolean).join('. '));
  const trouble = [
    ...(pool.contradiction === null ? [] : [`the numbers cannot all be true: ${pool.contradiction}`]),
  ];
  setText(part(card, 'trouble'), [...trouble, ...pool.health].join('; '));
  show(part(card, 'trouble'), trouble.length + pool.health.length > 0);
}

/**
 * Widths are parts of all there is, spare included.
 * @param {Element} card
 * @param {PoolView} pool
 */
function fillBar(card, { name, limitKiB, usedKiB, spareKiB, committedKiB, usedPercent, watched }) {
  /** @param {number} kib */
  const share = (kib) => (limitKiB <= 0 ? 0 : Math.min(100, (kib / limitKiB) * 100));
  const bar = part(card, 'bar');
  setAttribute(bar, 'aria-label', `Use of pool ${name}`);
  setAttribute(bar, 'aria-valuenow', Math.min(100, usedPercent).toFixed(1));
  const committed = `${sizeWords(committedKiB)} committed to thin volumes`;
  setAttribute(
    bar,
    'aria-valuetext',
    [`${usedPercent.toFixed(1)} %`, `${sizeWords(usedKiB)} used`, committed, ...thresholdWords(watched)].join(
      ', ',
    ),
  );
  part(card, 'bar-used').style.width = `${share(usedKiB)}%`;
  part(card, 'bar-spare').style.width = `${share(spareKiB)}%`;
  part(card, 'bar-committed').style.width = `${share(committedKiB)}%`;
  show(part(card, 'ticks'), watched !== null);
  for (const level of /** @type {const} */ (['warn', 'critical'])) {
    const tick = part(card, `bar-${level}`);
    show(tick, watched !== null);
    if (watched === null) continue;
    const place = share(((limitKiB - spareKiB) * watched[level]) / 100);
    tick.style.left = `${place}%`;
    const label = part(card, `tick-${level}`);
    setText(label, `${level} ${watched[level]} %`);
    // One ends and the other begins at its tick, and they do not meet however near those are to each other and to the end.
    if (level === 'warn') label.style.right = `max(${100 - place}%, ${TICK_ROOM} + 0.6em)`;
    else label.style.left = `min(${place}%, 100% - ${TICK_ROOM})`;
  }
}

/** @param {PoolView['watched']} watched */
function thresholdWords(watched) {
  return watched === null ? [] : [`warning at ${watched.warn} %, critical at ${watched.critical} %`];
}
