import { contradictionIn, formatGiB, healthOf, usedPercent, type PoolHealth } from './assessment.ts';
import { Forecaster, type Forecast, type UseSample } from './forecast.ts';
import { devicesOf } from './growth.ts';
import { ProgressWatch, type Progress } from './progress.ts';
import { levelOf, type Level } from './levels.ts';
import type { PoolPolicy } from '../policy.ts';
import type { ClusterReading, PoolReading } from '../../array/pool.ts';
import { heldWords, type TrashHeld } from '../../volumes/trash/trash-held.ts';
import type { Clock } from '../../runtime/clock.ts';

const HALF_HOUR_MS = 30 * 60_000;

/** What is known of one pool; a page can show it as it is. */
export interface PoolStatus {
  readonly reading: PoolReading;
  readonly usedPercent: number;
  /** unknown: the array's numbers contradict each other. */
  readonly level: Level | 'unknown';
  readonly contradiction: string | undefined;
  readonly health: PoolHealth;
  readonly forecast: Forecast;
  /** What was used, oldest first; the further back, the fewer. */
  readonly history: readonly UseSample[];
  /** What is copied to have two copies again; undefined: nothing. */
  readonly rebuild: Progress | undefined;
  /** What is moved until the devices are used evenly, as after growth; undefined: nothing. */
  readonly rebalance: Progress | undefined;
  readonly devices: number;
  /** In a policy's words; undefined for a pool that no policy names. */
  readonly watched: { readonly warn: number; readonly critical: number } | undefined;
}

interface Seen {
  readonly pool: PoolReading;
  readonly percent: number;
  readonly forecast: Forecast;
  readonly held: TrashHeld | undefined;
}

/** A level that people should hear of. */
export interface LevelNews {
  readonly kind: 'level' | 'reminder';
  readonly before: Level;
  readonly level: Level;
  readonly text: string;
}

/**
 * What the steward learns of one pool from reading to reading. Nothing of it is kept: a new steward learns it again, and
 * until then waits rather than acts. All times are the steward's own, so no clock that jumps can hurry it.
 */
export class PoolWatch {
  readonly policy: PoolPolicy | undefined;
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #remindEveryMs: number;
  readonly #forecaster = new Forecaster(HALF_HOUR_MS);
  readonly #rebuild = new ProgressWatch();
  readonly #rebalance = new ProgressWatch();
  readonly #failedDisks = new Map<string, number>();
  #level: Level = 'ok';
  #toldAt = 0;
  #devices = '';
  #changedAt: number;
  #confirmed = 0;

  constructor(policy: PoolPolicy | undefined, clock: Pick<Clock, 'elapsed'>, remindEveryMs: number) {
    this.policy = policy;
    this.#clock = clock;
    this.#remindEveryMs = remindEveryMs;
    this.#changedAt = clock.elapsed();
  }

  /** Takes a reading in. `news`: to be told to people. `held`: what the trash holds of the pool, where that is known. */
  observe(
    pool: PoolReading,
    cluster: ClusterReading,
    held?: TrashHeld,
  ): { readonly status: PoolStatus; readonly news: LevelNews | undefined } {
    const { capacity } = pool;
    const devices = devicesOf(pool, cluster);
    this.noticeDevices(pool, cluster);
    const contradiction = contradictionIn(capacity);
    if (contradiction === undefined)
      this.#forecaster.add({ elapsedMs: this.#clock.elapsed(), usedKiB: capacity.usedKiB });
    else this.#confirmed = 0;
    const percent = usedPercent(capacity);
    const forecast = this.#forecaster.forecast(capacity.unusedKiB);
    const { policy } = this;
    const news =
      policy === undefined || contradiction !== undefined
        ? undefined
        : this.#judge({ pool, percent, forecast, held }, policy);
    const status: PoolStatus = {
      reading: pool,
      usedPercent: percent,
      level: contradiction === undefined ? this.#level : 'unknown',
      contradiction,
      health: healthOf(capacity),
      forecast,
      history: this.#forecaster.history,
      rebuild: this.#rebuild.observe(capacity.rebuildKiB),
      rebalance: this.#rebalance.observe(capacity.rebalanceKiB),
      devices: devices.length,
      watched: policy === undefined ? undefined : { warn: policy.warn, critical: policy.critical },
    };
    return { status, news };
  }

  /** Nothing was read, so nothing is confirmed. */
  lostSight(): void {
    this.#confirmed = 0;
  }

  /** How many readings in a row, this one too, asked for growth. */
  confirm(): number {
    this.#confirmed += 1;
    return this.#confirmed;
  }

  unconfirm(): void {
    this.#confirmed = 0;
  }

  /** From now on the pool is left alone for a cool-down. */
  startCoolDown(): void {
    this.#changedAt = this.#clock.elapsed();
    this.#confirmed = 0;
  }

  coolDownLeftMs(coolDownMs: number): number {
    return Math.max(0, this.#changedAt + coolDownMs - this.#clock.elapsed());
  }

  diskFailed(key: string): void {
    this.#failedDisks.set(key, this.#clock.elapsed());
  }

  failedDisks(retryAfterMs: number): ReadonlySet<string> {
    for (const [key, at] of this.#failedDisks)
      if (this.#clock.elapsed() - at >= retryAfterMs) this.#failedDisks.delete(key);
    return new Set(this.#failedDisks.keys());
  }

  /** Whoever changes a pool's devices, an operator or another steward, starts its cool-down here too. */
  noticeDevices(pool: PoolReading, cluster: ClusterReading): void {
    const devices = devicesOf(pool, cluster)
      .map(({ id }) => id)
      .toSorted()
      .join(' ');
    if (devices === this.#devices) return;
    if (this.#devices !== '') this.startCoolDown();
    this.#devices = devices;
  }

  #judge(seen: Seen, policy: PoolPolicy): LevelNews | undefined {
    const { percent, forecast } = seen;
    const before = this.#level;
    const fullInMs = forecast.kind === 'full' ? forecast.inMs : undefined;
    const level = levelOf(percent, fullInMs, before, policy);
    const isNews = level !== before;
    const isDue = level !== 'ok' && this.#clock.elapsed() - this.#toldAt >= this.#remindEveryMs;
    if (!isNews && !isDue) return undefined;
    this.#level = level;
    this.#toldAt = this.#clock.elapsed();
    const kind = isNews ? 'level' : 'reminder';
    return { kind, before, level, text: wordsFor(seen, level, fullInMs) };
  }
}

function wordsFor({ pool, percent, held }: Seen, level: Level, fullInMs: number | undefined): string {
  const { capacity } = pool;
  const trash = held === undefined ? '' : `; the trash still holds ${heldWords(held)}`;
  const free = `${formatGiB(capacity.unusedKiB)} raw unused`;
  const full = fullInMs === undefined ? '' : `, full in about ${daysOf(fullInMs)}`;
  return `storage pool "${pool.domainName}/${pool.name}" is ${level}: ${percent.toFixed(1)} % used, ${free}${full}${trash}`;
}

function daysOf(ms: number): string {
  const hours = ms / 3_600_000;
  return hours < 48 ? `${Math.max(1, Math.round(hours))} h` : `${Math.round(hours / 24)} days`;
}
