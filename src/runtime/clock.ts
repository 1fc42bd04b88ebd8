/** Time and chance come in here so that tests own them. Implemented by host/. */
export interface Clock {
  /** Milliseconds since 1970, for people and records only: whoever keeps the machine's time may set it (rule 17). */
  now(): number;
  /** Milliseconds since some moment, with fractions; only ever grows, whatever the machine's time is set to. Durations come from here. */
  elapsed(): number;
  /** Resolves after ms; rejects with CancelledError at the signal. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Random lower-case hex digits. */
  randomHex(digits: number): string;
}
