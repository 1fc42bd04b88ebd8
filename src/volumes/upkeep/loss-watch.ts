import { isPluginError } from '../../errors.ts';
import type { Attacher } from '../../attach/attacher.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Periodic } from '../../runtime/periodic.ts';
import type { HostVolume, Journal } from '../ports.ts';

interface LossWatchParts {
  readonly journal: Pick<Journal, 'all'>;
  readonly attacher: Pick<Attacher, 'findDevice'>;
  readonly clock: Omit<Clock, 'now'>;
  readonly log: Log;
}

interface LossWatchTimes {
  /** Between looks at the devices, ms. */
  readonly lookMs: number;
  /** After which a loss that is still there is told again, ms: the array may have been out of reach at the first. */
  readonly againMs: number;
}

/**
 * Notices that the device of a mounted volume is gone, which is how a host sees first that another one took the volume,
 * and tells of it. Looks at this host only, never at the array, so it may look often; what it means the reconciler asks.
 */
export class LossWatch {
  readonly #parts: LossWatchParts;
  readonly #times: LossWatchTimes;
  readonly #looks: Periodic;
  /** When a loss was last told, by volume. */
  #told = new Map<string, number>();

  constructor(parts: LossWatchParts, times: LossWatchTimes, onLoss: () => void) {
    this.#parts = parts;
    this.#times = times;
    const { clock, log } = parts;
    this.#looks = new Periodic({
      clock,
      firstMs: times.lookMs,
      pauseMs: () => times.lookMs,
      turn: async () => {
        if (await this.#isWorthTelling()) onLoss();
      },
      onError: (error) => {
        log.error({ error: String(error) }, 'looking at the devices of mounted volumes failed unexpectedly');
      },
    });
  }

  start(): void {
    this.#looks.start();
  }

  /** Resolves when the look in progress has ended. */
  stop(): Promise<void> {
    return this.#looks.stop();
  }

  async #isWorthTelling(): Promise<boolean> {
    const now = this.#parts.clock.elapsed();
    const told = new Map<string, number>();
    let isNews = false;
    for (const entry of this.#parts.journal.all()) {
      if (entry.phase !== 'mounted' || !(await this.#isLost(entry))) continue;
      const before = this.#told.get(entry.name);
      const isDue = before === undefined || now - before >= this.#times.againMs;
      told.set(entry.name, isDue ? now : before);
      isNews ||= isDue;
    }
    this.#told = told;
    return isNews;
  }

  /** A device that contradicts itself is there in some way; what to make of it is for the next Mount to say. */
  async #isLost({ name, systemId, volumeId }: HostVolume): Promise<boolean> {
    try {
      const device = await this.#parts.attacher.findDevice(systemId, volumeId);
      return device === undefined;
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      this.#parts.log.debug(
        { volume: name, error: cause.message },
        'cannot tell whether the device is there',
      );
      return false;
    }
  }
}
