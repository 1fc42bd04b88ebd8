import { isPluginError } from '../errors.ts';
import type { ClusterReading, DeviceReading, PoolReading, SdsReading } from '../array/pool.ts';
import type { ClusterSpace } from '../array/storage-array.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Alert, Alerts } from './capacity/alerts.ts';
import { assign, onePool, type WantedPool } from './capacity/assignment.ts';
import type { AuditTrail } from './audit.ts';
import type { AddedDisk, Grower } from './capacity/grower.ts';
import { PoolWatch, type LevelNews, type PoolStatus } from './capacity/pool-watch.ts';
import type { Policy, PoolPolicy } from './policy.ts';
import type {
  AuditRecord,
  Cleaning,
  CleanupStatus,
  News,
  PoolLevel,
  TrashKeeping,
  TrashOfPool,
} from './ports.ts';

/** Everything the steward knows, for metrics and the page. Its parts are never changed, only replaced. */
export interface StewardSnapshot {
  /** False: dry run. */
  readonly acts: boolean;
  /** ISO 8601; null before the first reading. */
  readonly readAt: string | null;
  readonly ageMs: number | null;
  /** False while the array cannot be read; what is shown is what it last said. */
  readonly reachable: boolean;
  readonly failure: string | null;
  readonly systemId: string | null;
  /** Null also where the array has none. */
  readonly systemName: string | null;
  readonly pools: readonly (PoolStatus & { readonly growth: string | null })[];
  readonly sdss: readonly SdsReading[];
  readonly devices: readonly DeviceReading[];
  /** Pools that the policy names and the array does not have, or has twice. */
  readonly problems: readonly string[];
  /** Null where the policy has no section for it. */
  readonly cleanup: CleanupStatus | null;
  /** What the trash holds, by pool; not there before the first look at it. */
  readonly trash?: readonly TrashOfPool[];
  readonly audit: readonly AuditRecord[];
  /** Levels that changed and the array out of sight, whether or not a webhook is told; newest last. */
  readonly news: readonly News[];
}

export interface StewardParts {
  readonly array: ClusterSpace;
  readonly clock: Clock;
  readonly log: Log;
  readonly alerts: Alerts;
  readonly audit: AuditTrail;
  readonly grower: Grower;
  readonly cleaner?: Cleaning | undefined;
  readonly trash?: TrashKeeping | undefined;
}

/** The array is told to be out of sight after so many missed rounds, and never sooner than 5 min. */
const BLIND_ROUNDS = 3;
const BLIND_LEAST_MS = 5 * 60_000;

interface Seen {
  readonly cluster: ClusterReading;
  readonly at: number;
  readonly wallAt: number;
}

/** Watches over the array's space. One round reads, judges, tells, does at most one step per pool, and cleans up. */
export class Steward {
  readonly #parts: StewardParts;
  readonly #policy: Policy;
  readonly #watches = new Map<string, PoolWatch>();
  #seen: Seen | undefined;
  #sightSince: number;
  #failure: string | undefined;
  #isBlind = false;
  #statuses: readonly PoolStatus[] = [];
  #growth = new Map<string, string>();
  #problems: readonly string[] = [];

  constructor(parts: StewardParts, policy: Policy) {
    this.#parts = parts;
    this.#policy = policy;
    this.#sightSince = parts.clock.elapsed();
  }

  /** Never rejects for anything the array, the network or a webhook does: that is a state, and the next round's affair. */
  async round(signal: AbortSignal): Promise<void> {
    const { array, clock, log } = this.#parts;
    try {
      const cluster = await array.readCluster(signal);
      this.#failure = undefined;
      this.#seen = { cluster, at: clock.elapsed(), wallAt: clock.now() };
      this.#sightIsBack();
      const watched = this.#observe(cluster);
      await this.#grow(watched, cluster, signal);
      await this.#parts.cleaner?.round(signal);
      await this.#parts.trash?.round(this.#levels, signal);
    } catch (error) {
      if (!isPluginError(error)) throw error;
      if (this.#failure !== error.message) log.warn({ error: error.message }, 'the array cannot be read now');
      this.#failure = error.message;
      for (const watch of this.#watches.values()) watch.lostSight();
      this.#parts.cleaner?.lostSight();
      this.#tellIfBlind();
    }
  }

  /**
   * Adds the next declared disk to a pool at once, on a reading of its own; see Grower.addNow. Rejects also with InvalidRequestError for a pool
   * that is not there, or of which there are several.
   */
  async addDisk(wanted: WantedPool, signal: AbortSignal): Promise<AddedDisk> {
    const cluster = await this.#parts.array.readCluster(signal);
    const pool = onePool(cluster, wanted);
    const watch = this.#watchOf(pool, assign(this.#policy.pools, cluster).policies.get(pool));
    return this.#parts.grower.addNow(pool, cluster, watch, signal);
  }

  snapshot(): StewardSnapshot {
    const { audit, alerts } = this.#parts;
    const seen = this.#seen;
    return {
      acts: this.#policy.act,
      ...this.#shown,
      reachable: seen !== undefined && this.#failure === undefined,
      failure: this.#failure ?? null,
      pools: this.#statuses.map((status) => ({
        ...status,
        growth: this.#growth.get(status.reading.id) ?? null,
      })),
      problems: this.#problems,
      cleanup: this.#cleanup,
      ...(this.#trash === undefined ? {} : { trash: this.#trash }),
      audit: audit.last,
      news: alerts.news,
    };
  }

