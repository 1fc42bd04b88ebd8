import { FilesystemError, isPluginError } from '../../errors.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import { settleRestore } from '../copies/settle-restore.ts';
import type { DeviceGrowth } from '../growth/device-growth.ts';
import { adoptLimits } from '../limits/adopt-limits.ts';
import { InheritedHolders } from './inherited-holders.ts';
import { LateRequests } from '../life/late-requests.ts';
import { VolumeLookup } from '../life/lookup.ts';
import { MountVolume } from '../life/mount.ts';
import {
  answered,
  isDiscarded,
  isRestoring,
  isUnfinished,
  NAMELESS,
  leftVolume,
  releasingVolume,
  type AttachedVolume,
  type HostVolume,
  type RestoringVolume,
  type UnfinishedVolume,
} from '../host-volume.ts';
import { ProvisionalSweep } from './provisional-sweep.ts';
import { removeProvisional } from '../life/provisional.ts';
import { releaseVolume } from '../life/release.ts';
import { UnclaimedWatch } from './unclaimed.ts';
import { asArrayName } from '../../array/ids.ts';
import type { Attachment } from '../../array/volume.ts';
import { asVolumeName } from '../volume.ts';
import { keepInUse } from '../trash/keep-in-use.ts';
import { TrashEraser } from '../trash/trash-eraser.ts';
import type { VolumeLock } from '../life/volume-lock.ts';

/** What one round did, for logs and metrics. */
export interface ReconcileReport {
  readonly finished: readonly string[];
  /** Volumes that were fenced away from this host and have been cleaned up. */
  readonly lost: readonly string[];
  readonly postponed: readonly string[];
  /** Volumes that are mapped here and that this plugin did not map: left as they are. */
  readonly unclaimed: readonly string[];
  /** Volumes mounted here whose failover policy is in their label alone: its marker on the array is gone. */
  readonly unmarked: readonly string[];
}

type Outcome = Exclude<keyof ReconcileReport, 'unclaimed' | 'unmarked'> | 'fine';

/**
 * Brings the journal, the kernel and the array's mappings of this host to agree: finishes what a crash or an absent
 * gateway left half done, releases what nobody uses, cleans up what was fenced away. What the journal does not tell of is
 * not touched, but for unfinished volumes of this host, after proofs of their own (rule 13). Volumes that a call is busy with
 * are left for the next round.
 */
export class Reconciler {
  readonly #host: VolumeHost;
  readonly #lock: VolumeLock;
  readonly #growth: Pick<DeviceGrowth, 'compare'> | undefined;
  readonly #mount: MountVolume;
  readonly #inherited: InheritedHolders;
  readonly #late: LateRequests;
  readonly #sweep: ProvisionalSweep;
  readonly #unclaimed: UnclaimedWatch;
  readonly #eraser: TrashEraser;

  /** To be made before the first call is served: what the journal holds now is of earlier lives. */
  constructor(host: VolumeHost, lock: VolumeLock, growth?: Pick<DeviceGrowth, 'compare'>) {
    this.#host = host;
    this.#lock = lock;
    this.#growth = growth;
    this.#mount = new MountVolume(host, new VolumeLookup(host));
    this.#inherited = new InheritedHolders(host.journal.all());
    this.#late = new LateRequests(host);
    this.#sweep = new ProvisionalSweep(host);
    this.#unclaimed = new UnclaimedWatch(host);
    this.#eraser = new TrashEraser(host);
  }

