/** @import {Pulse} from '../page-data.ts' */

/** The steward sends one every 5 s. */
const SILENCE_MS = 20_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Listens to the steward for as long as the page is open, and connects again whenever that ends. While it cannot, `onRetry`
 * is called before each try.
 * @param {{ onPulse: (pulse: Pulse) => void, onLost: () => void, onRetry: () => void }} told
 */
export function listen({ onPulse, onLost, onRetry }) {
  let pauseMs = FIRST_PAUSE_MS;
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let watchdog;

  const lose = () => {
    clearTimeout(watchdog);
    source?.close();
    onLost();
    setTimeout(() => {
      onRetry();
      connect();
    }, pauseMs);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  };

  const guard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(lose, SILENCE_MS);
  };

  const connect = () => {
    source = new EventSource('api/events');
    source.addEventListener('pulse', (event) => {
      pauseMs = FIRST_PAUSE_MS;
      guard();
      onPulse(/** @type {Pulse} */ (JSON.parse(String(event.data))));
    });
    source.addEventListener('error', lose);
    guard();
  };

  connect();
}
