import { GatewayRejectedError, isPluginError, NotNowError } from '../../errors.ts';
import type { DeviceId } from '../../array/ids.ts';
import type { AuditTrail } from '../audit.ts';
import {
  deviceFor,
  diskKey,
  findSds,
  isPresent,
  nextDisk,
  obstacleTo,
  planGrowth,
  type GrowthPlan,
} from './growth.ts';
import type { PoolWatch } from './pool-watch.ts';
import type { GrowthPolicy } from '../policy.ts';
import type { ClusterReading, NewDevice, PoolReading, SdsReading } from '../../array/pool.ts';
import type { ClusterSpace } from '../../array/storage-array.ts';
import type { Clock } from '../../runtime/clock.ts';
import { randomShare } from '../../runtime/periodic.ts';
import type { DiskProvider } from './provider.ts';

const LONGEST_JITTER_MS = 2000;

export interface GrowerParts {
  readonly array: ClusterSpace;
  readonly provider: DiskProvider;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}

/**
 * Grows a pool by one device when its policy says so. What is done is decided on what the array says at that moment, read
 * again after a random pause: two stewards that woke up together do not both find the pool wanting, and if they do,
 * they want the same device and the array takes one.
 */
export class Grower {
  readonly #parts: GrowerParts;
  readonly #act: boolean;
  readonly #intervalMs: number;

  constructor(parts: GrowerParts, policy: { readonly act: boolean; readonly intervalMs: number }) {
    this.#parts = parts;
    this.#act = policy.act;
    this.#intervalMs = policy.intervalMs;
  }

  /** One step. Hands back the plan, for the status. Rejects with CancelledError only. */
  async consider(
    pool: PoolReading,
    cluster: ClusterReading,
    watch: PoolWatch,
    signal: AbortSignal,
  ): Promise<GrowthPlan> {
    const policy = watch.policy?.grow;
    if (policy === undefined) return { kind: 'idle' };
    const plan = planGrowth(pool, cluster, policy, memoryOf(watch, policy));
    const about = { action: 'grow', target: targetOf(pool) } as const;
    if (plan.kind === 'idle') {
      watch.unconfirm();
      this.#parts.audit.settle(about);
    } else if (plan.kind === 'blocked') {
      watch.unconfirm();
      // Percentages and what is left change each round; that is no news.
      this.#parts.audit.recordOnce({ ...about, outcome: 'blocked', why: plan.why }, withoutNumbers(plan.why));
    } else if (watch.confirm() >= policy.confirm) {
      await this.#step(pool, plan, { watch, policy }, signal);
    }
    return plan;
  }

  /**
   * Adds the declared disk that is next, whatever the pool's level; all other rules hold as ever. Rejects with NotNowError that says which
   * of them does not, and as the array refuses.
   */
  async addNow(
    pool: PoolReading,
    cluster: ClusterReading,
    watch: PoolWatch,
    signal: AbortSignal,
  ): Promise<AddedDisk> {
    const what = `no disk was added to ${targetOf(pool)}`;
    const policy = watch.policy?.grow;
    if (policy === undefined)
      throw new NotNowError(`${what}: the policy declares none for it`, {
        remedy: 'give it a section "grow"',
      });
    if (!this.#act)
      throw new NotNowError(`${what}: the steward is in a dry run`, {
        remedy: 'set act: true in its policy',
      });
    watch.noticeDevices(pool, cluster);
    const next = nextDisk(pool, cluster, policy, memoryOf(watch, policy));
    if (next.kind !== 'add') throw new NotNowError(`${what}: ${next.why}`);
    const { device, sds } = next;
    watch.startCoolDown();
    try {
      const id = await this.#parts.array.addDevice(device, signal);
      return { device: id, path: device.path, sds: sds.name };
    } catch (error) {
      if (!(error instanceof GatewayRejectedError)) throw error;
      if (error.refusal === 'disk-taken')
        throw new NotNowError(`${what}: somebody else adds ${device.path} just now`, { cause: error });
      watch.diskFailed(diskKey(device));
      throw error;
    }
  }

  async #step(
    pool: PoolReading,
    plan: Extract<GrowthPlan, { kind: 'add' | 'ask' }>,
    of: { readonly watch: PoolWatch; readonly policy: GrowthPolicy },
    signal: AbortSignal,
  ): Promise<void> {
    const { audit } = this.#parts;
    const about = { action: 'grow', target: targetOf(pool) } as const;
    const wish = plan.kind === 'add' ? wordsFor(plan.device, plan.sds.name) : 'ask the provider for a disk';
    if (!this.#act) {
      audit.recordOnce({ ...about, outcome: 'planned', why: `${plan.why}; would ${wish}` }, wish);
      return;
    }
    try {
      const choice = await this.#confirmed(pool, plan, of, signal);
      if ('notNow' in choice) {
        of.watch.unconfirm();
        audit.recordOnce({ ...about, outcome: 'blocked', why: choice.notNow }, withoutNumbers(choice.notNow));
      } else await this.#add(pool, choice, { watch: of.watch, why: plan.why }, signal);
    } catch (error) {
      if (signal.aborted || !isPluginError(error)) throw error;
      of.watch.startCoolDown();
      audit.record({ ...about, outcome: 'failed', why: `${plan.why}; could not ${wish}: ${error.message}` });
    }
  }

