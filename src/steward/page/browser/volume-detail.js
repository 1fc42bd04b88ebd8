import { fillIoCharts, makeIoCharts } from './charts.js';
import { element, keep, part, setAttribute, setText, show } from './dom.js';
import { nowMs, setTime } from './times.js';
import { byteWords, countWords, sizeWords, spanWords, timeWords } from './words.js';

/** @import {SnapshotView, VolumeDetail} from '../detail-data.ts' */
/** @import {TimelineEntry} from '../page-data.ts' */

const COLUMNS = '6';

/**
 * The row below a volume's that tells what it opens to.
 * @param {string} id
 * @param {string} name
 */
export function makeVolumeDetail(id, name) {
  return element(
    'tr',
    { role: 'row', class: 'detail', id: detailId(id) },
    element(
      'td',
      { role: 'cell', colspan: COLUMNS, 'aria-label': `More about ${name}` },
      element('p', { class: 'muted', role: 'status', 'data-part': 'why' }),
      element(
        'div',
        { 'data-part': 'all', class: 'more' },
        element(
          'div',
          {},
          element('h3', {}, 'Snapshots'),
          element('p', { class: 'muted', 'data-part': 'held' }),
          element('ul', { class: 'plain', 'data-part': 'snapshots' }),
        ),
        element('div', {}, element('h3', {}, 'File system'), element('p', { 'data-part': 'room' })),
        element(
          'div',
          {},
          element('h3', {}, 'Limits'),
          element('ul', { class: 'plain', 'data-part': 'limits' }),
        ),
        makeIoCharts(),
        element(
          'div',
          {},
          element('h3', {}, 'Moves'),
          element('p', { class: 'muted', 'data-part': 'no-moves' }, 'None while this steward looked.'),
          element('ol', { class: 'plain', 'data-part': 'moves' }),
        ),
      ),
    ),
  );
}

/** @param {string} id */
export function detailId(id) {
  return `detail-${id}`;
}

/**
 * @param {Element} row
 * @param {{ answer: VolumeDetail | undefined, why: string }} said
 */
export function fillVolumeDetail(row, { answer, why }) {
  setText(part(row, 'why'), why);
  show(part(row, 'why'), why !== '');
  show(part(row, 'all'), answer !== undefined);
  if (answer === undefined) return;
  setText(part(row, 'held'), heldWords(answer));
  keep(part(row, 'snapshots'), answer.snapshots, {
    key: ({ id }) => id,
    make: makeSnapshot,
    fill: fillSnapshot,
  });
  keep(part(row, 'limits'), limitsOf(answer), {
    key: (words) => words,
    make: (words) => element('li', {}, words),
    fill: () => undefined,
  });
  setText(part(row, 'room'), roomWords(answer.room));
  fillIoCharts(row, answer.io);
  show(part(row, 'no-moves'), answer.moves.length === 0);
  keep(part(row, 'moves'), answer.moves, { key: ({ id }) => id, make: makeMove, fill: fillMove });
}

/** @param {VolumeDetail} detail */
function heldWords({ snapshots, otherCopies, heldKiB, copiesHeldKiB }) {
  const held = copiesHeldKiB === null ? '' : `, holding ${sizeWords(copiesHeldKiB)} beyond the volume`;
  const others =
    otherCopies === 0
      ? ''
      : ` and ${countWords(otherCopies, 'clone')} or ${otherCopies === 1 ? 'copy' : 'copies'} of others`;
  const own = heldKiB === null ? '' : ` The volume itself holds ${sizeWords(heldKiB)}.`;
  return `${countWords(snapshots.length, 'snapshot')}${others}${held}.${own}`;
}

/** @param {VolumeDetail['room']} room */
function roomWords(room) {
  if (room.kind === 'unknown') return `How full it is is not known here: ${room.why}.`;
  const { sizeKiB, usedKiB, availableKiB } = room;
  const percent = sizeKiB <= 0 ? '' : ` (${((100 * usedKiB) / sizeKiB).toFixed(0)} %)`;
  return `${sizeWords(usedKiB)} of ${sizeWords(sizeKiB)} used${percent}, ${sizeWords(availableKiB)} free.`;
}

function makeSnapshot() {
  return element(
    'li',
    {},
    element('span', { class: 'name', 'data-part': 'name' }),
    element('span', { class: 'muted' }, ', taken '),
    element('time', { 'data-part': 'taken' }),
    element('span', { class: 'muted', 'data-part': 'more' }),
  );
}

/**
 * @param {Element} item
 * @param {SnapshotView} snapshot
 */
function fillSnapshot(item, { name, takenAt, expiresAt, secureUntil, consistency, isOfPolicy, sizeKiB }) {
  setText(part(item, 'name'), name);
  if (takenAt === null) setText(part(item, 'taken'), 'the array does not say when');
  else setTime(part(item, 'taken'), takenAt);
  const facts = [
    consistency,
    isOfPolicy ? 'by a policy of the array, which removes it' : expiryWords(expiresAt),
    secureUntil !== null && Date.parse(secureUntil) > nowMs()
      ? `secured until ${timeWords(secureUntil)}`
      : '',
    `of ${sizeWords(sizeKiB)}`,
  ];
  setText(part(item, 'more'), `, ${facts.filter(Boolean).join(', ')}`);
  setAttribute(part(item, 'more'), 'title', byteWords(sizeKiB));
}

/** @param {string | null} expiresAt */
function expiryWords(expiresAt) {
  if (expiresAt === null) return 'kept until it is removed';
  const leftMs = Date.parse(expiresAt) - nowMs();
  return leftMs <= 0 ? 'expired, to be removed' : `expires in ${spanWords(leftMs)}`;
}

/**
 * @param {VolumeDetail} detail
 * @returns {string[]}
 */
function limitsOf({ volume }) {
  if (volume.holders.length === 0) return ['Nobody has it attached; limits belong to an attachment.'];
  return volume.holders.map(({ label, limitIops, limitBwKiBs }) => {
    const iops = limitIops === 0 ? 'any number of IOPS' : `${limitIops.toLocaleString('en')} IOPS`;
    const bandwidth = limitBwKiBs === 0 ? 'any bandwidth' : `${sizeWords(limitBwKiBs)}/s`;
    return `On ${label}: ${iops}, ${bandwidth}`;
  });
}

function makeMove() {
  return element(
    'li',
    {},
    element('time', { class: 'muted', 'data-part': 'at' }),
    element('span', { 'data-part': 'text' }),
  );
}

/**
 * @param {Element} item
 * @param {TimelineEntry} move
 */
function fillMove(item, { at, text }) {
  setTime(part(item, 'at'), at);
  setText(part(item, 'text'), ` ${text}`);
}
