import { setAttribute, setText } from './dom.js';
import { agoWords, timeWords } from './words.js';

/** The steward's clock minus the browser's, ms. */
let skewMs = 0;

/**
 * Takes in what time it is for the steward.
 * @param {string} iso
 */
export function learnTime(iso) {
  skewMs = Date.parse(iso) - Date.now();
}

/** Now, by the steward's clock. */
export function nowMs() {
  return Date.now() + skewMs;
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
