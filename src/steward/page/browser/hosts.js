import { byId, element, keep, part, setAttribute, setText, show } from './dom.js';
import { countWords, unreadWords } from './words.js';

/** @import {HostView, Overview} from '../page-data.ts' */

/** @param {Overview} overview */
export function showHosts({ hosts, inventory }) {
  const { total, disconnected, shown } = hosts;
  const lost = disconnected === 0 ? '' : `, ${disconnected.toLocaleString('en')} disconnected`;
  const first = shown.length < total ? `. The first ${shown.length} are shown` : '';
  const unread = unreadWords(inventory);
  setText(byId('hosts-summary'), unread ?? `${countWords(total, 'host')}${lost}${first}.`);
  keep(byId('host-rows'), shown, { key: ({ id }) => id, make: makeHost, fill: fillHost });
  show(byId('host-table'), shown.length > 0);
  show(byId('hosts-empty'), shown.length === 0);
  setText(byId('hosts-empty'), unread ?? 'The array knows no host.');
}

/** @returns {HTMLElement} */
function makeHost() {
  const cell = (/** @type {string} */ label, /** @type {string} */ name, /** @type {string} */ css = '') =>
    element('td', { role: 'cell', 'data-label': label, class: css }, element('span', { 'data-part': name }));
  const head = { role: 'rowheader', scope: 'row', 'data-label': 'Host' };
  const row = element(
    'tr',
    { role: 'row' },
    element('th', head, element('span', { class: 'name', 'data-part': 'label' })),
    cell('SDC', 'state'),
    cell('Volumes', 'volumes', 'number'),
    cell('Address', 'ip'),
    cell('Version', 'version'),
  );
  part(row, 'state').className = 'badge';
  return row;
}

/**
 * @param {Element} row
 * @param {HostView} host
 */
function fillHost(row, { label, guid, ip, isConnected, isApproved, version, volumes, lastKnown }) {
  /** @type {(field: HostView['lastKnown'][number], text: string) => string} */
  const marked = (field, text) => (lastKnown.includes(field) ? `${text} (last known)` : text);
  setText(part(row, 'label'), marked('label', label));
  setAttribute(part(row, 'label'), 'title', guid === null ? label : `GUID ${guid}`);
  const approved = isApproved ? '' : ', not approved';
  setText(part(row, 'state'), `${stateWords(isConnected)}${approved}`);
  setAttribute(
    part(row, 'state'),
    'data-tone',
    isConnected === false ? 'bad' : isConnected && isApproved ? 'good' : 'warn',
  );
  setText(part(row, 'volumes'), volumes.toLocaleString('en'));
  setText(part(row, 'ip'), marked('ip', ip ?? 'not known'));
  setText(part(row, 'version'), marked('version', version ?? 'not known'));
}

/** @param {boolean | null} isConnected */
function stateWords(isConnected) {
  if (isConnected === null) return 'not known';
  return isConnected ? 'connected' : 'disconnected';
}
