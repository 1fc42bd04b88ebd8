/** @import {Freshness, PoolView} from '../page-data.ts' */

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const DAY_MS = 86_400_000;

/**
 * Three digits that matter and a unit.
 * @param {number} kib
 */
export function sizeWords(kib) {
  let value = kib;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${UNITS[unit] ?? ''}`;
}

/**
 * The exact size, for who wants to know.
 * @param {number} kib
 */
export function byteWords(kib) {
  return `${(kib * 1024).toLocaleString('en')} bytes`;
}

/**
 * How long ago that was.
 * @param {number} ms
 */
export function agoWords(ms) {
  if (ms < 2000) return 'just now';
  return `${spanWords(ms)} ago`;
}

/**
 * @param {number} ms
 */
export function spanWords(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/**
 * Date and time as the viewer writes them.
 * @param {string} iso
 */
export function timeWords(iso) {
  return new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/**
 * @param {number} count
 * @param {string} one
 */
export function countWords(count, one) {
  return `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
}

/**
 * @param {PoolView['forecast']} forecast
 * @param {number} nowMs
 */
export function forecastWords(forecast, nowMs) {
  if (forecast.kind === 'steady') return 'does not fill up';
  if (forecast.kind === 'unknown') return `not known: the pool ${forecast.why}`;
  const leftMs = Date.parse(forecast.at) - nowMs;
  const rate = `grows by ${sizeWords(forecast.kibPerDay)} a day`;
  if (leftMs <= 0) return `full about now, ${rate}`;
  const day = new Date(forecast.at).toLocaleDateString(undefined, { dateStyle: 'medium' });
  return `full in about ${spanWords(leftMs)}${leftMs > 2 * DAY_MS ? ` (${day})` : ''}, ${rate}`;
}

/** @param {PoolView['trash']} trash */
export function trashWords(trash) {
  if (trash === null) return '';
  return `In the trash, and not free yet: ${countWords(trash.volumes, 'removed volume')} of ${sizeWords(trash.sizeKiB)}`;
}

/**
 * What stands in the place of numbers that nobody has read; undefined where they were.
 * @param {Freshness} freshness
 */
export function unreadWords({ readAt, state }) {
  if (readAt !== null) return undefined;
  return state === 'unreachable' ? 'Could not read the array.' : 'Not read yet.';
}

/**
 * What is to be said about how far something can be believed; undefined when all is well.
 * @param {string} what
 * @param {Freshness} freshness
 * @param {number} nowMs
 */
export function doubtWords(what, { state, failure, readAt }, nowMs) {
  const age =
    readAt === null ? '' : ` What is shown is what it said ${agoWords(nowMs - Date.parse(readAt))}.`;
  if (state === 'unreachable') return `The array cannot be read for its ${what}: ${failure ?? ''}.${age}`;
  if (state === 'stale') return `The ${what} have not been read for longer than they should.${age}`;
  return undefined;
}
