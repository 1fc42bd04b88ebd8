import type { VolumeIo } from '../../array/copies.ts';
import { asPoolId, asVolumeId, type PoolId, type VolumeId } from '../../array/ids.ts';
import type { VolumeActivity } from '../../array/storage-array.ts';
import { isPluginError } from '../../errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { Periodic } from '../../runtime/periodic.ts';
import type { ArrayView } from './array-view.ts';
import type { IoHistory } from './detail-data.ts';
import { IoRing, sumOf, sumOfRates } from './io-ring.ts';
import { wallTime } from './wall-time.ts';

export interface IoWatchParts {
  readonly array: Pick<VolumeActivity, 'ioOf'>;
  readonly clock: Pick<Clock, 'now' | 'elapsed' | 'sleep'>;
  readonly log: Log;
  /** Which volumes there are; undefined: not read yet. */
  readonly sighting: () => ArrayView | undefined;
}

/** Reads and writes together. */
export interface IoNow {
  readonly iops: number;
  readonly kibPerSecond: number;
}

/** One for all that do nothing, which on a large array are most. */
const IDLE: IoNow = { iops: 0, kibPerSecond: 0 };
const EVERY_MS = 30_000;
/** A sample of a large array takes long; so many times as long it is then left alone. */
const REST = 9;
const LIMIT_MS = 60_000;
/** Of more volumes than these none is kept by itself, only what their pools do. */
const MOST_VOLUMES = 2000;

/**
 * Samples what the array counts of its volumes' I/O, for the last hour of each pool and of each volume of ours: one call every 30 s,
 * whether or not somebody looks, since the past cannot be asked for.
 */
export class IoWatch {
  readonly #parts: IoWatchParts;
  readonly #samples: Periodic;
  readonly #pools = new IoRing<PoolId>();
  readonly #volumes = new IoRing<VolumeId>();
  #lastOfPools: ReadonlyMap<PoolId, VolumeIo> = new Map();
  #lastOfVolumes: ReadonlyMap<VolumeId, IoNow> = new Map();
  #revision = 0;
  #failure: string | undefined;
  #tookMs = 0;

  constructor(parts: IoWatchParts) {
    this.#parts = parts;
    this.#samples = new Periodic({
      clock: parts.clock,
      firstMs: 1000,
      turn: (signal) => this.#sample(signal),
      pauseMs: () => Math.max(EVERY_MS, REST * this.#tookMs),
      limitMs: LIMIT_MS,
      onError: (error) => {
        this.#failed(error);
      },
    });
  }

  start(): void {
    this.#samples.start();
  }

  /** Resolves when the sample under way has ended. */
  stop(): Promise<void> {
    return this.#samples.stop();
  }

  /** What each pool did at the last sample; none while the array cannot be read. */
  get ofPools(): ReadonlyMap<PoolId, VolumeIo> {
    return this.#lastOfPools;
  }

  /** What a volume of ours did at the last sample; undefined: not known, as of all while the array cannot be read. */
  nowOf(id: VolumeId): IoNow | undefined {
    return this.#lastOfVolumes.get(id);
  }

  /** Changes with every sample. */
  get revision(): number {
    return this.#revision;
  }

  /** The last hour of a pool; undefined: nothing is known of it. */
  ofPool(id: string): IoHistory | undefined {
    return this.#pools.historyOf(asPoolId(id), wallTime(this.#parts.clock));
  }

  /** The last hour of a volume; undefined: nothing is known of it, or there are too many volumes. */
  ofVolume(id: string): IoHistory | undefined {
    return this.#volumes.historyOf(asVolumeId(id), wallTime(this.#parts.clock));
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const { array, clock, sighting } = this.#parts;
    const startedAt = clock.elapsed();
    try {
      const all = await array.ioOf('all', signal);
      const seen = sighting();
      if (seen !== undefined) this.#take(startedAt, all, seen);
      this.#failure = undefined;
    } finally {
      this.#tookMs = clock.elapsed() - startedAt;
    }
  }

  #take(at: number, all: ReadonlyMap<VolumeId, VolumeIo>, { volumes, pools }: ArrayView): void {
    const byPool = Map.groupBy(
      [...all].flatMap(([id, io]) => {
        const pool = pools.get(id);
        return pool === undefined ? [] : [{ pool, io }];
      }),
      ({ pool }) => pool,
    );
    this.#lastOfPools = new Map(
      [...byPool].map(([pool, members]) => [pool, sumOf(members.map(({ io }) => io))]),
    );
    this.#pools.add(at, this.#lastOfPools);
    this.#lastOfVolumes = new Map([...all].flatMap(([id, io]) => (volumes.has(id) ? nowOf(id, io) : [])));
    this.#revision += 1;
    const isFew = volumes.size <= MOST_VOLUMES;
    this.#volumes.add(at, new Map(isFew ? [...all].filter(([id]) => volumes.has(id)) : []));
  }

  /** The charts then have a gap. */
  #failed(error: unknown): void {
    const { clock, log } = this.#parts;
    this.#lastOfPools = new Map();
    this.#lastOfVolumes = new Map();
    this.#revision += 1;
    this.#pools.add(clock.elapsed(), this.#lastOfPools);
    this.#volumes.add(clock.elapsed(), new Map());
    const why = isPluginError(error) ? error.message : String(error);
    if (!isPluginError(error)) log.error({ error: why }, 'the I/O of the volumes could not be read');
    else if (this.#failure !== why)
      log.warn({ error: why }, 'the I/O of the volumes cannot be read for the page now');
    this.#failure = why;
  }
}

/** Nothing where the array does not say. */
function nowOf(id: VolumeId, { read, write }: VolumeIo): [] | [[VolumeId, IoNow]] {
  const { iops, kibPerSecond } = sumOfRates([read, write]);
  if (iops === null || kibPerSecond === null) return [];
  return [[id, iops === 0 && kibPerSecond === 0 ? IDLE : { iops, kibPerSecond }]];
}