  /** The device to add, if a second look at the array, a moment later, still says so. */
  async #confirmed(
    pool: PoolReading,
    plan: Extract<GrowthPlan, { kind: 'add' | 'ask' }>,
    { watch, policy }: { readonly watch: PoolWatch; readonly policy: GrowthPolicy },
    signal: AbortSignal,
  ): Promise<Choice | NotNow> {
    const { array, clock, provider } = this.#parts;
    const jitterMs = Math.min(LONGEST_JITTER_MS, this.#intervalMs / 4);
    await clock.sleep(randomShare(clock) * jitterMs, signal);
    const cluster = await array.readCluster(signal);
    const now = cluster.pools.find(({ id }) => id === pool.id);
    if (now === undefined) return notNow('the pool is gone');
    watch.noticeDevices(now, cluster);
    const again = planGrowth(now, cluster, policy, memoryOf(watch, policy));
    if (again.kind === 'blocked') return notNow(again.why);
    if (again.kind === 'idle') return notNow('it is no longer full enough');
    if (plan.kind !== again.kind) return notNow('the array has changed');
    if (again.kind === 'add') return again;
    if (policy.provider === undefined) return notNow('the array has changed');
    const disk = await provider.ask(policy.provider, now, cluster, signal);
    if ('wait' in disk) return notNow(`the provider says: ${disk.wait}`);
    return this.#checked(now, disk, { watch, policy }, signal);
  }

  /** A disk that was made meanwhile, if the array has room for a device now and does not have this one. */
  async #checked(
    pool: PoolReading,
    disk: { readonly sds: string; readonly path: string },
    { watch, policy }: { readonly watch: PoolWatch; readonly policy: GrowthPolicy },
    signal: AbortSignal,
  ): Promise<Choice | NotNow> {
    const cluster = await this.#parts.array.readCluster(signal);
    const now = cluster.pools.find(({ id }) => id === pool.id) ?? pool;
    watch.noticeDevices(now, cluster);
    const sds = findSds(cluster, now, disk.sds);
    if (typeof sds === 'string') return notNow(`of the provider's disk ${disk.path}: ${sds}`);
    const device = deviceFor(now, sds, disk.path);
    const memory = memoryOf(watch, policy);
    const why =
      obstacleTo(now, cluster, policy, memory) ??
      (isPresent(cluster, device) ? `the provider's disk ${disk.path} is in use already` : undefined) ??
      (memory.failedDisks.has(diskKey(device))
        ? `the provider's disk ${disk.path} failed lately`
        : undefined);
    return why === undefined ? { device, sds } : notNow(why);
  }

  async #add(
    pool: PoolReading,
    { device, sds }: Choice,
    { watch, why }: { readonly watch: PoolWatch; readonly why: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { array, audit } = this.#parts;
    const about = { action: 'grow', target: targetOf(pool) } as const;
    const words = wordsFor(device, sds.name);
    // Also when it fails: whether it happened may not be known, and a second step must not follow at once.
    watch.startCoolDown();
    try {
      const id = await array.addDevice(device, signal);
      audit.record({ ...about, outcome: 'done', why: `${why}; ${words}: device ${id}` });
    } catch (error) {
      if (!(error instanceof GatewayRejectedError)) throw error;
      if (error.refusal === 'disk-taken') {
        audit.record({ ...about, outcome: 'blocked', why: `somebody else adds ${device.path} just now` });
        return;
      }
      watch.diskFailed(diskKey(device));
      throw error;
    }
  }
}

/** A disk that became a device of a pool. */
export interface AddedDisk {
  readonly device: DeviceId;
  readonly path: string;
  /** Name of the SDS. */
  readonly sds: string;
}

/** A disk, and whose it is. */
interface Choice {
  readonly device: NewDevice;
  readonly sds: SdsReading;
}

/** The second look says otherwise than the first. */
interface NotNow {
  readonly notNow: string;
}

function notNow(why: string): NotNow {
  return { notNow: why };
}

function memoryOf(watch: PoolWatch, policy: GrowthPolicy) {
  return {
    coolDownLeftMs: watch.coolDownLeftMs(policy.cooldown),
    failedDisks: watch.failedDisks(policy.retryFailedAfter),
  };
}

function targetOf(pool: PoolReading): string {
  return `pool "${pool.domainName}/${pool.name}"`;
}

function wordsFor({ path }: NewDevice, sds: string): string {
  return `add ${path} of SDS "${sds}"`;
}

function withoutNumbers(why: string): string {
  return why.replaceAll(/\d+(\.\d+)?/g, '#');
}
