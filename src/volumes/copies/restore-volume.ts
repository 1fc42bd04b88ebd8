import {
  CapacityError,
  GatewayRejectedError,
  GatewayUnavailableError,
  isPluginError,
  VolumeConflictError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../errors.ts';
import { asArrayName, type VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import {
  answered,
  isRestoring,
  releasingVolume,
  restoredOn,
  restoringVolume,
  type RestoringVolume,
} from '../host-volume.ts';
import { awaitDevice } from '../life/await-device.ts';
import { mayStillHappen } from '../life/late-requests.ts';
import type { VolumeLookup } from '../life/lookup.ts';
import { removeUnfinishedCreate } from '../life/provisional.ts';
import { markerName } from '../naming.ts';
import { releaseAfterFailure } from '../life/release.ts';
import { readAgain } from '../takeover/holders.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { assertClosed, dropRestore, finishRestore, whyNotStood } from './finish-restore.ts';
import { assertUnused, planRestore, type RestorePlan } from './plan-restore.ts';
import { rememberLabel } from './restored-label.ts';
import { assertRestoreSettled } from './settle-restore.ts';
import { holdBack, letOthersTake } from './restore-hold.ts';
import { snapshotArrayName } from './snapshot-names.ts';

const SECOND_MS = 1000;

export interface RestoreWish {
  readonly name: VolumeName;
  readonly snapshot: string;
  /** When what there was before may go, seconds since 1970; null: when somebody removes it. */
  readonly keptUntilSeconds: number | null;
}

export interface RestoredVolume {
  readonly volume: string;
  readonly snapshot: string;
  /** The snapshot of what there was before, which leads back. */
  readonly keptAs: string;
  /** ISO 8601; null: until somebody removes it. */
  readonly keptUntil: string | null;
  /** What the volume lacks that it had before; null: nothing. */
  readonly lacks: string | null;
}

/** A restore that has begun. */
interface Restoring extends RestorePlan {
  readonly wish: RestoreWish;
  readonly me: HostIdentity;
  /** To begin an error with. */
  readonly what: string;
}

/**
 * Gives a volume that nobody has the content of one of its snapshots. From the look at it to the end it is attached to this host alone (rule
 * 1), and while the array overwrites it nobody here has its device open. What there was before is kept as a snapshot.
 */
export class RestoreVolume {
  readonly #host: VolumeHost;
  readonly #lookup: VolumeLookup;

  constructor(host: VolumeHost, lookup: VolumeLookup) {
    this.#host = host;
    this.#lookup = lookup;
  }

  /**
   * Nine gateway calls, ten for a volume that this host does not know. Call with the volume's lock held. Rejects as planRestore and
   * assertRestoreSettled do, with CapacityError where the family is full, and as the array refuses; the volume is as it was then, unless no
   * gateway answered while it was being overwritten: then it stays with this host until that is settled.
   */
  async restore(wish: RestoreWish, signal: AbortSignal): Promise<RestoredVolume> {
    const { array, identity, journal, log } = this.#host;
    const { name, snapshot } = wish;
    await removeUnfinishedCreate(this.#host, name, signal);
    await assertRestoreSettled(this.#host, name, signal);
    const me = await identity.current(signal);
    const entry = journal.get(name);
    const plan = await planRestore({ array, lookup: this.#lookup }, { name, snapshot, entry }, signal);
    const what = `restoring volume "${name}" to "${name}@${snapshot}" failed`;
    const restoring = { ...plan, wish, me, what };
    const keptAs = nameOfKept(new Date(this.#host.clock.now()), plan.taken);
    await this.#begin(restoring, keptAs);
    let kept: VolumeId | undefined;
    try {
      await holdBack(this.#host, this.#entryOf(restoring), restoring, signal);
      await this.#attach(restoring, signal);
      kept = await this.#keepPresent(restoring, keptAs, signal);
      await this.#prepare(restoring, signal);
      await this.#overwrite(restoring, signal);
    } catch (cause) {
      throw await this.#giveUp(restoring, { cause, kept });
    }
    const lacks = await this.#finish(restoring);
    const { keptUntilSeconds: until } = wish;
    const keptUntil = until === null ? null : new Date(until * 1000).toISOString();
    log.info({ volume: name, snapshot, keptAs, volumeId: plan.volume.id }, 'volume restored');
    return { volume: name, snapshot, keptAs, keptUntil, lacks };
  }

  #entryOf({ wish }: Restoring): RestoringVolume {
    const entry = this.#host.journal.get(wish.name);
    if (entry !== undefined && isRestoring(entry)) return entry;
    throw new Error(`the journal has lost that volume "${wish.name}" is being restored`);
  }

  /** On disk before the array is asked for anything (rule 13). */
  async #begin({ wish, volume, source, me }: Restoring, keptAs: string): Promise<void> {
    const { filesystems, journal } = this.#host;
    const since = this.#moment();
    const arrayName = asArrayName(volume.name ?? '');
    const beginning = {
      arrayName,
      volumeId: volume.id,
      systemId: me.systemId,
      mountpoint: filesystems.mountpointOf(arrayName),
      since,
      hostId: me.hostId,
      heldSince: since,
      attachment: 'intended',
    } as const;
    const { snapshot } = wish;
    const state = { snapshot, sourceId: source.volume.id, keptAs, step: 'attaching', hold: {} } as const;
    await journal.put(restoringVolume(wish.name, beginning, state));
  }

  async #attach({ what, volume, me }: Restoring, signal: AbortSignal): Promise<void> {
    const { array } = this.#host;
    try {
      await array.attachVolume({ volumeId: volume.id, hostId: me.hostId, readOnly: false }, signal);
    } catch (cause) {
      if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'held-by-another') throw cause;
      assertUnused(what, await readAgain(array, volume, signal));
      throw new VolumeInUseError(`${what}: another host has just had it; try again`, { cause });
    }
  }

  async #keepPresent(
    { what, wish, volume }: Restoring,
    name: string,
    signal: AbortSignal,
  ): Promise<VolumeId | undefined> {
    const { keptUntilSeconds: expiresAtSeconds } = wish;
    // Nobody has frozen it: who had it last may have left it to a replay.
    const arrayName = snapshotArrayName(volume.id, { isFrozen: false, expiresAtSeconds, name });
    const copies = [{ volumeId: volume.id, name: arrayName }];
    try {
      const [id] = await this.#host.array.snapshotVolumes({ copies, access: 'ReadOnly' }, signal);
      return id;
    } catch (cause) {
      if (!(cause instanceof GatewayRejectedError)) throw cause;
      if (cause.refusal === 'family-full')
        throw new CapacityError(
          `${what}: what it holds now cannot be kept, because it has as many copies as the array allows; remove a snapshot that is not needed`,
          { cause },
        );
      throw cause;
    }
  }

  /** Its device is seen, its label is known, and nobody has it open; then the array says once more that nobody else has it. */
  async #prepare(restoring: Restoring, signal: AbortSignal): Promise<void> {
    const { array, journal } = this.#host;
    const { what, wish, volume, me } = restoring;
    const { id, sizeKiB } = volume;
    const attempt = `restoring volume "${wish.name}"`;
    const held = await awaitDevice(this.#host, { id, sizeKiB, attempt }, me, signal);
    try {
      const entry = this.#entryOf(restoring);
      await journal.put(restoredOn(entry, { ...entry.restore, diskSequence: held.device.diskSequence }));
      await rememberLabel(this.#host, this.#lookup, { entry, volume, held }, signal);
      await held.assertSame(signal);
    } finally {
      await held.close();
    }
    await assertClosed(this.#host, what, this.#entryOf(restoring));
    const [now, isHeld] = await lookBefore(array, this.#entryOf(restoring), signal);
    const isAlone = now?.attachments.every(({ hostId }) => hostId === me.hostId) === true;
    if (now === undefined || now.name !== volume.name || now.sizeKiB !== sizeKiB)
      throw new VolumeConflictError(`${what}: it was renamed, grown or removed meanwhile; try again`);
    if (!isAlone || now.attachments.length === 0 || now.attachedToAll)
      throw new VolumeInUseError(`${what}: another host has got it meanwhile; it was not changed`);
    if (!isHeld)
      throw new VolumeConflictError(`${what}: its failover policy was changed meanwhile; try again`);
  }

  async #overwrite(restoring: Restoring, signal: AbortSignal): Promise<void> {
    const { array, journal } = this.#host;
    const { what, volume, source } = restoring;
    const entry = this.#entryOf(restoring);
    await journal.put(restoredOn(entry, { ...entry.restore, step: 'overwriting' }, this.#moment()));
    try {
      await array.overwriteContent(volume.id, source.volume.id, signal);
    } catch (cause) {
      throw worded(what, cause);
    }
    const done = this.#entryOf(restoring);
    await journal.put(restoredOn(done, { ...done.restore, step: 'finishing' }));
  }

  /** What it lacks in the end; null: nothing. Its content is there, so that is no failure. */
  async #finish(restoring: Restoring): Promise<string | null> {
    const { journal, log, policy } = this.#host;
    const { wish, what, volume, me } = restoring;
    const entry = this.#entryOf(restoring);
    const broken = await whyNotStood(this.#host, entry);
    if (broken !== undefined) {
      await dropRestore(this.#host, entry, broken);
      if (await this.#isFree(entry)) await this.#release(entry);
      throw new VolumeInUseError(
        `${what}: another host may have had it while the array overwrote it (${broken}); look at what it holds`,
      );
    }
    let lacks: string | null = null;
    try {
      // Whoever asked may have gone; what is left here must not be.
      await finishRestore(this.#host, { entry, volume, me }, AbortSignal.timeout(policy.cleanupMs));
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      log.warn({ volume: wish.name, error: cause.message }, 'restored, and not mounted to see it');
      lacks = cause.message;
    }
    const finished = this.#entryOf(restoring);
    if (await this.#isFree(finished)) await this.#release(finished);
    await this.#host.droppedRestores.forget(volume.id);
    if (journal.get(wish.name) !== undefined) log.info({ volume: wish.name }, 'restored; let go of later');
    return lacks;
  }

  async #release(entry: RestoringVolume): Promise<void> {
    const releasing = releasingVolume(entry, this.#moment());
    await this.#host.journal.put(releasing);
    await releaseAfterFailure(this.#host, releasing, { unused: false });
  }

  /** False: the volume stays with this host until its marker is gone, which is settled later. */
  async #isFree(entry: RestoringVolume): Promise<boolean> {
    const { log, policy } = this.#host;
    const isRead = entry.restore.step === 'finishing';
    try {
      const signal = AbortSignal.timeout(policy.cleanupMs);
      return (await letOthersTake(this.#host, entry, signal, { isRead })) === 'free';
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      log.warn({ volume: entry.name, error: cause.message }, 'no other host may have it yet; settled later');
      return false;
    }
  }

  /** What to tell who asked. Nothing stays but what may still happen, and that is in the journal. */
  async #giveUp(
    restoring: Restoring,
    { cause, kept }: { readonly cause: unknown; readonly kept: VolumeId | undefined },
  ): Promise<unknown> {
    const { array, journal, policy } = this.#host;
    const { wish, what } = restoring;
    const entry = journal.get(wish.name);
    if (entry === undefined || !isRestoring(entry)) return cause;
    const isUnanswered = mayStillHappen(cause);
    const { step } = entry.restore;
    if (step !== 'attaching' && isUnanswered) return unsettled(what, cause);
    const isAsked = entry.attachment === 'intended';
    const left = isAsked && isUnanswered ? entry : answered(entry);
    if (await this.#isFree(left)) await this.#release(left);
    if (kept !== undefined) await this.#removeKept(array, kept, AbortSignal.timeout(policy.cleanupMs));
    return cause;
  }

  /** Of a restore that did not take place; where it cannot be removed, it goes when it expires. */
  async #removeKept(
    array: Pick<VolumeHost['array'], 'removeVolume'>,
    id: VolumeId,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await array.removeVolume(id, signal);
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      this.#host.log.warn({ volumeId: id, error: cause.message }, 'snapshot of a failed restore stays');
    }
  }

  #moment(): string {
    return new Date(this.#host.clock.now()).toISOString();
  }
}

/** The volume as it is now, and whether the marker that was made for the restore still keeps it from others. One call. */
async function lookBefore(
  array: Pick<VolumeHost['array'], 'getVolumes'>,
  { volumeId, restore: { hold } }: RestoringVolume,
  signal: AbortSignal,
): Promise<[ArrayVolume | undefined, boolean]> {
  const ids = hold?.id === undefined ? [volumeId] : [volumeId, hold.id];
  const found = await array.getVolumes(ids, signal);
  const marker = found.find(({ id }) => id === hold?.id);
  const isHeld = hold === undefined || marker?.name === markerName('never', volumeId);
  return [found.find(({ id }) => id === volumeId), isHeld];
}

/** "undo-1129-003017", in UTC: the first second from now on of which there is none. */
function nameOfKept(at: Date, taken: ReadonlySet<string>): string {
  const digits = at.toISOString().slice(5, 19).replaceAll(/[-:]/g, '');
  const name = `undo-${digits.replace('T', '-')}`;
  return taken.has(name) ? nameOfKept(new Date(at.getTime() + SECOND_MS), taken) : name;
}

function unsettled(what: string, cause: unknown): GatewayUnavailableError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new GatewayUnavailableError(
    `${what}: nobody said whether the array has overwritten it (${why}). This host keeps it until no request can come any more, and asks once more then; see docker-volume-scaleio volume show`,
    { cause },
  );
}

/** The array's refusal in words of volumes and snapshots. */
function worded(what: string, cause: unknown): unknown {
  if (!(cause instanceof GatewayRejectedError)) return cause;
  if (cause.refusal === 'volume-unknown')
    return new VolumeNotFoundError(`${what}: the volume or the snapshot was removed meanwhile`, { cause });
  if (cause.refusal === 'other-family')
    return new VolumeConflictError(`${what}: to the array that is no snapshot of it`, { cause });
  if (cause.refusal === 'locked')
    return new VolumeInUseError(`${what}: the array lets nobody overwrite it before its time`, { cause });
  return cause;
}
