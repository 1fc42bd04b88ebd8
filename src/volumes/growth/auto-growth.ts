import { CapacityError, isPluginError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log, Trace } from '../../runtime/log.ts';
import { Periodic } from '../../runtime/periodic.ts';
import { formatSize } from '../../units/size.ts';
import type { VolumeLock } from '../life/volume-lock.ts';
import type { VolumeLabel } from '../options/label.ts';
import { roundedToGrain } from '../options/option-words.ts';
import type { HostVolume, Journal, KnownVolume } from '../ports.ts';
import type { Identity } from '../volume-host.ts';
import type { DeviceGrowth } from './device-growth.ts';

export interface AutoGrowthParts {
  readonly array: Pick<StorageArray, 'identity' | 'getVolume' | 'poolUsage' | 'growVolume'>;
  readonly journal: Pick<Journal, 'all' | 'get' | 'known'>;
  readonly identity: Pick<Identity, 'current'>;
  readonly follow: DeviceGrowth['follow'];
  /** Of the file system mounted there, bytes as df counts them; undefined when none is. */
  readonly usage: (
    mountpoint: string,
  ) => Promise<{ readonly usedBytes: number; readonly availableBytes: number } | undefined>;
  readonly lock: VolumeLock;
  readonly clock: Omit<Clock, 'now'>;
  readonly log: Log;
  readonly trace: Pick<Trace, 'apart'>;
}

export interface AutoGrowthPolicy {
  /** Between looks at the file systems, ms. */
  readonly lookMs: number;
  /** After a growth, until the next of the volume, ms. */
  readonly coolDownMs: number;
  /** After one that failed, or was not allowed, ms. */
  readonly againMs: number;
  /** For one growth, ms. */
  readonly limitMs: number;
  /** No volume grows by itself while its pool is fuller, percent. */
  readonly poolLimitPercent: number;
}

/** What happened since the start; metrics show it. */
export interface AutoGrowthTotals {
  readonly grown: number;
  readonly refused: number;
}

/**
 * Grows the volumes that are mounted here and ask for it (`grow-above`) before their file systems are full: by `grow-by`, up to
 * `grow-max`, one at a time for each volume, with a rest in between, and only while the pool has room. The holder alone does it, so no
 * two hosts grow one volume.
 */
export class AutoGrowth {
  readonly #parts: AutoGrowthParts;
  readonly #policy: AutoGrowthPolicy;
  readonly #looks: Periodic;
  /** Not before, by the clock's elapsed(), by volume. */
  readonly #rests = new Map<string, number>();
  /** Looks and growths that go on, by volume. */
  readonly #underWay = new Map<string, Promise<void>>();
  #totals: AutoGrowthTotals = { grown: 0, refused: 0 };

