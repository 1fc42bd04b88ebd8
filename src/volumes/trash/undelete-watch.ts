import { isPluginError } from '../../errors.ts';
import type { ArrayName, VolumeId } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log, Trace } from '../../runtime/log.ts';
import { Periodic } from '../../runtime/periodic.ts';
import { goneName } from './trash-names.ts';

interface WatchParts {
  readonly array: Pick<StorageArray, 'getVolume' | 'renameVolume'>;
  readonly clock: Omit<Clock, 'now'>;
  readonly log: Log;
  readonly trace: Pick<Trace, 'apart'>;
  readonly prefix: string;
}

interface WatchTimes {
  /** Between two looks, ms; much less than an eraser waits between renaming and removing. */
  readonly lookMs: number;
  /** For how long a call that was made may still be carried out by a gateway, ms. */
  readonly lateMs: number;
}

/** A volume under the name that it was given back. */
interface BroughtBack {
  readonly volumeId: VolumeId;
  readonly arrayName: ArrayName;
}

/**
 * Keeps volumes that were brought back from whoever was about to erase them: a renaming that was sent before, and that a gateway carries out
 * late, is undone, long before the eraser removes what bears that name. Knows of what this run of the plugin has brought back.
 */
export class UndeleteWatch {
  readonly #parts: WatchParts;
  readonly #times: WatchTimes;
  readonly #looks: Periodic;
  readonly #watched = new Map<VolumeId, BroughtBack & { readonly untilMs: number }>();

  constructor(parts: WatchParts, times: WatchTimes) {
    this.#parts = parts;
    this.#times = times;
    const { clock, log } = parts;
    this.#looks = new Periodic({
      clock,
      firstMs: times.lookMs,
      pauseMs: () => times.lookMs,
      turn: (signal) => this.look(signal),
      around: (work) => parts.trace.apart('undelete', work),
      onError: (error) => {
        log.error({ error: String(error) }, 'looking after what was brought back failed unexpectedly');
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

  /** From now on until no call of before can come any more. */
  watch(one: BroughtBack): void {
    const { clock } = this.#parts;
    const { lateMs, lookMs } = this.#times;
    this.#watched.set(one.volumeId, { ...one, untilMs: clock.elapsed() + lateMs + lookMs });
  }

  /** One gateway call for each that is watched. Never rejects for anything the array does. */
  async look(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    for (const one of this.#watched.values()) {
      try {
        const isWatched = await this.#lookAt(one, signal);
        if (!isWatched || clock.elapsed() >= one.untilMs) this.#watched.delete(one.volumeId);
      } catch (error) {
        if (!isPluginError(error) || signal.aborted) throw error;
        log.warn(
          { volumeId: one.volumeId, error: error.message },
          'what was brought back cannot be seen now',
        );
      }
    }
  }

  /** False when it is gone or somebody has given it another name, which is not undone. */
  async #lookAt({ volumeId, arrayName }: BroughtBack, signal: AbortSignal): Promise<boolean> {
    const { array, log, prefix } = this.#parts;
    const volume = await array.getVolume(volumeId, signal);
    if (volume?.name === arrayName) return true;
    if (volume?.name !== goneName(prefix, volumeId)) return false;
    await array.renameVolume(volumeId, arrayName, signal);
    log.warn(
      { volumeId, volume: arrayName },
      'an erasing that was begun before the volume was brought back came late; it has its name again',
    );
    return true;
  }
}
