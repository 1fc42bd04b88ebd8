import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { cancelled } from './cancelled.ts';

/** Real time and real chance, in the shape that the core's Clock port asks for. */
export interface SystemClock {
  /** Milliseconds since 1970, for people and records only. */
  now(): number;
  /** Milliseconds since the program began; only ever grows, whatever the machine's time is set to. */
  elapsed(): number;
  /** Resolves after ms; rejects with CancelledError at the signal. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Random lower-case hex digits. */
  randomHex(digits: number): string;
}

/** The machine's own clock and random numbers. */
export const systemClock: SystemClock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      if (signal.aborted) throw cancelled('waiting', signal);
      throw error;
    }
  },
  randomHex: (digits) =>
    randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits),
};
