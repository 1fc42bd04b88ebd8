import { listen } from './connection.js';
import { byId, setAttribute, setText, show } from './dom.js';
import { showHosts } from './hosts.js';
import { showServers } from './servers.js';
import { showPools } from './pools.js';
import { learnTime, nowMs, refreshTimes } from './times.js';
import { showTimeline, wireTimeline } from './timeline.js';
import { showVolumes } from './volumes.js';
import { agoWords, countWords, doubtWords } from './words.js';

/** @import {Overview, Pulse} from '../page-data.ts' */

const TICK_MS = 1000;
const TYPING_MS = 200;

/** @type {Pulse | undefined} */
let pulse;
let isConnected = false;
/** Why the page itself cannot say more; '' when it can. */
let complaint = '';
let search = '';
/** Which of many volumes are shown. */
let order = 'trouble';
/** @type {string | undefined} */
let shownRevision;
/** So many times somebody wanted to know more. */
let wanted = 0;
let isAsking = false;

/** Asks for everything that is shown; what is wanted meanwhile is asked for right after. */
async function refresh() {
  wanted += 1;
  if (isAsking) return;
  isAsking = true;
  for (let asked = 0; asked < wanted;) {
    asked = wanted;
    await ask();
  }
  isAsking = false;
}

async function ask() {
  const asked = search;
  const { why, overview } = await fetchOverview({ search: asked, order });
  complaint = why;
  if (overview === undefined) return;
  shownRevision = overview.revision;
  take(overview);
  draw(overview, asked);
}

/**
 * `why`: what the viewer can do something about.
 * @param {{ search: string, order: string }} asked
 * @returns {Promise<{ why: string, overview?: Overview }>}
 */
async function fetchOverview(asked) {
  try {
    const answer = await fetch(`api/overview?${new URLSearchParams(asked).toString()}`);
    if (answer.status === 401) return { why: 'The token is not valid any more: load the page again.' };
    if (!answer.ok) return { why: '' };
    const said = await answer.json();
    if (said.version === 1) return { why: '', overview: said };
    return { why: 'The steward is of another version than this page: load the page again.' };
  } catch {
    // The event stream breaks as well, which is shown and retried.
    return { why: '' };
  }
}

/** @param {Pulse} now */
function take(now) {
  pulse = now;
  learnTime(now.at);
}

/**
 * @param {Overview} overview
 * @param {string} asked
 */
function draw(overview, asked) {
  const { systemId, systemName } = overview;
  setText(byId('system'), systemId === null ? '' : `array ${systemName ?? systemId}`);
  setAttribute(byId('system'), 'title', systemId === null ? '' : `id ${systemId}`);
  showPools(overview);
  showVolumes(overview, asked);
  showHosts(overview);
  showServers(overview);
  showTimeline(overview);
  drawConnection();
}

/** How far what is shown can be believed: on the badge always, and in so many words when something is wrong. */
function drawConnection() {
  const doubts = doubtsNow();
  const readAt = pulse?.inventory.readAt ?? pulse?.space.readAt ?? null;
  const read = readAt === null ? '' : `, read ${agoWords(Math.max(0, nowMs() - Date.parse(readAt)))}`;
  const [state, tone] = stateNow(doubts);
  setText(byId('connection-text'), `${state}${read}`);
  setAttribute(byId('connection'), 'data-tone', tone);
  setText(byId('notice'), doubts.join(' '));
  show(byId('notice'), doubts.length > 0);
}

/**
 * @param {readonly string[]} doubts
 * @returns {readonly [state: string, tone: string]}
 */
function stateNow(doubts) {
  if (pulse === undefined) return ['connecting', 'quiet'];
  if (!isConnected) return ['not connected', 'bad'];
  return doubts.length > 0 ? ['not up to date', 'bad'] : ['live', 'good'];
}

/** @returns {string[]} */
function doubtsNow() {
  const lost = pulse !== undefined && !isConnected ? ['The steward does not answer; trying again.'] : [];
  const own = complaint === '' ? [] : [complaint];
  return [...own, ...lost, ...(pulse === undefined ? [] : doubtsAbout(pulse))];
}

/** @param {Pulse} now */
function doubtsAbout({ space, inventory }) {
  const all = [doubtWords('pools', space, nowMs()), doubtWords('volumes and hosts', inventory, nowMs())];
  return all.filter((doubt) => doubt !== undefined);
}

function wireFilter() {
  const input = /** @type {HTMLInputElement} */ (byId('filter'));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  const apply = async () => {
    search = input.value.trim();
    await refresh();
    setText(
      byId('announcer'),
      `${countWords(document.querySelectorAll('#volume-rows > tr:not(.detail)').length, 'volume')} shown`,
    );
  };
  input.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => void apply(), TYPING_MS);
  });
  const first = /** @type {HTMLSelectElement} */ (byId('order'));
  first.addEventListener('change', () => {
    order = first.value;
    void refresh();
  });
  byId('filter-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void apply();
  });
}

wireFilter();
wireTimeline();
setInterval(() => {
  refreshTimes();
  drawConnection();
}, TICK_MS);
listen({
  onPulse: (now) => {
    isConnected = true;
    take(now);
    drawConnection();
    if (now.revision !== shownRevision) void refresh();
  },
  onLost: () => {
    isConnected = false;
    drawConnection();
  },
  onRetry: () => void refresh(),
});
