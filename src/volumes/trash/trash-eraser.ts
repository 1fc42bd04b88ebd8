import { GatewayRejectedError } from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { erasingVolume, type DiscardedVolume } from '../host-volume.ts';
import { removeWithMarkers } from '../life/marked-removal.ts';
import type { VolumeHost } from '../volume-host.ts';
import { graceOf, isErasable, lookMs, timeOver, whyKept } from './erasure.ts';
import { goneName } from './trash-names.ts';

/** finished: nothing of it is left to do here. fine: its time has not come, or another look is due later. */
export type TrashOutcome = 'finished' | 'fine';

/**
 * Erases what this host has put in the trash, in two steps: it is renamed so that nobody brings it back, and removed once no call that
 * was made before can come any more. What the array says just before each step decides: another name, and it is forgotten; a mapping,
 * and it stays (rule 13). No time of before this run counts but that in the name, and that one alone is never enough.
 */
export class TrashEraser {
  readonly #host: VolumeHost;
  /** Since when this run has seen each so, by the clock that nobody sets: name in the trash, then "erasing" and that. */
  readonly #seenMs = new Map<string, number>();
  readonly #told = new Set<string>();

  constructor(host: VolumeHost) {
    this.#host = host;
  }

  /**
   * Call with the lock of the entry's name held. No gateway call but a first look, until the grace is over; later one, with the renaming
   * two, with the removal two more than Remove. Rejects as StorageArray.
   */
  async settle(entry: DiscardedVolume, signal: AbortSignal): Promise<TrashOutcome> {
    const seenMs = this.#seenMs.get(keyOf(entry));
    if (seenMs !== undefined && !this.#isDue(entry, seenMs)) return 'fine';
    const volume = await this.#host.array.getVolume(entry.volumeId, signal);
    const gone = goneName(this.#host.policy.prefix, entry.volumeId);
    if (volume === undefined) return this.#forget(entry);
    if (volume.name === gone && entry.phase === 'trashed') return this.#recordErasing(entry);
    const isAsRecorded = volume.name === (entry.phase === 'erasing' ? gone : entry.arrayName);
    if (isAsRecorded && seenMs === undefined) return this.#sawFirst(entry);
    if (volume.name === gone) return this.#remove(entry, volume, signal);
    if (volume.name === entry.arrayName) return this.#rename(entry, volume, signal);
    // Brought back; or the renaming is still to come.
    const isDecided = this.#host.journal.ageMs(entry.name) >= this.#host.policy.lateMs;
    return isDecided ? this.#forget(entry) : 'fine';
  }

  #isDue(entry: DiscardedVolume, seenMs: number): boolean {
    const { clock, policy } = this.#host;
    const forMs = clock.elapsed() - seenMs;
    if (entry.phase === 'erasing') return forMs >= policy.lateMs;
    const { removeGraceMs, prefix } = policy;
    const graceMs = graceOf(removeGraceMs);
    // A steward is given the time to do it first: no host knows whether one runs.
    const marginMs = lookMs(graceMs);
    return (
      forMs >= lookMs(graceMs) &&
      timeOver({ prefix, graceMs: graceMs + marginMs }, entry.arrayName, clock.now())
    );
  }

  #sawFirst(entry: DiscardedVolume): TrashOutcome {
    this.#seenMs.set(keyOf(entry), this.#host.clock.elapsed());
    return 'fine';
  }

  async #recordErasing(entry: DiscardedVolume): Promise<TrashOutcome> {
    const { clock, journal } = this.#host;
    const erasing = erasingVolume(entry, new Date(clock.now()).toISOString());
    await journal.put(erasing);
    return this.#sawFirst(erasing);
  }

  async #rename(entry: DiscardedVolume, volume: ArrayVolume, signal: AbortSignal): Promise<TrashOutcome> {
    const { array, clock, journal, policy } = this.#host;
    // Of a renaming that did not happen: it is due as it was.
    if (entry.phase === 'erasing' && journal.ageMs(entry.name) < policy.lateMs) return 'fine';
    if (!isErasable(volume, entry.arrayName, policy.prefix)) return this.#keep(entry, volume);
    const erasing = erasingVolume(entry, new Date(clock.now()).toISOString());
    await journal.put(erasing);
    await array.renameVolume(entry.volumeId, goneName(policy.prefix, entry.volumeId), signal);
    return this.#sawFirst(erasing);
  }

  async #remove(entry: DiscardedVolume, volume: ArrayVolume, signal: AbortSignal): Promise<TrashOutcome> {
    const { log } = this.#host;
    if (!isErasable(volume, entry.arrayName, this.#host.policy.prefix)) return this.#keep(entry, volume);
    try {
      await removeWithMarkers(this.#host, volume, { mayHaveMarkers: true }, signal);
    } catch (cause) {
      if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'still-attached') throw cause;
      return this.#keep(entry, volume);
    }
    log.info(
      { volume: entry.arrayName, volumeId: volume.id },
      'erased a volume whose time in the trash is over',
    );
    return this.#forget(entry);
  }

  #keep(entry: DiscardedVolume, volume: ArrayVolume): TrashOutcome {
    if (!this.#told.has(entry.name))
      this.#host.log.warn(
        { volume: entry.arrayName, volumeId: volume.id, why: whyKept(volume) },
        'a removed volume whose time is over stays as it is',
      );
    this.#told.add(entry.name);
    return 'fine';
  }

  async #forget(entry: DiscardedVolume): Promise<TrashOutcome> {
    await this.#host.journal.delete(entry.name);
    this.#told.delete(entry.name);
    for (const phase of ['trashed', 'erasing'] as const) this.#seenMs.delete(keyOf({ ...entry, phase }));
    return 'finished';
  }
}

function keyOf({ phase, name }: Pick<DiscardedVolume, 'phase' | 'name'>): string {
  return `${phase} ${name}`;
}
