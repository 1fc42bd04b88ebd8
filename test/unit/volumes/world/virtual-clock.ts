import { CancelledError } from '../../../../src/errors.ts';

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** Time that stands still until a test moves it. */
export class VirtualClock {
  #elapsedMs = Date.parse('2026-01-01T00:00:00Z');
  /** Of what the machine's time is set to. */
  #setByMs = 0;
  #timers: Timer[] = [];

  now(): number {
    return this.#elapsedMs + this.#setByMs;
  }

  elapsed(): number {
    return this.#elapsedMs;
  }

  /** Somebody sets the machine's time, by so many ms to the future or, when negative, to the past; no time passes. */
  setBy(ms: number): void {
    this.#setByMs += ms;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(new CancelledError('sleep was cancelled'));
      };
      const timer: Timer = {
        atMs: this.#elapsedMs + ms,
        fire: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#timers.push(timer);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** When the next sleeper wakes, as elapsed() tells time; undefined when nobody sleeps. */
  get nextWakeMs(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map(({ atMs }) => atMs));
  }

  /** Moves time and wakes whoever is due, the earliest first. */
  advanceTo(ms: number): void {
    this.#elapsedMs = Math.max(this.#elapsedMs, ms);
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#elapsedMs).sort((a, b) => a.atMs - b.atMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { fire } of due) fire();
  }

  advance(ms: number): void {
    this.advanceTo(this.#elapsedMs + ms);
  }
}

/** Lets everything run that can run without time passing: the fakes use nothing but microtasks. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
