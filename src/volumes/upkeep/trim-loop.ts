import { isPluginError, AttachError } from '../../errors.ts';
import { letGo } from '../life/device-release.ts';
import type { Attacher, HeldDevice } from '../../attach/attacher.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
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
}

/**
 * Gives back to the array what files no longer use: the mounted volumes of this host, one after the other, at an
 * interval. The first round comes after a random part of it, so that hosts do not trim together. A trim holds its
 * volume's lock, because it keeps the mount busy, and gives way to whoever wants the volume.
 */
export class TrimLoop {
  readonly #parts: TrimParts;
  readonly #times: TrimTimes;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #totals: TrimTotals = { runs: 0, failures: 0, reclaimedBytes: 0 };

  constructor(parts: TrimParts, times: TrimTimes) {
    this.#parts = parts;
    this.#times = times;
  }

  get totals(): TrimTotals {
    return this.#totals;
  }

  start(): void {
    this.#running ??= this.#loop();
  }

  /** Resolves when the trim under way has been ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { clock } = this.#parts;
    const share = Number.parseInt(clock.randomHex(4), 16) / 0xffff;
    let pauseMs = this.#times.intervalMs * share;
    while (await this.#pause(pauseMs, this.#stopped.signal)) {
      for (const { name } of this.#parts.journal.all()) await this.#trimInTurn(name);
      pauseMs = this.#times.intervalMs;
    }
  }

  async #trimInTurn(name: string): Promise<void> {
    const { lock, log } = this.#parts;
    if (lock.holders().some((holder) => holder.name === name)) return;
    try {
      await lock.run(name, 'Trim', this.#stopped.signal, () => this.#trim(name));
    } catch (cause) {
      if (this.#stopped.signal.aborted) return;
      // Trimming is a favour: nothing that goes wrong in it may end the plugin.
      this.#count(1, 0);
      log.error({ volume: name, error: String(cause) }, 'trim failed unexpectedly');
    }
  }

  async #trim(name: string): Promise<void> {
    const { journal, log } = this.#parts;
    const entry = journal.get(name);
    if (entry?.phase !== 'mounted' || entry.holders.length === 0) return;
    const way = new AbortController();
    const over = new AbortController();
    const giving = this.#giveWay(name, way, over.signal);
    const limit = AbortSignal.timeout(this.#times.limitMs);
    try {
      const signal = AbortSignal.any([way.signal, limit, this.#stopped.signal]);
      const reclaimedBytes = await this.#trimSame(entry, signal);
      this.#count(0, reclaimedBytes);
      log.info({ volume: name, reclaimedBytes }, 'trimmed');
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      const gaveWay = way.signal.aborted || this.#stopped.signal.aborted;
      if (gaveWay) log.info({ volume: name }, 'trim gave way; the next round trims again');
      else {
        this.#count(1, 0);
        log.warn({ volume: name, error: cause.message }, 'trim failed');
      }
    } finally {
      over.abort();
      await giving;
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

  async #giveWay(name: string, way: AbortController, over: AbortSignal): Promise<void> {
    const isWanted = (): boolean =>
      this.#parts.lock.holders().some((holder) => holder.name === name && holder.waiting > 0);
    while (await this.#pause(this.#times.courtesyMs, over)) if (isWanted()) way.abort();
  }

  #count(failures: number, reclaimedBytes: number): void {
    this.#totals = {
      runs: this.#totals.runs + 1,
      failures: this.#totals.failures + failures,
      reclaimedBytes: this.#totals.reclaimedBytes + reclaimedBytes,
    };
  }

  /** False when the signal ended it. */
  async #pause(ms: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#parts.clock.sleep(ms, signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }
}