  /** One round: one gateway call when all is well. Rejects when the array cannot be asked at all. */
  async run(signal: AbortSignal): Promise<ReconcileReport> {
    const { identity, array, journal } = this.#host;
    const me = await identity.current(signal);
    this.#late.observe(journal.all());
    const mapped = await array.volumesOfHost(me.hostId, signal);
    for (const { attachments } of mapped) identity.see(ownAddresses(attachments, me));
    await this.#recordUnfinished(me, signal);
    const unclaimed = await this.#unclaimed.look(mapped, me, signal);
    await keepInUse(this.#host, this.#lock, mapped, signal);
    await adoptLimits(this.#host, this.#lock, { mapped, me }, signal);
    await this.#growth?.compare(mapped, signal);
    const told = { unclaimed, unmarked: await this.#host.markers.look(mapped, signal) };
    const report = { finished: [] as string[], lost: [] as string[], postponed: [] as string[], ...told };
    const mappedIds = new Set<string>(mapped.map(({ id }) => id));
    for (const { name } of journal.all()) {
      const outcome = await this.#settleOne(name, { mappedIds, me }, signal);
      if (outcome !== 'fine') report[outcome].push(name);
    }
    return report;
  }

  /** Unfinished volumes of this host of which no entry tells: from here on one does, as for those of a Create (rule 18). */
  async #recordUnfinished(me: HostIdentity, signal: AbortSignal): Promise<void> {
    const { journal, filesystems, clock } = this.#host;
    if (journal.mustRebuild) {
      this.#sweep.hurry();
      await journal.rebuilt();
    }
    for (const { id, name } of await this.#sweep.find(me, signal)) {
      if (name === null || this.#isBusy(name)) continue;
      const arrayName = asArrayName(name);
      const left = leftVolume(id, arrayName, {
        systemId: me.systemId,
        mountpoint: filesystems.mountpointOf(arrayName),
        since: new Date(clock.now()).toISOString(),
      });
      await journal.put(left);
    }
  }

  async #settleOne(
    name: string,
    world: { mappedIds: ReadonlySet<string>; me: HostIdentity },
    signal: AbortSignal,
  ): Promise<Outcome> {
    if (this.#isBusy(name)) return 'fine';
    return this.#lock.run(name, 'reconcile', signal, async () => {
      const entry = this.#host.journal.get(name);
      if (entry === undefined) return 'fine';
      try {
        return await this.#settle(entry, world, signal);
      } catch (cause) {
        if (!isPluginError(cause)) throw cause;
        this.#host.log.warn(
          { volume: name, phase: entry.phase, error: cause.message },
          'not settled; trying again later',
        );
        return 'postponed';
      }
    });
  }

