import { isPluginError, AttachError } from '../../errors.ts';
import { letGo } from '../life/device-release.ts';
import type { Attacher, HeldDevice } from '../../attach/attacher.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log, Trace } from '../../runtime/log.ts';
import { Periodic, randomShare } from '../../runtime/periodic.ts';
import type { Filesystems, HostVolume, Journal } from '../ports.ts';
import type { VolumeLock } from '../life/volume-lock.ts';

export interface TrimTimes {
  /** From one round over all volumes to the next, ms. */
  readonly intervalMs: number;
  /** For one volume, ms. */
  readonly limitMs: number;
  /** How often a trim looks whether somebody waits for its volume, ms. */
  readonly courtesyMs: number;
}

/** What trimming has done since the start; metrics show it. */
export interface TrimTotals {
  readonly runs: number;
  readonly failures: number;
  readonly reclaimedBytes: number;
}

export interface TrimParts {
  readonly attacher: Pick<Attacher, 'findDevice' | 'holdDevice'>;
  readonly filesystems: Pick<Filesystems, 'trim' | 'mounts'>;
  readonly journal: Pick<Journal, 'all' | 'get'>;
  readonly lock: VolumeLock;
  readonly clock: Omit<Clock, 'now'>;
  readonly log: Log;
  readonly trace: Pick<Trace, 'apart'>;
}

/**
 * Gives back to the array what files no longer use: the mounted volumes of this host, one after the other, at an
 * interval. The first round comes after a random part of it, so that hosts do not trim together. A trim holds its
 * volume's lock, because it keeps the mount busy, and gives way to whoever wants the volume.
 */
export class TrimLoop {
  readonly #parts: TrimParts;
  readonly #times: TrimTimes;
  readonly #rounds: Periodic;
  #totals: TrimTotals = { runs: 0, failures: 0, reclaimedBytes: 0 };

  constructor(parts: TrimParts, times: TrimTimes) {
    this.#parts = parts;
    this.#times = times;
    const { clock, log } = parts;
    this.#rounds = new Periodic({
      clock,
      firstMs: times.intervalMs * randomShare(clock),
      pauseMs: () => times.intervalMs,
      turn: async (signal) => {
        for (const { name } of parts.journal.all()) await this.#trimInTurn(name, signal);
      },
      around: (work) => parts.trace.apart('trim', work),
      onError: (error) => {
        log.error({ error: String(error) }, 'a round of trimming failed unexpectedly');
      },
    });
  }

  get totals(): TrimTotals {
    return this.#totals;
  }

  start(): void {
    this.#rounds.start();
  }

  /** Resolves when the trim under way has been ended. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #trimInTurn(name: string, stopped: AbortSignal): Promise<void> {
    const { lock, log } = this.#parts;
    if (lock.holders().some((holder) => holder.name === name)) return;
    try {
      await lock.run(name, 'Trim', stopped, () => this.#trim(name, stopped));
    } catch (cause) {
      if (stopped.aborted) return;
      // Trimming is a favour: nothing that goes wrong in it may end the plugin.
      this.#count(1, 0);
      log.error({ volume: name, error: String(cause) }, 'trim failed unexpectedly');
    }
  }

  async #trim(name: string, stopped: AbortSignal): Promise<void> {
    const { journal, log } = this.#parts;
    const entry = journal.get(name);
    if (entry?.phase !== 'mounted' || entry.holders.length === 0) return;
    const way = new AbortController();
    const giving = this.#givingWay(name, way);
    giving.start();
    const limit = AbortSignal.timeout(this.#times.limitMs);
    try {
      const signal = AbortSignal.any([way.signal, limit, stopped]);
      const reclaimedBytes = await this.#trimSame(entry, signal);
      this.#count(0, reclaimedBytes);
      log.info({ volume: name, reclaimedBytes }, 'trimmed');
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      const gaveWay = way.signal.aborted || stopped.aborted;
      if (gaveWay) log.info({ volume: name }, 'trim gave way; the next round trims again');
      else {
        this.#count(1, 0);
        log.warn({ volume: name, error: cause.message }, 'trim failed');
      }
    } finally {
      await giving.stop();
    }
  }

  /** Only what is certain to be mounted from the volume's own device, before and after (rule 14). */
  async #trimSame(entry: HostVolume, signal: AbortSignal): Promise<number> {
    const awaited = this.#holdMounted(entry, signal);
    try {
      const held = await awaited;
      const reclaimedBytes = await this.#parts.filesystems.trim(entry.mountpoint, signal);
      await held.assertSame(signal);
      return reclaimedBytes;
    } finally {
      await letGo(awaited);
    }
  }

  async #holdMounted(entry: HostVolume, signal: AbortSignal): Promise<HeldDevice> {
    const { attacher, filesystems } = this.#parts;
    const { systemId, volumeId } = entry;
    const device = await attacher.findDevice(systemId, volumeId);
    const mounted = (await filesystems.mounts()).find(({ mountpoint }) => mountpoint === entry.mountpoint);
    if (device === undefined || mounted?.device !== device.number) {
      throw new AttachError(
        `trimming volume "${entry.name}" failed: its device is not what is mounted for it`,
        {
          problem: 'device-mismatch',
        },
      );
    }
    return attacher.holdDevice(systemId, volumeId, device, signal);
  }

  /** Looks whether somebody waits for the volume, and fires `way` then. */
  #givingWay(name: string, way: AbortController): Periodic {
    const { clock, lock, log } = this.#parts;
    const { courtesyMs } = this.#times;
    return new Periodic({
      clock,
      firstMs: courtesyMs,
      pauseMs: () => courtesyMs,
      turn: () => {
        if (lock.holders().some((holder) => holder.name === name && holder.waiting > 0)) way.abort();
      },
      onError: (error) => {
        log.error({ volume: name, error: String(error) }, 'a trim cannot see who waits for its volume');
      },
    });
  }

  #count(failures: number, reclaimedBytes: number): void {
    this.#totals = {
      runs: this.#totals.runs + 1,
      failures: this.#totals.failures + failures,
      reclaimedBytes: this.#totals.reclaimedBytes + reclaimedBytes,
    };
  }
}
