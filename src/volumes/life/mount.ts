import {
  FilesystemError,
  InvalidRequestError,
  AttachError,
  VolumeConflictError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../errors.ts';
import { awaitDevice } from './await-device.ts';
import { claimVolume } from '../takeover/claim.ts';
import { parseMountOptions } from '../options/filesystem-options.ts';
import { throwReason } from './device-release.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import type { VolumeLabel } from '../label.ts';
import { readOwnLabel } from '../label-identity.ts';
import { mayStillHappen } from './late-requests.ts';
import type { VolumeLookup } from './lookup.ts';
import { patiently } from './patience.ts';
import { asArrayName } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { Device, HeldDevice } from '../../attach/attacher.ts';
import {
  answered,
  claimedVolume,
  isUnfinished,
  mountedVolume,
  mountingVolume,
  type AttachedVolume,
  type HostVolume,
  type MountBeginning,
  type VolumeIn,
} from '../host-volume.ts';
import type { Probe } from '../ports.ts';
import { removeUnfinishedCreate } from './provisional.ts';
import { releaseAfterFailure } from './release.ts';
import { assertFreeToTakeUp } from './take-up.ts';
import { awaitThaw } from './thaw.ts';
import { asVolumeName, type FilesystemType, type VolumeName } from '../volume.ts';

export interface MountedVolume {
  readonly entry: HostVolume;
  /** What the engine binds into containers: the mountpoint, or the volume's subpath below it. */
  readonly path: string;
}

/** How far a Mount has come with getting the volume mapped here. */
interface Progress {
  claim: 'not begun' | 'begun' | 'done';
  /** The device, once it was identified. */
  held?: HeldDevice;
}

interface MountUnderWay {
  readonly volume: ArrayVolume;
  readonly me: HostIdentity;
  readonly progress: Progress;
}

/**
 * Mounts the volume on this host, or counts one more holder if it is mounted and healthy. The holder is on disk before
 * this resolves. Never formats (rule 3). On failure nothing stays mapped, or the journal says what does.
 */
export class MountVolume {
  readonly #host: VolumeHost;
  readonly #lookup: VolumeLookup;

  constructor(host: VolumeHost, lookup: VolumeLookup) {
    this.#host = host;
    this.#lookup = lookup;
  }

  /** Call with the volume's lock held. */
  async mount(name: VolumeName, holder: string, signal: AbortSignal): Promise<MountedVolume> {
    await removeUnfinishedCreate(this.#host, name, signal);
    const entry = this.#host.journal.get(name);
    if (entry?.phase === 'mounted') {
      const usable = await this.#reuse(entry);
      if (usable !== undefined) {
        await awaitThaw(this.#host, { name, device: usable.device, mountpoint: entry.mountpoint }, signal);
        return { entry: await this.#hold(entry, holder), path: usable.path };
      }
    }
    const before = entry === undefined || isUnfinished(entry) ? undefined : entry;
    return this.#attach(name, { before, holder }, signal);
  }

  /** Where an entry's mount is usable now: its device is there, mounted, and seen by the host. */
  async pathOf(entry: HostVolume): Promise<string | undefined> {
    return entry.phase === 'mounted' ? (await this.#reuse(entry))?.path : undefined;
  }

  async #reuse(entry: HostVolume): Promise<{ path: string; device: Device } | undefined> {
    const { attacher, filesystems } = this.#host;
    const device = await attacher.findDevice(entry.systemId, entry.volumeId);
    if (device === undefined) return undefined;
    const mounted = (await filesystems.mounts()).some(
      ({ mountpoint, device: number }) => mountpoint === entry.mountpoint && number === device.number,
    );
    if (!mounted) return undefined;
    await filesystems.assertVisibleToHost(device, entry.mountpoint);
    const subpath = (await this.#labelOf(entry))?.subpath ?? '';
    return { device, path: await filesystems.resolveSubpath(entry.mountpoint, subpath) };
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

  async #hold(entry: VolumeIn<'mounted'>, holder: string): Promise<HostVolume> {
    const { journal, clock } = this.#host;
    const held = claimedVolume(entry, holder, new Date(clock.now()).toISOString());
    await journal.put(held);
    return held;
  }

  async #attach(
    name: VolumeName,
    request: { before: AttachedVolume | undefined; holder: string },
    signal: AbortSignal,
  ): Promise<MountedVolume> {
    const { filesystems, journal, clock, identity } = this.#host;
    const me = await identity.current(signal);
    const volume = await this.#lookup.find(name, signal);
    if (volume === undefined) {
      throw new VolumeNotFoundError(
        `mounting volume "${name}" failed: the array has no such volume; create it first`,
      );
    }
    const entry = mountingVolume(name, request.before, {
      arrayName: asArrayName(volume.name ?? ''),
      volumeId: volume.id,
      systemId: me.systemId,
      mountpoint: filesystems.mountpointOf(asArrayName(volume.name ?? volume.id)),
      since: new Date(clock.now()).toISOString(),
      ...this.#holding(volume, me, request.before),
      ...evidenceOf(volume, me, request.before),
    });
    if (entry.attachment === 'found' || entry.earlierBoot === true)
      await assertFreeToTakeUp(this.#host, entry, signal);
    // Whatever is still mounted there is not this volume's device, or is left from a time that no journal tells of.
    await filesystems.unmount(entry.mountpoint, { lazy: true }, signal);
    const progress: Progress = { claim: 'not begun' };
    try {
      const path = await this.#bringUp(entry, { volume, me, progress }, signal);
      const held = mountedVolume(entry, request.holder);
      await journal.put(held);
      return { entry: held, path };
    } catch (cause) {
      const isHeldElsewhere = cause instanceof VolumeInUseError && request.before === undefined;
      if (isHeldElsewhere && progress.claim === 'begun') await journal.delete(name);
      else await this.#undo(entry, { volume, me, progress }, cause);
      throw cause;
    }
  }

  /** Nothing was asked of the array before the entry was on disk. */
  async #undo(
    entry: VolumeIn<'mounting'>,
    { volume, me, progress }: MountUnderWay,
    cause: unknown,
  ): Promise<void> {
    if (progress.claim === 'not begun') return;
    const isAnswered = progress.claim === 'done' || !mayStillHappen(cause);
    const left = isAnswered ? answered(entry) : entry;
    const isUntouched = progress.held === undefined && !isMappedTo(volume, me);
    await releaseAfterFailure(this.#host, left, { unused: isUntouched && isMismatch(cause) });
  }

  /** Since when this host has the volume. What it finds mapped here and did not record has a beginning nobody knows. */
  #holding(
    volume: ArrayVolume,
    { hostId }: HostIdentity,
    before: HostVolume | undefined,
  ): Pick<MountBeginning, 'hostId' | 'heldSince'> {
    if (!isMappedTo(volume, { hostId }))
      return { hostId, heldSince: new Date(this.#host.clock.now()).toISOString() };
    const isSame = before?.volumeId === volume.id && before.hostId === hostId;
    return isSame && before.heldSince !== undefined ? { hostId, heldSince: before.heldSince } : {};
  }

  async #bringUp(entry: HostVolume, on: MountUnderWay, signal: AbortSignal): Promise<string> {
    try {
      return await this.#handOver(entry, on, signal);
    } catch (cause) {
      return await throwReason(cause, { held: on.progress.held, log: this.#host.log }, signal);
    } finally {
      await on.progress.held?.close();
    }
  }

  async #handOver(entry: HostVolume, on: MountUnderWay, signal: AbortSignal): Promise<string> {
    const { filesystems } = this.#host;
    const { volume, me } = on;
    const [{ held, fs }] = await both(
      this.#openDevice(entry, on, signal),
      filesystems.prepareMountpoint(entry.mountpoint),
    );
    const label = await this.#mountWithOptions(entry, { volume, held, fs }, signal);
    if (volume.accessModeLimit !== 'ReadOnly') await this.#grow(entry, held, { fs, signal });
    await this.#limit(volume, me, { label, signal });
    const path = await filesystems.resolveSubpath(entry.mountpoint, label?.subpath ?? '');
    await filesystems.assertVisibleToHost(held.device, entry.mountpoint);
    await held.assertSame(signal);
    this.#lookup.remember(asVolumeName(entry.name), volume, label);
    return path;
  }

  /** A file system that stays smaller than its volume is no reason to keep a container from its data. */
  async #grow(
    { name, mountpoint }: HostVolume,
    held: HeldDevice,
    how: { fs: FilesystemType; signal: AbortSignal },
  ): Promise<void> {
    const { filesystems, log } = this.#host;
    const { device } = held;
    await held.assertSame(how.signal);
    try {
      const grew = await filesystems.grow(device, mountpoint, how.fs, how.signal);
      if (grew) log.info({ volume: name, sizeBytes: device.sizeBytes }, 'file system grown to its volume');
    } catch (cause) {
      if (!(cause instanceof FilesystemError)) throw cause;
      log.warn({ volume: name, error: cause.message }, 'file system not grown; mounted as it is');
    }
  }

  /** Until the volume's device is here and its file system may be mounted. */
  async #openDevice(
    entry: HostVolume,
    { volume, me, progress }: MountUnderWay,
    signal: AbortSignal,
  ): Promise<{ held: HeldDevice; fs: FilesystemType }> {
    const { filesystems, journal } = this.#host;
    // On disk before the array is asked: a mapping without its entry would be nobody's (rule 13).
    await journal.put(entry);
    progress.claim = 'begun';
    await claimVolume(this.#host, { volume, name: entry.name }, me, signal);
    progress.claim = 'done';
    const { id, sizeKiB } = volume;
    const attempt = `mounting volume "${entry.name}"`;
    const held = await awaitDevice(this.#host, { id, sizeKiB, attempt }, me, signal);
    progress.held = held;
    const fs = filesystemOf(await filesystems.probe(held.device, signal), entry);
    const check = async (): Promise<void> => {
      await held.assertSame(signal);
      await filesystems.check(held.device, fs, signal);
    };
    await patiently(this.#host, { device: held.device, attempt }, check, signal);
    return { held, fs };
  }

  /** Options live inside the file system, so a host that never saw the volume learns them from a first mount. */
  async #mountWithOptions(
    entry: HostVolume,
    on: { volume: ArrayVolume; held: HeldDevice; fs: FilesystemType },
    signal: AbortSignal,
  ): Promise<VolumeLabel | undefined> {
    const { filesystems, journal } = this.#host;
    const readOnly = on.volume.accessModeLimit === 'ReadOnly';
    const known = journal.known(entry.name);
    const assumed = known?.volumeId === on.volume.id ? (known.label?.mountOptions ?? []) : [];
    const { device } = on.held;
    const needed = { device, attempt: `mounting volume "${entry.name}"` };
    const mountWith = async (options: readonly string[]): Promise<void> => {
      const mount = async (): Promise<void> => {
        await on.held.assertSame(signal);
        await filesystems.mount(device, entry.mountpoint, { fs: on.fs, options, readOnly }, signal);
      };
      await patiently(this.#host, needed, mount, signal);
      await on.held.assertSame(signal);
    };
    await mountWith(assumed);
    const label = await readOwnLabel(this.#host, { entry, volume: on.volume }, signal);
    const wanted = this.#allowedOptions(entry, on.fs, label);
    if (wanted.join() !== assumed.join()) {
      await filesystems.unmount(entry.mountpoint, { lazy: false }, signal);
      await mountWith(wanted);
    }
    return label;
  }

  /** Another host wrote the label; what this one would refuse from a user it does not take from there either. */
  #allowedOptions(entry: HostVolume, fs: FilesystemType, label: VolumeLabel | undefined): readonly string[] {
    if (label === undefined) return [];
    try {
      return parseMountOptions(fs, label.mountOptions.join(','));
    } catch (cause) {
      if (!(cause instanceof InvalidRequestError)) throw cause;
      this.#host.log.warn(
        { volume: entry.name, error: cause.message },
        'mounting without the options of its label',
      );
      return [];
    }
  }

  async #limit(
    volume: ArrayVolume,
    me: HostIdentity,
    how: { label: VolumeLabel | undefined; signal: AbortSignal },
  ): Promise<void> {
    const { iops, bandwidthKiBps } = how.label ?? { iops: 0, bandwidthKiBps: 0 };
    if (iops === 0 && bandwidthKiBps === 0) return;
    await this.#host.array.limitAttachment(
      { volumeId: volume.id, hostId: me.hostId },
      { iops, bandwidthKiBps },
      how.signal,
    );
  }
}

/** What is known of the mapping before it is asked for (rule 13); what was recorded before this boot is not proven by that alone. */
function evidenceOf(
  volume: ArrayVolume,
  me: HostIdentity,
  before: HostVolume | undefined,
): Pick<MountBeginning, 'attachment' | 'earlierBoot'> {
  if (!isMappedTo(volume, me)) return { attachment: 'intended' };
  if (before?.volumeId !== volume.id || before.attachment === 'found') return { attachment: 'found' };
  return before.earlierBoot === true ? { earlierBoot: true } : {};
}

function isMappedTo({ attachments }: ArrayVolume, { hostId }: Pick<HostIdentity, 'hostId'>): boolean {
  return attachments.some((attachment) => attachment.hostId === hostId);
}

function filesystemOf(probe: Probe, { name, volumeId }: HostVolume): FilesystemType {
  if (probe.kind === 'filesystem') return probe.fs;
  if (probe.kind === 'blank') {
    // Also what a file system looks like that lost its superblock: nobody must remove it on our word.
    throw new FilesystemError(
      `mounting volume "${name}" failed: no file system is seen on it, and a mount never makes one; nothing was changed. If it had ` +
        `data its superblock is damaged: map it by hand and repair it ("e2fsck -b 32768", "xfs_repair"). Else remove it and create it again`,
      { context: { volumeId } },
    );
  }
  throw new VolumeConflictError(
    `mounting volume "${name}" failed: it holds ${probe.what}, which this plugin does not mount; it was not changed`,
    { context: { volumeId } },
  );
}

/**
 * What is linked as the volume's device is not it: where it was never held, what that link leads to, and who uses that, is nothing
 * to the volume.
 */
function isMismatch(cause: unknown): boolean {
  return cause instanceof AttachError && cause.problem === 'device-mismatch';
}

/** What both come to. Rejects as the first of them does, but only when nothing of either goes on any more. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}
