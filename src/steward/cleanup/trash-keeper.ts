import type { StorageArray } from '../../array/storage-array.ts';
import { isPluginError } from '../../errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { removeFromArray } from '../../volumes/trash/remove-from-array.ts';
import { findMarkers } from '../../volumes/takeover/failover-marker.ts';
import { isErasable, isUnattached, lookMs, timeOver } from '../../volumes/trash/erasure.ts';
import { listTrash, type TrashedVolume } from '../../volumes/trash/list-trash.ts';
import { heldIn } from '../../volumes/trash/trash-held.ts';
import { goneName } from '../../volumes/trash/trash-names.ts';
import type { AuditTrail } from '../audit.ts';
import type { TrashPolicy } from '../policy.ts';
import type { PoolLevel, TrashKeeping, TrashOfPool } from '../ports.ts';

/** For how long a call that was made may still be carried out by a gateway, ms. */
const LATE_MS = 5 * 60_000;

type TrashArray = Pick<
  StorageArray,
  | 'listVolumes'
  | 'getVolume'
  | 'renameVolume'
  | 'removeVolume'
  | 'removePolicySource'
  | 'volumesOfFamily'
  | 'findVolumeId'
>;

export interface TrashKeeperParts {
  readonly array: TrashArray;
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly log: Log;
}

export interface TrashRules extends TrashPolicy {
  /** False: dry run. */
  readonly act: boolean;
  /** False: what the trash holds is read and shown, and left to the hosts. */
  readonly erases: boolean;
  readonly prefix: string;
  readonly graceMs: number;
}

/**
 * Reads what the trash holds, and where the policy says so erases removed volumes of all hosts when their time is over, in the two steps of TrashEraser and with the same checks; and before that
 * where the policy names a level of the pool, the longest removed first, one at a time, each after the pool was read again.
 */
export class TrashKeeper implements TrashKeeping {
  readonly #parts: TrashKeeperParts;
  readonly #rules: TrashRules;
  /** Since when this run has seen each under its name, by the clock that nobody sets. */
  #seenMs: ReadonlyMap<string, number> = new Map();
  #nextAt: number;
  #trash: readonly TrashedVolume[] | undefined;

  constructor(parts: TrashKeeperParts, rules: TrashRules) {
    this.#parts = parts;
    this.#rules = rules;
    this.#nextAt = parts.clock.elapsed();
  }

  /** As last read; undefined: not yet. */
  get held(): readonly TrashOfPool[] | undefined {
    const trash = this.#trash;
    if (trash === undefined) return undefined;
    const pools = new Set(trash.map(({ poolId }) => poolId));
    return [...pools].map((poolId) => ({ poolId, ...heldIn(trash, poolId) }));
  }

  /** Never rejects for anything the array does: that is a state. */
  async round(pools: readonly PoolLevel[], signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    if (clock.elapsed() < this.#nextAt) return;
    this.#nextAt = clock.elapsed() + this.#rules.every;
    let trash: readonly TrashedVolume[];
    try {
      trash = await this.#look(signal);
    } catch (error) {
      if (!isPluginError(error)) throw error;
      log.warn({ error: error.message }, 'what is in the trash cannot be seen now');
      return;
    }
    if (!this.#rules.erases) return;
    for (const trashed of trash) {
      const why = this.#reason(trashed, trash, pools);
      if (why !== undefined) await this.#step(trashed, why, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<readonly TrashedVolume[]> {
    const { array, clock } = this.#parts;
    const trash = await listTrash({ array, prefix: this.#rules.prefix }, signal);
    const now = clock.elapsed();
    this.#seenMs = new Map(trash.map((one) => [keyOf(one), this.#seenMs.get(keyOf(one)) ?? now]));
    this.#trash = trash;
    return trash;
  }

  #reason(
    trashed: TrashedVolume,
    trash: readonly TrashedVolume[],
    pools: readonly PoolLevel[],
  ): string | undefined {
    const { clock } = this.#parts;
    const { prefix, graceMs, eraseAbove, leastAge } = this.#rules;
    const forMs = clock.elapsed() - (this.#seenMs.get(keyOf(trashed)) ?? clock.elapsed());
    if (trashed.isHad) return undefined;
    if (trashed.isBeingErased) return forMs >= LATE_MS ? 'it is being erased' : undefined;
    if (forMs < lookMs(graceMs)) return undefined;
    if (timeOver({ prefix, graceMs }, trashed.arrayName, clock.now())) return 'its time in the trash is over';
    const pool = pools.find(({ id }) => id === trashed.poolId);
    if (eraseAbove === undefined || pool === undefined || pool.usedPercent <= eraseAbove) return undefined;
    if (!timeOver({ prefix, graceMs: leastAge }, trashed.arrayName, clock.now())) return undefined;
    return this.#isNextOf(trashed, trash) ? `its pool is fuller than ${eraseAbove} %` : undefined;
  }

  /** Nothing of its pool is on its way out, and nothing that may go has been in the trash for longer. */
  #isNextOf(trashed: TrashedVolume, trash: readonly TrashedVolume[]): boolean {
    const { prefix, leastAge } = this.#rules;
    const ofPool = trash.filter(({ poolId }) => poolId === trashed.poolId);
    const may = ofPool.filter(
      ({ isHad, arrayName }) =>
        !isHad && timeOver({ prefix, graceMs: leastAge }, arrayName, this.#parts.clock.now()),
    );
    return !ofPool.some(({ isBeingErased }) => isBeingErased) && may[0] === trashed;
  }

  async #step(trashed: TrashedVolume, why: string, signal: AbortSignal): Promise<void> {
    const { audit } = this.#parts;
    const { volumeId, arrayName, isBeingErased } = trashed;
    const about = { action: 'remove-volume', target: `volume "${arrayName}" (${volumeId})` } as const;
    const what = isBeingErased ? 'removed it' : 'took it out of reach';
    if (!this.#rules.act) {
      audit.recordOnce({ ...about, outcome: 'planned', why: `${why}; would have ${what}` }, what);
      return;
    }
    try {
      const isDone = isBeingErased
        ? await this.#remove(trashed, signal)
        : await this.#rename(trashed, signal);
      if (isDone) audit.record({ ...about, outcome: 'done', why: `${why}; ${what}` });
      else audit.recordOnce({ ...about, outcome: 'blocked', why: `${why}; kept: it is not as it was read` });
    } catch (error) {
      if (!isPluginError(error)) throw error;
      audit.recordOnce({ ...about, outcome: 'failed', why: `${why}; ${error.message}` });
    }
  }

  async #rename({ volumeId, arrayName }: TrashedVolume, signal: AbortSignal): Promise<boolean> {
    const { array } = this.#parts;
    const { prefix } = this.#rules;
    const now = await array.getVolume(volumeId, signal);
    if (now?.name !== arrayName || !isErasable(now, arrayName, prefix)) return false;
    await array.renameVolume(volumeId, goneName(prefix, volumeId), signal);
    return true;
  }

  async #remove({ volumeId, arrayName }: TrashedVolume, signal: AbortSignal): Promise<boolean> {
    const { array } = this.#parts;
    const before = await array.getVolume(volumeId, signal);
    if (before === undefined) return true;
    const markers = await findMarkers({ array }, before, signal);
    const now = await array.getVolume(volumeId, signal);
    if (now === undefined) return true;
    if (now.name !== arrayName || !isUnattached(now)) return false;
    await removeFromArray(array, now, signal);
    for (const { id } of markers) await array.removeVolume(id, signal);
    return true;
  }
}

function keyOf({ volumeId, arrayName }: TrashedVolume): string {
  return `${volumeId} ${arrayName}`;
}
