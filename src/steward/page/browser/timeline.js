import { byId, element, icon, keep, part, setAttribute, setText, show } from './dom.js';
import { setTime } from './times.js';
import { countWords, unreadWords } from './words.js';

/** @import {Overview, TimelineEntry} from '../page-data.ts' */

const FIRST = 25;
/** More news than that at once is summed up for who listens. */
const MOST_TOLD = 3;

/** @type {Record<TimelineEntry['kind'], readonly [words: string, tone: string]>} */
const KINDS = {
  takeover: ['Takeover', 'warn'],
  moved: ['Moved', 'info'],
  attached: ['Attached', 'info'],
  released: ['Released', 'quiet'],
  created: ['Created', 'info'],
  removed: ['Removed', 'quiet'],
  'host-lost': ['Host lost', 'bad'],
  'host-back': ['Host back', 'good'],
  growth: ['Growth', 'info'],
  level: ['Level', 'warn'],
  sight: ['Sight of the array', 'warn'],
  alert: ['Alert', 'warn'],
  cleanup: ['Clean-up', 'quiet'],
  asked: ['Asked for', 'info'],
};

/** @type {Set<string> | undefined} */
let known;
let isOpen = false;
/** @type {readonly TimelineEntry[]} */
let entries = [];

/** @param {Overview} overview */
export function showTimeline({ timeline, inventory }) {
  entries = timeline;
  setText(
    byId('timeline-empty'),
    unreadWords(inventory) ?? 'Nothing has happened since the steward began to look.',
  );
  announceNews();
  draw();
}

/** The button under the timeline. */
export function wireTimeline() {
  byId('timeline-more').addEventListener('click', () => {
    isOpen = !isOpen;
    draw();
  });
}

function draw() {
  const shown = isOpen ? entries : entries.slice(0, FIRST);
  keep(byId('timeline-entries'), shown, { key: ({ id }) => id, make: makeEntry, fill: fillEntry });
  show(byId('timeline-empty'), entries.length === 0);
  const more = byId('timeline-more');
  show(more, entries.length > FIRST);
  setText(
    more,
    isOpen
      ? 'Show only the latest'
      : `Show ${countWords(entries.length - FIRST, 'older entry').replace('entrys', 'entries')}`,
  );
  setAttribute(more, 'aria-expanded', String(isOpen));
}

/** What happened since the page was opened, for screen readers; what had happened before is there to be read. */
function announceNews() {
  const before = known;
  known = new Set(entries.map(({ id }) => id));
  if (before === undefined) return;
  const news = entries.filter(({ id }) => !before.has(id)).map(({ text }) => text);
  const [latest = ''] = news;
  if (news.length === 0) return;
  const told =
    news.length > MOST_TOLD ? `${news.length} changes, the latest: ${latest}` : news.reverse().join('. ');
  setText(byId('announcer'), told);
}

/**
 * @param {TimelineEntry} entry
 * @returns {HTMLElement}
 */
function makeEntry({ kind }) {
  const mark = element('span', { class: 'mark', 'data-tone': KINDS[kind][1] });
  mark.append(icon(kind));
  return element(
    'li',
    {},
    mark,
    element(
      'div',
      {},
      element(
        'p',
        {},
        element('strong', { 'data-part': 'kind' }),
        ' ',
        element('time', { class: 'muted', 'data-part': 'at' }),
        ' ',
        element(
          'a',
          { href: `runbook#${kind}`, 'aria-label': `${KINDS[kind][0]}: what to do` },
          'what to do',
        ),
      ),
      element('p', { 'data-part': 'text' }),
    ),
  );
}

/**
 * @param {Element} item
 * @param {TimelineEntry} entry
 */
function fillEntry(item, { kind, outcome, text, at }) {
  const [words] = KINDS[kind];
  setText(part(item, 'kind'), outcome === null ? words : `${words}, ${outcome}`);
  setText(part(item, 'text'), text);
  setTime(part(item, 'at'), at);
}
