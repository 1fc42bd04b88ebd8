import { isPluginError } from '../../errors.ts';
import { findUnmarked, isUnmarked } from './failover-marker.ts';
import type { FailoverMarkers } from '../volume-host.ts';
import { ownPolicyOf } from '../options/label.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { HostVolume, Journal } from '../ports.ts';

const HOUR_MS = 3_600_000;
/** After a look that failed, and while a marker is missing, so that log, metric and status soon see it back. */
const RETRY_MS = 60_000;
/** Up to so many volumes each is asked for; for more one list of all markers is less. */
const MOST_ONE_BY_ONE = 3;

export interface MarkerSources {
  readonly array: Pick<StorageArray, 'findVolumeId' | 'listVolumes' | 'volumesOfFamily'>;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly journal: Pick<Journal, 'all' | 'known'>;
  readonly log: Log;
}

interface Look {
  /** Of which Mount it is: another one is looked at anew. */
  readonly heldSince: string | undefined;
  readonly nextMs: number;
  /** Undefined: no look has succeeded. */
  readonly marker: 'there' | 'missing' | undefined;
}

interface Marked {
  readonly entry: HostVolume;
  readonly policy: string;
}

/**
 * Tells of volumes mounted here that were made with a failover policy of their own and have no marker on the array any more: other
 * hosts may not know of the policy then (rule 16). Looked for soon after the Mount and hourly, each minute while it is missing. Nothing is put back by itself, because
 * a snapshot of a full volume keeps blocks.
 */
export class MarkerWatch implements FailoverMarkers {
  readonly #sources: MarkerSources;
  /** By volume id. */
  readonly #looks = new Map<string, Look>();
  /** By volume id: when its line was logged. */
  readonly #toldMs = new Map<string, number>();

  constructor(sources: MarkerSources) {
    this.#sources = sources;
  }

  /** True when the next look asks the array. */
  isDue(): boolean {
    return this.#marked().some(({ entry }) => this.#isDue(entry));
  }

  /** What the last look at a volume mounted here has shown; undefined when there was none, or it needs no marker. */
  stateOf(volumeId: string): Look['marker'] {
    return this.#looks.get(volumeId)?.marker;
  }

  /**
   * Names of the volumes mounted here whose marker is missing. No gateway call while no look is due; else one or two for each
   * of a few volumes, one for many. An array that does not answer is asked again later; never rejects for it.
   */
  async look(mapped: readonly ArrayVolume[], signal: AbortSignal): Promise<string[]> {
    const marked = this.#marked();
    this.#forgetAllBut(new Set(marked.map(({ entry }) => entry.volumeId)));
    const due = marked.flatMap((one) => {
      const volume = mapped.find(({ id }) => id === one.entry.volumeId);
      return volume !== undefined && this.#isDue(one.entry) ? [{ ...one, volume }] : [];
    });
    await this.#lookAt(due, signal);
    return marked
      .filter(({ entry }) => this.stateOf(entry.volumeId) === 'missing')
      .map(({ entry }) => entry.name);
  }

  #marked(): Marked[] {
    const { journal } = this.#sources;
    return journal.all().flatMap((entry) => {
      if (entry.phase !== 'mounted') return [];
      const known = journal.known(entry.name);
      // What is only read is shared and never taken.
      if (known?.volumeId !== entry.volumeId || known.readOnly) return [];
      const policy = ownPolicyOf(known);
      return policy === undefined ? [] : [{ entry, policy }];
    });
  }

  #isDue({ volumeId, heldSince }: HostVolume): boolean {
    const before = this.#looks.get(volumeId);
    if (before === undefined || before.heldSince !== heldSince) return true;
    return this.#sources.clock.elapsed() >= before.nextMs;
  }

  async #lookAt(
    due: readonly (Marked & { readonly volume: ArrayVolume })[],
    signal: AbortSignal,
  ): Promise<void> {
    if (due.length === 0) return;
    try {
      const missing = await this.#missingOf(
        due.map(({ volume }) => volume),
        signal,
      );
      for (const { entry, policy } of due) {
        const isMissing = missing.has(entry.volumeId);
        this.#note(entry, isMissing ? 'missing' : 'there', isMissing ? RETRY_MS : HOUR_MS);
        if (isMissing) this.#tell(entry, policy);
      }
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      for (const { entry } of due) this.#note(entry, this.stateOf(entry.volumeId), RETRY_MS);
      this.#sources.log.debug({ error: cause.message }, 'failover markers not looked at now');
    }
  }

  async #missingOf(volumes: readonly ArrayVolume[], signal: AbortSignal): Promise<ReadonlySet<VolumeId>> {
    const { array } = this.#sources;
    if (volumes.length > MOST_ONE_BY_ONE) return findUnmarked(array, volumes, signal);
    const missing = new Set<VolumeId>();
    for (const volume of volumes) if (await isUnmarked(array, volume, signal)) missing.add(volume.id);
    return missing;
  }

  #note({ volumeId, heldSince }: HostVolume, marker: Look['marker'], afterMs: number): void {
    this.#looks.set(volumeId, { heldSince, marker, nextMs: this.#sources.clock.elapsed() + afterMs });
  }

  #tell({ name, volumeId }: HostVolume, policy: string): void {
    const { clock, log } = this.#sources;
    const toldMs = this.#toldMs.get(volumeId);
    if (toldMs !== undefined && clock.elapsed() - toldMs < HOUR_MS) return;
    this.#toldMs.set(volumeId, clock.elapsed());
    log.warn(
      { volume: name, volumeId, policy },
      'the marker of its failover policy is gone from the array, so hosts that never mounted it use their default; put it back with "volume failover"',
    );
  }

  #forgetAllBut(ids: ReadonlySet<string>): void {
    for (const id of this.#looks.keys()) if (!ids.has(id)) this.#looks.delete(id);
    const now = this.#sources.clock.elapsed();
    for (const [id, toldMs] of this.#toldMs)
      if (!ids.has(id) && now - toldMs >= HOUR_MS) this.#toldMs.delete(id);
  }
}