  /** What the last reading said, and when that was. */
  get #shown(): Pick<StewardSnapshot, 'readAt' | 'ageMs' | 'systemId' | 'systemName' | 'sdss' | 'devices'> {
    if (this.#seen === undefined)
      return { readAt: null, ageMs: null, systemId: null, systemName: null, sdss: [], devices: [] };
    const { cluster, at, wallAt } = this.#seen;
    const { systemId, systemName, sdss, devices } = cluster;
    const ageMs = this.#parts.clock.elapsed() - at;
    return { readAt: new Date(wallAt).toISOString(), ageMs, systemId, systemName, sdss, devices };
  }

  get #trash(): readonly TrashOfPool[] | undefined {
    return this.#parts.trash?.held;
  }

  get #levels(): readonly PoolLevel[] {
    return this.#statuses
      .filter(({ contradiction }) => contradiction === undefined)
      .map(({ reading, usedPercent }) => ({ id: reading.id, usedPercent }));
  }

  get #cleanup(): CleanupStatus | null {
    return this.#parts.cleaner?.status ?? null;
  }

  #observe(cluster: ClusterReading): { pool: PoolReading; watch: PoolWatch }[] {
    const { policies, problems } = assign(this.#policy.pools, cluster);
    if (problems.join() !== this.#problems.join())
      for (const problem of problems) this.#parts.log.warn({ problem }, 'the policy does not fit the array');
    this.#problems = problems;
    const present = new Set<string>(cluster.pools.map(({ id }) => id));
    for (const id of this.#watches.keys()) if (!present.has(id)) this.#watches.delete(id);
    const observed = cluster.pools.map((pool) => {
      const watch = this.#watchOf(pool, policies.get(pool));
      const { status, news } = watch.observe(
        pool,
        cluster,
        this.#trash?.find(({ poolId }) => poolId === pool.id),
      );
      if (news !== undefined) this.#tell(news, status, cluster);
      return { pool, watch, status };
    });
    this.#statuses = observed.map(({ status }) => status);
    return observed;
  }

  #watchOf(pool: PoolReading, policy: PoolPolicy | undefined): PoolWatch {
    const known = this.#watches.get(pool.id);
    if (known?.policy === policy && known !== undefined) return known;
    const watch = new PoolWatch(policy, this.#parts.clock, this.#policy.remindEvery);
    this.#watches.set(pool.id, watch);
    return watch;
  }

  async #grow(
    watched: readonly { readonly pool: PoolReading; readonly watch: PoolWatch }[],
    cluster: ClusterReading,
    signal: AbortSignal,
  ): Promise<void> {
    const growth = new Map<string, string>();
    for (const { pool, watch } of watched) {
      const plan = await this.#parts.grower.consider(pool, cluster, watch, signal);
      if (plan.kind === 'add') growth.set(pool.id, `next: ${plan.device.path} of SDS "${plan.sds.name}"`);
      if (plan.kind === 'ask') growth.set(pool.id, 'next: a disk of the provider');
      if (plan.kind === 'blocked') growth.set(pool.id, plan.why);
    }
    this.#growth = growth;
  }

  #tell(news: LevelNews, status: PoolStatus, cluster: ClusterReading): void {
    const { reading, usedPercent, health, forecast } = status;
    this.#parts.alerts.raise({
      ...this.#envelope(`${cluster.systemId}.${reading.id}.${news.level}`),
      ...news,
      systemId: cluster.systemId,
      pool: {
        id: reading.id,
        name: reading.name,
        domain: reading.domainName,
        usedPercent,
        ...reading.capacity,
        health,
        forecast,
        trash: this.#trash?.find(({ poolId }) => poolId === reading.id) ?? null,
      },
    });
  }

  #tellIfBlind(): void {
    const { clock, alerts } = this.#parts;
    const blindMs = clock.elapsed() - this.#sightSince;
    if (this.#isBlind || blindMs < Math.max(BLIND_LEAST_MS, BLIND_ROUNDS * this.#policy.interval)) return;
    this.#isBlind = true;
    alerts.raise({
      ...this.#envelope('blind'),
      kind: 'blind',
      level: 'unknown',
      before: 'ok',
      text: `the array could not be read for ${Math.round(blindMs / 60_000)} min: ${this.#failure ?? ''}`,
      systemId: this.#seen?.cluster.systemId ?? null,
      pool: null,
    });
  }

  #sightIsBack(): void {
    const { clock, alerts } = this.#parts;
    this.#sightSince = clock.elapsed();
    if (!this.#isBlind) return;
    this.#isBlind = false;
    alerts.raise({
      ...this.#envelope('sight'),
      kind: 'blind',
      level: 'ok',
      before: 'unknown',
      text: 'the array can be read again',
      systemId: this.#seen?.cluster.systemId ?? null,
      pool: null,
    });
  }

  #envelope(key: string): Pick<Alert, 'key' | 'at'> {
    return { key, at: new Date(this.#parts.clock.now()).toISOString() };
  }
}
