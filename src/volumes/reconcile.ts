import { FilesystemError, isPluginError } from '../errors.ts';
import type { HostIdentity, VolumeHost } from './host.ts';
import { InheritedHolders } from './inherited-holders.ts';
import { VolumeLookup } from './lookup.ts';
import { MountVolume } from './mount.ts';
import { dockerNameOf, isOurs, isProvisionalOf } from './naming.ts';
import type { HostVolume } from './ports.ts';
import { removeProvisional } from './provisional.ts';
import { releaseVolume } from './release.ts';
import type { ArrayName, ArrayVolume, SystemId, VolumeId, VolumeName } from './volume.ts';
import type { VolumeLock } from './volume-lock.ts';

/** What one round did, for logs and metrics. */
export interface ReconcileReport {
  readonly finished: readonly string[];
  /** Volumes that were fenced away from this host and have been cleaned up. */
  readonly lost: readonly string[];
  readonly postponed: readonly string[];
}

type Outcome = keyof ReconcileReport | 'fine';

/**
 * Brings the journal, the kernel and the array's mappings of this host to agree: finishes what a crash or an absent
 * gateway left half done, releases what nobody uses, cleans up what was fenced away. Volumes that a call is busy with
 * are left for the next round.
 */
export class Reconciler {
  readonly #host: VolumeHost;
  readonly #lock: VolumeLock;
  readonly #mount: MountVolume;
  readonly #inherited: InheritedHolders;

  /** To be made before the first call is served: what the journal holds now is of earlier lives. */
  constructor(host: VolumeHost, lock: VolumeLock) {
    this.#host = host;
    this.#lock = lock;
    this.#mount = new MountVolume(host, new VolumeLookup(host));
    this.#inherited = new InheritedHolders(host.journal.all());
  }

  /** One round: one gateway call when all is well. Rejects when the array cannot be asked at all. */
  async run(signal: AbortSignal): Promise<ReconcileReport> {
    const { identity, array, journal } = this.#host;
    const me = await identity.current(signal);
    if (journal.mustRebuild) await this.#recordLeftovers(me, signal);
    const mapped = await array.volumesOfSdc(me.sdcId, signal);
    await this.#adopt(mapped, me);
    if (journal.mustRebuild) await journal.rebuilt();
    const report = { finished: [] as string[], lost: [] as string[], postponed: [] as string[] };
    const mappedIds = new Set<string>(mapped.map(({ id }) => id));
    for (const { name } of journal.all()) {
      const outcome = await this.#settleOne(name, { mappedIds, me }, signal);
      if (outcome !== 'fine') report[outcome].push(name);
    }
    return report;
  }

  /** Without a usable journal, unfinished volumes of this host can only be found by their names: one list, once. */
  async #recordLeftovers(me: HostIdentity, signal: AbortSignal): Promise<void> {
    const { array, policy } = this.#host;
    const found = await array.listVolumes((name) => isProvisionalOf(me.guid, policy.prefix, name), signal);
    for (const volume of found) await this.#record(volume, me, 'creating');
  }

  /** A mapping that the journal does not know was left by a crash, or by a journal that was lost. */
  async #adopt(mapped: readonly ArrayVolume[], me: HostIdentity): Promise<void> {
    const { journal, policy } = this.#host;
    const entered = new Set(journal.all().flatMap(({ volumeId, arrayName }) => [volumeId, arrayName]));
    for (const volume of mapped) {
      if (volume.name === null || entered.has(volume.id) || entered.has(volume.name)) continue;
      if (isProvisionalOf(me.guid, policy.prefix, volume.name)) await this.#record(volume, me, 'creating');
      else if (isOurs(policy.prefix, volume.name)) await this.#record(volume, me, 'releasing');
    }
  }

  async #record(volume: ArrayVolume, me: HostIdentity, phase: 'creating' | 'releasing'): Promise<void> {
    const { journal, filesystems, clock, policy } = this.#host;
    const arrayName = volume.name ?? volume.id;
    const fullName = journal.allKnown().find((known) => known.volumeId === volume.id)?.name;
    const name = dockerNameOf(policy.prefix, arrayName) ?? fullName ?? arrayName;
    if (this.#isBusy(name) || journal.get(name) !== undefined) return;
    await journal.put({
      name,
      arrayName,
      volumeId: volume.id,
      systemId: me.systemId,
      phase,
      holders: [],
      mountpoint: filesystems.mountpointOf(arrayName as ArrayName),
      since: new Date(clock.now()).toISOString(),
    });
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
    if (entry.phase === 'creating') {
      await removeProvisional(this.#host, entry, signal);
      return 'finished';
    }
    if (this.#isTwin(entry)) {
      await this.#host.journal.delete(entry.name);
      return 'finished';
    }
    if (!world.mappedIds.has(entry.volumeId) && (await this.#isLost(entry, world.me, signal))) {
      return this.#cleanUpLost(entry, signal);
    }
    if (entry.phase === 'mounted' && (await this.#mayBeWanted(entry, signal))) return 'fine';
    return (await releaseVolume(this.#host, entry, signal)) === 'released' ? 'finished' : 'postponed';
  }

  /** Adopted by its array name when the full one was unknown, and since then mounted under that: it is the other's now. */
  #isTwin({ name, arrayName, volumeId }: HostVolume): boolean {
    const isAdopted = name === arrayName;
    return (
      isAdopted &&
      this.#host.journal.all().some((other) => other.volumeId === volumeId && other.name !== other.arrayName)
    );
  }

  /** The list of mappings may be older than the entry, so the volume itself is asked before anything is undone. */
  async #isLost(entry: HostVolume, me: HostIdentity, signal: AbortSignal): Promise<boolean> {
    const volume = await this.#host.array.getVolume(entry.volumeId as ArrayVolume['id'], signal);
    return volume === undefined || !volume.mappings.some(({ sdcId }) => sdcId === me.sdcId);
  }

  /** Another host took the volume, or it was unmapped by hand: no more of it may stay here. */
  async #cleanUpLost(entry: HostVolume, signal: AbortSignal): Promise<Outcome> {
    await this.#host.filesystems.unmount(entry.mountpoint, { lazy: true }, signal);
    await this.#host.journal.delete(entry.name);
    if (entry.phase !== 'mounted') return 'finished';
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
    const { filesystems, sdc, log } = this.#host;
    const [holder = ''] = entry.holders;
    const device = await sdc.findDevice(entry.systemId as SystemId, entry.volumeId as VolumeId);
    // Without a device there is nothing to ask; a link that udev lost for a moment proves nothing.
    if (device === undefined) return true;
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
    await this.#mount.mount(entry.name as VolumeName, holder, signal);
    return true;
  }

  #isBusy(name: string): boolean {
    return this.#lock.holders().some((holder) => holder.name === name);
  }

  /**
   * A client that hung up repeats its call, an engine that starts mounts its containers' volumes again, and a container
   * binds what it was given: all of them should still find the mount.
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
