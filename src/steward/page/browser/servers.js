import { byId, element, keep, part, setAttribute, setText, show } from './dom.js';
import { byteWords, countWords, sizeWords, unreadWords } from './words.js';

/** @import {DeviceView, Overview, ServerView} from '../page-data.ts' */

/** @param {Overview} overview */
export function showServers({ servers, space }) {
  const { total, troubled, devices, troubledDevices, shown } = servers;
  const first = shown.length < total ? ` The first ${shown.length} servers are shown.` : '';
  const counted = `${countWords(total, 'server')}${troubleWords(troubled)}; ${countWords(devices, 'device')}${troubleWords(troubledDevices)}.${first}`;
  const unread = unreadWords(space);
  setText(byId('servers-summary'), unread ?? counted);
  keep(byId('server-rows'), shown, { key: ({ id }) => id, make: makeServer, fill: fillServer });
  show(byId('server-table'), shown.length > 0);
  show(byId('servers-empty'), shown.length === 0);
  setText(byId('servers-empty'), unread ?? 'The array has no server.');
}

/** @param {number} count */
function troubleWords(count) {
  return count === 0 ? '' : `, ${count.toLocaleString('en')} in trouble`;
}

/** @returns {HTMLElement} */
function makeServer() {
  const cell = (/** @type {string} */ label, /** @type {string} */ name, /** @type {string} */ css = '') =>
    element('td', { role: 'cell', 'data-label': label, class: css }, element('span', { 'data-part': name }));
  const row = element(
    'tr',
    { role: 'row' },
    element(
      'th',
      { role: 'rowheader', scope: 'row', 'data-label': 'Server' },
      element('span', { class: 'name', 'data-part': 'name' }),
    ),
    cell('State', 'state'),
    element(
      'td',
      { role: 'cell', 'data-label': 'Devices' },
      element(
        'details',
        {},
        element('summary', { 'data-part': 'count' }),
        element('ul', { class: 'plain', 'data-part': 'devices' }),
      ),
    ),
    cell('Capacity', 'capacity', 'number'),
    cell('Protection domain', 'domain'),
  );
  part(row, 'state').className = 'badge';
  return row;
}

/**
 * @param {Element} row
 * @param {ServerView} server
 */
function fillServer(row, server) {
  const { name, domain, trouble, limitKiB, devices, troubledDevices, shownDevices } = server;
  setText(part(row, 'name'), name);
  fillState(part(row, 'state'), trouble);
  const first = shownDevices.length < devices ? `; the first ${shownDevices.length}` : '';
  setText(part(row, 'count'), `${countWords(devices, 'device')}${troubleWords(troubledDevices)}${first}`);
  keep(part(row, 'devices'), shownDevices, { key: ({ id }) => id, make: makeDevice, fill: fillDevice });
  setText(part(row, 'capacity'), sizeWords(limitKiB));
  setAttribute(part(row, 'capacity'), 'title', byteWords(limitKiB));
  setText(part(row, 'domain'), domain);
}

function makeDevice() {
  return element(
    'li',
    {},
    element('span', { 'data-part': 'name' }),
    element('span', { class: 'badge', 'data-part': 'state' }),
    element('span', { class: 'muted', 'data-part': 'more' }),
  );
}

/**
 * @param {Element} item
 * @param {DeviceView} device
 */
function fillDevice(item, { name, path, pool, trouble, limitKiB }) {
  setText(part(item, 'name'), `${name} `);
  fillState(part(item, 'state'), trouble);
  const facts = [pool ?? 'in no storage pool', sizeWords(limitKiB), path === name ? '' : path];
  setText(part(item, 'more'), ` ${facts.filter(Boolean).join(', ')}`);
}

/**
 * @param {HTMLElement} badge
 * @param {string | null} trouble
 */
function fillState(badge, trouble) {
  setText(badge, trouble ?? 'OK');
  setAttribute(badge, 'data-tone', trouble === null ? 'good' : 'bad');
}
