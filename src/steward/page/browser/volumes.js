import { byId, element, keep, part, setAttribute, setText, show } from './dom.js';
import { openable } from './opened.js';
import { setTime } from './times.js';
import { detailId, fillVolumeDetail, makeVolumeDetail } from './volume-detail.js';
import { byteWords, countWords, sizeWords, unreadWords } from './words.js';

/** @import {VolumeDetail} from '../detail-data.ts' */
/** @import {HolderView, Overview, VolumeView} from '../page-data.ts' */

/** @type {ReturnType<typeof openable<VolumeDetail>>} */
const opened = openable({
  path: (id) => `api/volumes/${encodeURIComponent(id)}`,
  onChange: () => {
    drawRows();
  },
});

/** @type {readonly VolumeView[]} */
let drawn = [];

/**
 * @param {Overview} overview
 * @param {string} search
 */
export function showVolumes({ volumes, prefix, inventory }, search) {
  const { total, attached, atRisk, matching, shown } = volumes;
  const lost =
    atRisk === 0 ? '' : `, ${atRisk.toLocaleString('en')} of them to hosts that have lost the array`;
  const counted = `${countWords(total, 'volume')}, ${attached.toLocaleString('en')} attached${lost}.`;
  const unread = unreadWords(inventory);
  setText(byId('volumes-summary'), unread ?? counted);
  setText(byId('filter-count'), countOf({ total, matching, shown: shown.length }, search));
  drawn = shown;
  drawRows();
  show(byId('volume-table'), shown.length > 0);
  show(byId('volumes-empty'), shown.length === 0);
  const named = prefix === '' ? '' : ` whose name begins with “${prefix}”`;
  const none = unread ?? `The array has no volume${named}.`;
  setText(byId('volumes-empty'), total === 0 ? none : `No volume fits “${search}”.`);
}

/**
 * @param {{ total: number, matching: number, shown: number }} counts
 * @param {string} search
 */
function countOf({ total, matching, shown }, search) {
  const fit = search === '' ? '' : `${matching.toLocaleString('en')} of ${total.toLocaleString('en')} fit`;
  const first = shown < matching ? `the first ${shown} are shown` : '';
  return [fit, first].filter(Boolean).join(', ');
}

/** The rows of the volumes that are shown, each with what it opens to below it. */
function drawRows() {
  const rows = drawn.flatMap((volume) => {
    const said = opened.said(volume.id);
    return said === undefined ? [{ volume }] : [{ volume }, { volume, said }];
  });
  keep(byId('volume-rows'), rows, {
    key: ({ volume, said }) => (said === undefined ? volume.id : detailId(volume.id)),
    make: ({ volume, said }) =>
      said === undefined ? makeVolume(volume) : makeVolumeDetail(volume.id, volume.name),
    fill: (row, { volume, said }) => {
      if (said === undefined) fillVolume(row, volume);
      else fillVolumeDetail(row, said);
    },
  });
}

/**
 * @param {VolumeView} volume
 * @returns {HTMLElement}
 */
function makeVolume({ id }) {
  const opener = element('button', {
    type: 'button',
    class: 'opener name',
    'data-part': 'name',
    'aria-controls': detailId(id),
  });
  opener.addEventListener('click', () => {
    opened.toggle(id);
  });
  const cell = (/** @type {string} */ label, /** @type {string} */ name, /** @type {string} */ css = '') =>
    element('td', { role: 'cell', 'data-label': label, class: css, 'data-part': name });
  return element(
    'tr',
    { role: 'row' },
    element(
      'th',
      { role: 'rowheader', scope: 'row', 'data-label': 'Volume' },
      opener,
      element('span', { 'data-part': 'tags', class: 'muted' }),
    ),
    element(
      'td',
      { role: 'cell', 'data-label': 'Attached to' },
      element('ul', { class: 'holders', 'data-part': 'holders' }),
    ),
    cell('Size', 'size', 'number'),
    cell('I/O now', 'io', 'number'),
    cell('Pool', 'pool'),
    element('td', { role: 'cell', 'data-label': 'Created' }, element('time', { 'data-part': 'created' })),
  );
}

