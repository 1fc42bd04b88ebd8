import type { VolumeId } from '../../array/ids.ts';
import { isPluginError } from '../../errors.ts';
import type { Inventory } from '../../array/storage-array.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Periodic } from '../../runtime/periodic.ts';
import { movementsBetween } from './movements.ts';
import { arrayViewOf, type ArrayView } from './array-view.ts';
import type { Freshness, TimelineEntry } from './page-data.ts';
import { Timeline, type Told } from './timeline.ts';

export interface InventoryWatchParts {
  readonly inventory: Inventory;
  readonly clock: Pick<Clock, 'now' | 'elapsed' | 'sleep'>;
  readonly log: Log;
  /** True while somebody looks at the page. */
  readonly isWatched: () => boolean;
  /** Told after every reading, whether it succeeded or not. */
  readonly onReading: () => void;
}

const LIVE_MS = 2000;
/** A reading of a large array takes long; so many times as long it is then left alone. */
const REST = 9;
const SHORTEST_LIMIT_MS = 60_000;
/** By so much a reading may be late, or take long, before what is shown counts as stale. */
const PATIENCE_MS = 15_000;

/**
 * Reads volumes and SDCs again and again, keeps the last sighting and what moved: at an interval, and every 2 s while
 * somebody looks, but never for more than a tenth of the time. Nothing is kept on disk.
 */
export class InventoryWatch {
  readonly #parts: InventoryWatchParts;
  readonly #options: { readonly prefix: string; readonly intervalMs: number };
  readonly #timeline = new Timeline();
  readonly #readings: Periodic;
  #sighting: ArrayView | undefined;
  #failure: string | undefined;
  #startedAt = 0;
  #endedAt = 0;
  #wokenAt = 0;
  #revision = 0;

  constructor(parts: InventoryWatchParts, options: { readonly prefix: string; readonly intervalMs: number }) {
    this.#parts = parts;
    this.#options = options;
    this.#readings = new Periodic({
      clock: parts.clock,
      turn: async (signal) => {
        await this.#read(signal);
        parts.onReading();
      },
      pauseMs: () => this.#pauseMs(),
      limitMs: Math.max(options.intervalMs, SHORTEST_LIMIT_MS),
      onError: (error) => {
        this.#failed(error);
        parts.onReading();
      },
    });
  }

  start(): void {
    this.#readings.start();
  }

  /** Resolves when the reading under way has ended. */
  stop(): Promise<void> {
    return this.#readings.stop();
  }

  /** Somebody began to look: what is due now is not put off until the interval ends. */
  wake(): void {
    const now = this.#parts.clock.elapsed();
    this.#wokenAt = now;
    this.#readings.within(this.#endedAt + this.#pauseMs() - now);
  }

  /** Undefined before the first reading. */
  get sighting(): ArrayView | undefined {
    return this.#sighting;
  }

  /** Changes when anything but the time of the reading does. */
  get revision(): number {
    return this.#revision;
  }

  freshness(): Freshness {
    const failure = this.#failure ?? null;
    const readAt = this.#sighting === undefined ? null : new Date(this.#sighting.at).toISOString();
    if (failure !== null) return { readAt, state: 'unreachable', failure };
    if (readAt === null) return { readAt, state: 'waiting', failure };
    const ageMs = this.#parts.clock.elapsed() - Math.max(this.#endedAt, this.#wokenAt);
    return { readAt, state: ageMs > 2 * this.#pauseMs() + PATIENCE_MS ? 'stale' : 'current', failure };
  }

  /** Newest first, with what the steward itself did and found. */
  timeline(told: Told): TimelineEntry[] {
    return this.#timeline.entries(told);
  }

  /** What happened to one volume, newest first, as far as the timeline still has it. */
  movesOf(id: VolumeId): TimelineEntry[] {
    return this.#timeline.movesOf(id);
  }

  #pauseMs(): number {
    const liveMs = Math.max(LIVE_MS, REST * (this.#endedAt - this.#startedAt));
    return this.#parts.isWatched() ? liveMs : Math.max(liveMs, this.#options.intervalMs);
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { inventory, clock } = this.#parts;
    this.#startedAt = clock.elapsed();
    try {
      const [volumes, hosts] = await Promise.all([
        inventory.readVolumes(signal),
        inventory.readHosts(signal),
      ]);
      this.#take(arrayViewOf(this.#options.prefix, { volumes, hosts }, clock.now(), this.#sighting));
      this.#failure = undefined;
    } finally {
      this.#endedAt = clock.elapsed();
    }
  }

  /** What is shown then says that it is not current. */
  #failed(error: unknown): void {
    const { log } = this.#parts;
    const why = isPluginError(error) ? error.message : String(error);
    if (!isPluginError(error)) log.error({ error: why }, 'volumes and hosts could not be read');
    else if (this.#failure !== why)
      log.warn({ error: why }, 'volumes and hosts cannot be read for the page now');
    this.#failure = why;
  }

  #take(now: ArrayView): void {
    const before = this.#sighting;
    if (before === undefined || !isAlike(before, now)) this.#revision += 1;
    if (before !== undefined) this.#timeline.note(movementsBetween(before, now), now);
    this.#sighting = now;
  }
}

function isAlike(one: ArrayView, other: ArrayView): boolean {
  return isSame(one.hosts, other.hosts) && isSame(one.volumes, other.volumes);
}

/** Readings are plain data in one order of fields. */
function isSame<Id>(one: ReadonlyMap<Id, object>, other: ReadonlyMap<Id, object>): boolean {
  if (one.size !== other.size) return false;
  for (const [id, value] of other) {
    const known = one.get(id);
    if (known === undefined || JSON.stringify(known) !== JSON.stringify(value)) return false;
  }
  return true;
}