  constructor(parts: AutoGrowthParts, policy: AutoGrowthPolicy) {
    this.#parts = parts;
    this.#policy = policy;
    this.#looks = new Periodic({
      clock: parts.clock,
      firstMs: policy.lookMs,
      pauseMs: () => policy.lookMs,
      turn: (signal) => {
        for (const entry of parts.journal.all()) this.#begin(entry, signal);
      },
      around: (work) => parts.trace.apart('growth', work),
      onError: (error) => {
        parts.log.error({ error: String(error) }, 'looking at how full volumes are failed unexpectedly');
      },
    });
  }

  get totals(): AutoGrowthTotals {
    return this.#totals;
  }

  start(): void {
    this.#looks.start();
  }

  /** Resolves when the growths under way have been ended. */
  async stop(): Promise<void> {
    await this.#looks.stop();
    await Promise.all(this.#underWay.values());
  }

  /** Each volume by itself: one that waits for the array must not keep the others from growing. */
  #begin(entry: HostVolume, signal: AbortSignal): void {
    const { name } = entry;
    if (this.#underWay.has(name)) return;
    const look = this.#lookAt(entry, signal)
      .catch((error: unknown) => {
        if (signal.aborted) return;
        this.#parts.log.error({ volume: name, error: String(error) }, 'growing a volume failed unexpectedly');
      })
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, look);
  }

  async #lookAt(entry: HostVolume, signal: AbortSignal): Promise<void> {
    const due = this.#dueOf(entry);
    if (due === undefined) return;
    const usedPercent = await this.#usedPercent(entry);
    if (usedPercent === undefined || usedPercent < due.wish.abovePercent) return;
    const { log } = this.#parts;
    const { name: volume, volumeId } = entry;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#policy.limitMs)]);
    try {
      const grown = await this.#grow(entry, due, limit);
      this.#rest(volume, this.#policy.coolDownMs);
      if (grown === undefined) return;
      this.#totals = { ...this.#totals, grown: this.#totals.grown + 1 };
      const facts = { volume, volumeId, usedPercent, ...grown };
      log.info(facts, 'volume grown by itself, because its file system was getting full');
    } catch (cause) {
      if (!isPluginError(cause) || signal.aborted) throw cause;
      this.#rest(volume, this.#policy.againMs);
      this.#totals = { ...this.#totals, refused: this.#totals.refused + 1 };
      const facts = { volume, volumeId, usedPercent, error: cause.message };
      log.warn(facts, 'volume is getting full and did not grow');
    }
  }

  /** Undefined: it has not asked for it, or rests. */
  #dueOf({ name, phase, volumeId }: HostVolume): Due | undefined {
    const { clock, journal } = this.#parts;
    const known = journal.known(name);
    const wish = wishOf(known?.label);
    if (phase !== 'mounted' || known?.volumeId !== volumeId || wish === undefined) return undefined;
    return clock.elapsed() < (this.#rests.get(name) ?? 0) ? undefined : { known, wish };
  }

  #rest(name: string, ms: number): void {
    this.#rests.set(name, this.#parts.clock.elapsed() + ms);
  }

  async #usedPercent({ mountpoint }: HostVolume): Promise<number | undefined> {
    const usage = await this.#parts.usage(mountpoint);
    if (usage === undefined) return undefined;
    const { usedBytes, availableBytes } = usage;
    return Math.round((usedBytes / Math.max(1, usedBytes + availableBytes)) * 1000) / 10;
  }

  /** Undefined where somebody else was at it meanwhile. */
  async #grow(
    entry: HostVolume,
    { wish, known }: Due,
    signal: AbortSignal,
  ): Promise<{ readonly fromKiB: number; readonly toKiB: number } | undefined> {
    const { array, follow, journal, lock } = this.#parts;
    const { name, volumeId } = entry;
    const step = await lock.run(name, 'growth by itself', signal, async () => {
      const now = journal.get(name);
      if (now?.phase !== 'mounted' || now.volumeId !== volumeId) return undefined;
      const volume = await this.#heldHere(known, signal);
      const { capabilities } = await array.identity(signal);
      const toKiB = Math.min(
        roundedToGrain(volume.sizeKiB + amountOf(wish, volume), capabilities),
        roundedToGrain(wish.mostKiB, capabilities),
      );
      if (toKiB <= volume.sizeKiB)
        throw new CapacityError(
          `volume "${name}" has grown to its grow-max, ${formatSize(wish.mostKiB)}; make room in it, or grow it by hand`,
        );
      await this.#assertRoom(volume, name, signal);
      await array.growVolume(volumeId, toKiB, signal);
      return { fromKiB: volume.sizeKiB, toKiB };
    });
    if (step !== undefined) await follow(name, step.toKiB, signal);
    return step;
  }

  /** The volume as the array has it, which must be attached to this host under its name. */
  async #heldHere({ name, arrayName, volumeId }: KnownVolume, signal: AbortSignal): Promise<ArrayVolume> {
    const { array, identity } = this.#parts;
    const { hostId } = await identity.current(signal);
    const volume = await array.getVolume(volumeId, signal);
    if (volume?.name === arrayName && volume.attachments.some((attachment) => attachment.hostId === hostId))
      return volume;
    throw new CapacityError(
      `volume "${name}" does not grow: the array does not have it attached to this host under its name`,
    );
  }

  /** An array that does not say how full the pool is refuses by itself what it cannot hold. */
  async #assertRoom({ poolId }: ArrayVolume, name: string, signal: AbortSignal): Promise<void> {
    const { usedKiB, roomKiB } = await this.#parts.array.poolUsage(poolId, signal);
    const percent = roomKiB > 0 ? (usedKiB / roomKiB) * 100 : 0;
    if (percent < this.#policy.poolLimitPercent) return;
    throw new CapacityError(
      `volume "${name}" does not grow: its storage pool is ${percent.toFixed(1)} % full, and no volume grows by itself above ` +
        `${this.#policy.poolLimitPercent} %; add devices, or free some space`,
    );
  }
}

/** What a volume asks for. */
interface GrowthWish {
  readonly abovePercent: number;
  readonly by: VolumeLabel['growBy'];
  readonly mostKiB: number;
}

interface Due {
  readonly wish: GrowthWish;
  readonly known: KnownVolume;
}

/** Undefined: it does not grow by itself. */
function wishOf(label: VolumeLabel | undefined): GrowthWish | undefined {
  if (label === undefined) return undefined;
  const { growAbovePercent: abovePercent = 0, growBy: by, growMaxKiB: mostKiB = 0 } = label;
  return abovePercent === 0 || mostKiB === 0 ? undefined : { abovePercent, by, mostKiB };
}

const STANDARD_PERCENT = 20;

/** KiB. */
function amountOf({ by }: GrowthWish, { sizeKiB }: ArrayVolume): number {
  if (by?.kiB !== undefined) return by.kiB;
  return Math.ceil((sizeKiB * (by?.percent ?? STANDARD_PERCENT)) / 100);
}