/**
 * @param {Element} row
 * @param {VolumeView} volume
 */
function fillVolume(row, volume) {
  const { name, sizeKiB, pool, createdAt, isReadOnly, isSnapshot, isMappedToAll, holders, io } = volume;
  setText(part(row, 'name'), name);
  setAttribute(part(row, 'name'), 'aria-expanded', String(opened.said(volume.id) !== undefined));
  setAttribute(part(row, 'name'), 'title', `${name} (${volume.id} on the array)`);
  const tags = [isSnapshot ? 'snapshot' : '', isReadOnly ? 'read-only' : ''].filter(Boolean).join(', ');
  setText(part(row, 'tags'), tags === '' ? '' : ` ${tags}`);
  setText(part(row, 'size'), sizeWords(sizeKiB));
  setAttribute(part(row, 'size'), 'title', byteWords(sizeKiB));
  setText(part(row, 'io'), io === null ? 'not known' : `${Math.round(io.iops).toLocaleString('en')} IOPS`);
  setAttribute(part(row, 'io'), 'title', io === null ? '' : `${sizeWords(io.kibPerSecond)}/s`);
  setText(part(row, 'pool'), pool);
  if (createdAt !== null) setTime(part(row, 'created'), createdAt);
  const nobody = isMappedToAll ? 'every host may use it' : 'nobody';
  /** @type {(HolderView | string)[]} */
  const all = holders.length === 0 ? [nobody] : [...holders];
  keep(part(row, 'holders'), all, {
    key: (holder) => (typeof holder === 'string' ? '' : holder.sdcId),
    make: makeHolder,
    fill: (item, holder) => {
      fillHolder(item, holder, isReadOnly);
    },
  });
}

/** @returns {HTMLElement} */
function makeHolder() {
  return element(
    'li',
    {},
    element('span', { class: 'badge', 'data-part': 'host' }),
    element('span', { class: 'muted', 'data-part': 'how' }),
    element('time', { class: 'muted', 'data-part': 'since' }),
    element('span', { class: 'muted', 'data-part': 'limits' }),
  );
}

/**
 * @param {Element} item
 * @param {HolderView | string} holder
 * @param {boolean} isReadOnly
 */
function fillHolder(item, holder, isReadOnly) {
  const isHost = typeof holder !== 'string';
  setText(part(item, 'host'), isHost ? hostWords(holder) : holder);
  setAttribute(part(item, 'host'), 'data-tone', isHost ? toneOf(holder) : 'quiet');
  setText(part(item, 'how'), isHost ? howWords(holder, isReadOnly) : '');
  show(part(item, 'since'), isHost && holder.since !== null);
  if (isHost && holder.since !== null) setTime(part(item, 'since'), holder.since);
  setText(part(item, 'limits'), isHost ? limitWords(holder) : '');
}

/** @param {HolderView} holder */
function hostWords({ label, isLastKnown, isConnected }) {
  const host = isLastKnown ? `${label} (last known)` : label;
  if (isConnected === null) return `${host}: the array does not say whether it is there`;
  return isConnected ? host : `${host}: has lost the array`;
}

/** @param {HolderView} holder */
function toneOf({ isConnected }) {
  return isConnected === true ? 'good' : 'bad';
}

/**
 * The time itself follows, where it is known: the steward has not seen the beginning of what was so when it began to look.
 * @param {HolderView} holder
 * @param {boolean} isReadOnly
 */
function howWords({ since }, isReadOnly) {
  return ` ${isReadOnly ? 'read-only' : 'read-write'}${since === null ? '' : ', since '}`;
}

/** @param {HolderView} holder */
function limitWords({ limitIops, limitBwKiBs }) {
  const limits = [
    limitIops === 0 ? '' : `${limitIops.toLocaleString('en')} IOPS`,
    limitBwKiBs === 0 ? '' : `${sizeWords(limitBwKiBs)}/s`,
  ].filter(Boolean);
  return limits.length === 0 ? '' : `, at most ${limits.join(' and ')}`;
}
