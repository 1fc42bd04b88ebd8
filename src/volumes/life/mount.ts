import { GatewayRejectedError, VolumeNotFoundError } from '../../errors.ts';
import { asArrayName } from '../../array/ids.ts';
import type { Device } from '../../attach/attacher.ts';
import {
  claimedVolume,
  isAttached,
  mountedVolume,
  type AttachedVolume,
  type Claimant,
  type HostVolume,
} from '../host-volume.ts';
import { assertRestoreSettled } from '../copies/settle-restore.ts';
import { SnapshotViews } from '../copies/snapshot-views.ts';
import { labelledLimits, type VolumeLimits } from '../limits/limits.ts';
import { takeOverLimits } from '../limits/take-over-limits.ts';
import type { VolumeLabel } from '../options/label.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { Attaching, type AttachRequest } from './attach.ts';
import type { VolumeLookup } from './lookup.ts';
import { mountFilesystem } from './mount-filesystem.ts';
import { placeOf } from './place.ts';
import { removeUnfinishedCreate } from './provisional.ts';
import { awaitThaw } from './thaw.ts';

export interface MountedVolume {
  readonly entry: HostVolume;
  /** What a container gets: the mountpoint, or the volume's subpath below it. */
  readonly path: string;
}

/**
 * Mounts the volume on this host, or counts one more claim if it is mounted and healthy. The claim is on disk before
 * this resolves. Never formats (rule 3). On failure nothing stays mapped, or the journal says what does.
 */
export class MountVolume {
  readonly #host: VolumeHost;
  readonly #lookup: VolumeLookup;
  readonly #views: SnapshotViews;

  constructor(host: VolumeHost, lookup: VolumeLookup) {
    this.#host = host;
    this.#lookup = lookup;
    this.#views = new SnapshotViews(host, lookup);
  }

  /** Call with the volume's lock held. */
  async mount(name: VolumeName, claimant: Claimant, signal: AbortSignal): Promise<MountedVolume> {
    const { clock, journal } = this.#host;
    await removeUnfinishedCreate(this.#host, name, signal);
    await assertRestoreSettled(this.#host, name, signal);
    const entry = journal.get(name);
    if (entry?.phase === 'mounted') {
      const usable = await this.#reuse(entry);
      if (usable !== undefined) {
        await awaitThaw(this.#host, { name, device: usable.device, mountpoint: entry.mountpoint }, signal);
        const claimed = claimedVolume(entry, claimant, new Date(clock.now()).toISOString());
        await journal.put(claimed);
        return { entry: claimed, path: usable.path };
      }
    }
    const before = entry !== undefined && isAttached(entry) ? entry : undefined;
    try {
      return await this.#mountAnew(name, { before, claimant }, signal);
    } catch (cause) {
      // A view that another host has just let go of, and so removed; it is made once more.
      if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'volume-unknown') throw cause;
      return this.#mountAnew(name, { before: undefined, claimant }, signal);
    }
  }

  /** Where an entry's mount is usable now: its device is there, mounted, and seen by the host. */
  async pathOf(entry: HostVolume): Promise<string | undefined> {
    return entry.phase === 'mounted' ? (await this.#reuse(entry))?.path : undefined;
  }

  async #reuse(entry: HostVolume): Promise<{ path: string; device: Device } | undefined> {
    const { attacher, filesystems } = this.#host;
    const { mountpoint } = entry;
    const device = await attacher.findDevice(entry.systemId, entry.volumeId);
    if (device === undefined) return undefined;
    const isMounted = (await filesystems.mounts()).some(
      (mount) => mount.mountpoint === mountpoint && mount.device === device.number,
    );
    if (!isMounted) return undefined;
    const subpath = (await this.#labelOf(entry))?.subpath ?? '';
    return { device, path: await placeOf(this.#host, { device, mountpoint, subpath }) };
  }

  /** Of a mounted volume. What this host remembers may have been lost; the file system has not forgotten. */
  async #labelOf(entry: HostVolume): Promise<VolumeLabel | undefined> {
    const { filesystems, journal, policy } = this.#host;
    const known = journal.known(entry.name);
    if (known?.label !== undefined) return known.label;
    const label = await filesystems.readLabel(entry.mountpoint, AbortSignal.timeout(policy.cleanupMs));
    if (known !== undefined && label !== undefined) journal.remember({ ...known, label });
    return label;
  }

  async #mountAnew(
    name: VolumeName,
    { before, claimant }: { before: AttachedVolume | undefined; claimant: Claimant },
    signal: AbortSignal,
  ): Promise<MountedVolume> {
    const { filesystems, journal, identity } = this.#host;
    const me = await identity.current(signal);
    const volume = (await this.#lookup.find(name, signal)) ?? (await this.#views.open(name, signal));
    if (volume === undefined) {
      throw new VolumeNotFoundError(
        `mounting volume "${name}" failed: the array has no such volume; create it first`,
      );
    }
    const mountpoint = filesystems.mountpointOf(asArrayName(volume.name ?? volume.id));
    const attaching = new Attaching(this.#host, { name, volume, me, mountpoint, before });
    await attaching.assertFree(signal);
    if (before !== undefined) await this.#awaitThaw(attaching.entry, signal);
    // Whatever is still mounted there is not this volume's device, or is left from a time that no journal tells of.
    await filesystems.unmount(mountpoint, { lazy: true }, signal);
    try {
      const { path, limits } = await this.#bringUp(attaching, { name, volume, me }, signal);
      const entry = mountedVolume(attaching.entry, claimant, limits);
      await journal.put(entry);
      return { entry, path };
    } catch (cause) {
      await attaching.undo(cause);
      throw cause;
    }
  }

  /** What is to be unmounted while it is frozen could not be thawed any more. */
  async #awaitThaw({ name, mountpoint, systemId, volumeId }: HostVolume, signal: AbortSignal): Promise<void> {
    const device = await this.#host.attacher.findDevice(systemId, volumeId);
    if (device !== undefined) await awaitThaw(this.#host, { name, device, mountpoint }, signal);
  }

  async #bringUp(
    attaching: Attaching,
    { name, volume, me }: Pick<AttachRequest, 'name' | 'volume' | 'me'>,
    signal: AbortSignal,
  ): Promise<{ readonly path: string; readonly limits: VolumeLimits }> {
    const { entry } = attaching;
    const { mountpoint } = entry;
    try {
      const [held] = await both(
        attaching.attach(signal),
        this.#host.filesystems.prepareMountpoint(mountpoint),
      );
      const found = await mountFilesystem(this.#host, { entry, volume, held }, signal);
      const label = await takeOverLimits(this.#host, { entry, volume, held, label: found, me }, signal);
      const limits = labelledLimits(label);
      await attaching.limit(limits, signal);
      const subpath = label?.subpath ?? '';
      const path = await placeOf(this.#host, { device: held.device, mountpoint, subpath });
      await held.assertSame(signal);
      this.#lookup.remember(name, volume, label);
      return { path, limits };
    } catch (cause) {
      return await attaching.explain(cause, signal);
    } finally {
      await attaching.close();
    }
  }
}

/** The results of two things that go on at once. Rejects as the first of them does, but only when nothing of either goes on any more. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}
