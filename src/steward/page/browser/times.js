import { setAttribute, setText } from './dom.js';
import { agoWords, timeWords } from './words.js';

/** What the steward's clock showed when the browser's own time, which nobody can set, was 0; ms. */
let originMs = performance.timeOrigin;

/**
 * Takes in what time it is for the steward.
 * @param {string} iso
 */
export function learnTime(iso) {
  originMs = Date.parse(iso) - performance.now();
}

/** Now, by the steward's clock. */
export function nowMs() {
  return originMs + performance.now();
}

/**
 * Has a time element say how long ago that was, and keep saying so.
 * @param {HTMLElement} time
 * @param {string} iso
 */
export function setTime(time, iso) {
  setAttribute(time, 'datetime', iso);
  setAttribute(time, 'title', timeWords(iso));
  tell(time);
}

/** Tells every time on the page anew. */
export function refreshTimes() {
  for (const time of document.querySelectorAll('time[datetime]')) tell(time);
}

/** @param {Element} time */
function tell(time) {
  setText(time, agoWords(Math.max(0, nowMs() - Date.parse(time.getAttribute('datetime') ?? ''))));
}