  async #settle(
    entry: HostVolume,
    world: { mappedIds: ReadonlySet<string>; me: HostIdentity },
    signal: AbortSignal,
  ): Promise<Outcome> {
    if (isUnfinished(entry)) return this.#settleUnfinished(entry, signal);
    if (isDiscarded(entry))
      return this.#isOfDoubtfulHost(entry) ? 'fine' : this.#eraser.settle(entry, signal);
    if (isRestoring(entry)) return this.#settleRestoring(entry, signal);
    if (!world.mappedIds.has(entry.volumeId)) {
      if (entry.attachment === 'intended') return this.#awaitLate(entry, world.me, signal);
      if (await this.#isLost(entry, world.me, signal)) return this.#cleanUpLost(entry, signal);
    }
    if (entry.phase === 'mounted' && (await this.#mayBeWanted(entry, signal))) {
      return (await this.#repair(entry, signal)) ? 'finished' : 'fine';
    }
    return (await releaseVolume(this.#host, entry, signal)) === 'released' ? 'finished' : 'postponed';
  }

  async #settleUnfinished(entry: UnfinishedVolume, signal: AbortSignal): Promise<Outcome> {
    if (this.#isOfDoubtfulHost(entry)) return 'postponed';
    const known = this.#late.isOver(entry.name) ? answered(entry) : entry;
    return (await removeProvisional(this.#host, known, signal)) ? 'finished' : 'postponed';
  }

  async #settleRestoring(entry: RestoringVolume, signal: AbortSignal): Promise<Outcome> {
    return this.#isOfDoubtfulHost(entry) ? 'postponed' : settleRestore(this.#host, entry, signal);
  }

  /** Copied with a whole machine, the journal tells of the other one's work. */
  #isOfDoubtfulHost({ earlierBoot }: Pick<HostVolume, 'earlierBoot'>): boolean {
    return earlierBoot === true && this.#host.identity.doubt !== undefined;
  }

  /** Asked for without an answer and not mapped: it may still come, until a look later than any execution shows that it did not. */
  async #awaitLate(entry: AttachedVolume, me: HostIdentity, signal: AbortSignal): Promise<Outcome> {
    const isOver = this.#late.isOver(entry.name) && (await this.#isLost(entry, me, signal));
    if (isOver) return this.#cleanUpLost(entry, signal);
    // A Mount that died, whose entry says so no longer.
    if (entry.phase !== 'releasing')
      await this.#host.journal.put(releasingVolume(entry, new Date(this.#host.clock.now()).toISOString()));
    return 'postponed';
  }

  /** The list of mappings may be older than the entry, so the volume itself is asked before anything is undone. */
  async #isLost(entry: HostVolume, me: HostIdentity, signal: AbortSignal): Promise<boolean> {
    const volume = await this.#host.array.getVolume(entry.volumeId, signal);
    return volume === undefined || !volume.attachments.some(({ hostId }) => hostId === me.hostId);
  }

  /** Another host took the volume, or it was unmapped by hand: no more of it may stay here. */
  async #cleanUpLost(entry: HostVolume, signal: AbortSignal): Promise<Outcome> {
    await this.#host.filesystems.unmount(entry.mountpoint, { lazy: true }, signal);
    await this.#host.journal.delete(entry.name);
    const isOwnRelease = this.#host.releasedUnrecorded.delete(entry.volumeId);
    if (entry.phase !== 'mounted' || isOwnRelease) return 'finished';
    this.#host.log.warn(
      { volume: entry.name, holders: entry.holders.length },
      'volume was taken from this host; its mount has been cleaned up, containers that use it see I/O errors',
    );
    return 'lost';
  }

  /**
   * Asks the kernel whether anything but our own mount uses the volume. Only without that mount can it tell, so the mount
   * is taken away for a moment and put back; containers have binds of their own and do not notice.
   */
  async #isUsed(entry: HostVolume, signal: AbortSignal): Promise<boolean> {
    const { filesystems, attacher, log } = this.#host;
    const [claimant = NAMELESS] = entry.holders;
    const device = await attacher.findDevice(entry.systemId, entry.volumeId);
    // Without a device there is nothing to ask; a link that udev lost for a moment proves nothing.
    if (device === undefined) return true;
    // Looked at before anything is taken away: only what nobody is seen to use is unmounted for the kernel's own word.
    const users = await this.#host.deviceUsers.usersOf(device, entry.mountpoint, signal);
    if (users.some(({ kind }) => kind !== 'hidden')) {
      this.#inherited.vouch(entry);
      return true;
    }
    // A frozen file system can be thawed where it is mounted, and somebody is about to.
    if (await filesystems.isFrozen(device, entry.mountpoint, signal)) return true;
    // A disk that takes no record would not let the mount be put back.
    await this.#host.journal.put(entry);
    try {
      await filesystems.unmount(entry.mountpoint, { lazy: false }, signal);
    } catch (cause) {
      if (!(cause instanceof FilesystemError)) throw cause;
      this.#inherited.vouch(entry);
      return true;
    }
    if (!(await filesystems.isHeld(device))) {
      log.warn({ volume: entry.name, holders: entry.holders }, 'nobody uses what an earlier run mounted');
      return false;
    }
    this.#inherited.vouch(entry);
    await this.#mount.mount(asVolumeName(entry.name), claimant, signal);
    return true;
  }

  /** True when a mount that somebody holds was gone, with its device here, and is there again. */
  async #repair(entry: HostVolume, signal: AbortSignal): Promise<boolean> {
    const { filesystems, attacher, log } = this.#host;
    const [claimant] = entry.holders;
    if (claimant === undefined) return false;
    const isMounted = (await filesystems.mounts()).some(({ mountpoint }) => mountpoint === entry.mountpoint);
    const device = await attacher.findDevice(entry.systemId, entry.volumeId);
    if (isMounted || device === undefined) return false;
    await this.#mount.mount(asVolumeName(entry.name), claimant, signal);
    log.warn({ volume: entry.name }, 'mount was gone and is there again');
    return true;
  }

  #isBusy(name: string): boolean {
    return this.#lock.holders().some((holder) => holder.name === name);
  }

  /**
   * Who gave up waiting may ask again, who starts anew asks again for what it had, and whoever was given a path begins to use it a little
   * later: all of them should still find the mount.
   */
  async #mayBeWanted(entry: HostVolume, signal: AbortSignal): Promise<boolean> {
    const { journal, policy } = this.#host;
    const { abandonedMountMs, inheritedMountMs } = policy;
    const age = journal.ageMs(entry.name);
    if (entry.holders.length === 0) return age < abandonedMountMs;
    if (!this.#inherited.areDoubtful(entry)) return true;
    return age < inheritedMountMs || this.#isUsed(entry, signal);
  }
}

/** Where the array has this host, as an attachment of it shows. */
function ownAddresses(attachments: readonly Attachment[], me: HostIdentity): (string | null)[] {
  return attachments.filter(({ hostId }) => hostId === me.hostId).map(({ hostAddress }) => hostAddress);
}
