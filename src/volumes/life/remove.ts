import { GatewayRejectedError, VolumeConflictError, VolumeInUseError } from '../../errors.ts';
import { assertRestoreSettled } from '../copies/settle-restore.ts';
import { describeUsers } from '../device-users.ts';
import { describeHolder, attachmentsOfOthers } from '../takeover/holders.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import type { VolumeLookup } from './lookup.ts';
import { arrayNameFor } from '../naming.ts';
import { isAttached, type AttachedVolume, type HostVolume } from '../host-volume.ts';
import { removeWithMarkers } from './marked-removal.ts';
import { removeUnfinishedCreate } from './provisional.ts';
import { putInTrash } from '../trash/put-in-trash.ts';
import { releaseVolume } from './release.ts';
import { asArrayName } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { VolumeName } from '../volume.ts';

const JUST_MOUNTED_MS = 10_000;

/**
 * Removes a volume: for the time of grace out of sight, with all that belongs to it; where there is none, with its data from the array.
 * Gone already is success; in use anywhere is refused.
 */
export class RemoveVolume {
  readonly #host: VolumeHost;
  readonly #lookup: VolumeLookup;

  constructor(host: VolumeHost, lookup: VolumeLookup) {
    this.#host = host;
    this.#lookup = lookup;
  }

  /** Call with the volume's lock held. Rejects with VolumeInUseError that says by whom. */
  async remove(name: VolumeName, signal: AbortSignal): Promise<void> {
    const { journal } = this.#host;
    await removeUnfinishedCreate(this.#host, name, signal);
    await assertRestoreSettled(this.#host, name, signal);
    const volume = await this.#lookup.find(name, signal);
    if (volume === undefined) {
      this.#spareMountpoint(name);
      return;
    }
    const isAsRead = await this.#letGo(name, volume, signal);
    if (!isAsRead) await this.#assertUnchanged(name, volume, signal);
    if (this.#host.policy.removeGraceMs > 0) await putInTrash(this.#host, name, volume, signal);
    else await this.#removeForGood(name, volume, signal);
    journal.forget(name);
    await this.#host.droppedRestores.forget(volume.id);
    this.#spareMountpoint(name);
    // Nothing can be mapped late that is gone, or has another name.
    if (journal.get(name)?.volumeId === volume.id) await journal.delete(name);
  }

  #spareMountpoint(name: VolumeName): void {
    const { filesystems, policy } = this.#host;
    filesystems.spareMountpoint(filesystems.mountpointOf(arrayNameFor(policy.prefix, name)));
  }

  async #removeForGood(name: VolumeName, volume: ArrayVolume, signal: AbortSignal): Promise<void> {
    // A host that never mounted the volume does not know whether it has a marker.
    const mayHaveMarkers = this.#host.journal.known(name)?.label?.failover !== 'default';
    try {
      await removeWithMarkers(this.#host, volume, { mayHaveMarkers }, signal);
    } catch (cause) {
      if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'still-attached') throw cause;
      throw new VolumeInUseError(
        `removing volume "${name}" failed: another host mapped it just now; try again`,
        { cause },
      );
    }
  }

  /**
   * Unmapping and the kernel's patience take their time, in which the volume may have been renamed and so become another's (rule 15).
   * The array removes by id, whatever bears it, so that the look can be made as late as can be, and not at the same moment. Where
   * nothing had to be let go of, one call lies between the look and the removal anyway, or those that ask for markers.
   */
  async #assertUnchanged(name: VolumeName, volume: ArrayVolume, signal: AbortSignal): Promise<void> {
    const now = await this.#host.array.getVolume(volume.id, signal);
    // Gone meanwhile: its removal, which is answered so, has nothing to do.
    if (now === undefined || now.name === volume.name) return;
    throw new VolumeConflictError(
      `removing volume "${name}" failed: it was renamed to "${now.name ?? ''}" at the array meanwhile; it was not removed`,
      { context: { volumeId: volume.id } },
    );
  }

  /** False when that took calls of its own, so that the volume is no longer as it was read. */
  async #letGo(name: VolumeName, volume: ArrayVolume, signal: AbortSignal): Promise<boolean> {
    const entry = this.#host.journal.get(name);
    if (volume.attachments.length === 0 && !volume.attachedToAll && entry === undefined) return true;
    const me = await this.#host.identity.current(signal);
    const others = attachmentsOfOthers(volume, me).map(describeHolder);
    if (volume.attachedToAll) others.push('every host');
    if (others.length > 0) {
      throw new VolumeInUseError(
        `removing volume "${name}" failed: it is mapped to host ${others.join(', ')}; stop what uses it there first`,
        { context: { volumeId: volume.id } },
      );
    }
    if (volume.attachments.length > 0 && (entry === undefined || entry.attachment === 'found'))
      throw await this.#mappedByOthers(name, volume, me, signal);
    if (entry === undefined || !isAttached(entry)) return true;
    if (this.#isJustMounted(entry)) {
      throw new VolumeInUseError(
        `removing volume "${name}" failed: it was mounted on this host a moment ago; stop its container first, or try again`,
        { context: { volumeId: volume.id } },
      );
    }
    await this.#release(name, entry, signal);
    return false;
  }

  async #release(name: VolumeName, entry: AttachedVolume, signal: AbortSignal): Promise<void> {
    // The kernel decides, not the recorded holders: a client that crashed never takes its claims off (rule 6).
    const outcome = await releaseVolume(this.#host, entry, signal);
    if (outcome === 'unproven') {
      throw new VolumeInUseError(
        `removing volume "${name}" failed: it is mapped to this host since before its last boot and its device is not here, so it ` +
          `may be in use elsewhere; see docker-volume-scaleio doctor`,
        { context: { volumeId: entry.volumeId } },
      );
    }
    if (outcome === 'frozen') {
      throw new VolumeInUseError(
        `removing volume "${name}" failed: its file system is frozen (fsfreeze -f); thaw it with "fsfreeze -u ${entry.mountpoint}", then try again`,
        { context: { volumeId: entry.volumeId } },
      );
    }
    if (outcome === 'held') {
      throw new VolumeInUseError(
        `removing volume "${name}" failed: ${await this.#usersHere(entry, 'a container or process on this host still uses it', signal)}; stop that first`,
        { context: { volumeId: entry.volumeId } },
      );
    }
  }

  /** Mapped to this host, and not by this plugin: whoever did it must let go of it (rule 13). */
  async #mappedByOthers(
    name: VolumeName,
    volume: ArrayVolume,
    { systemId }: HostIdentity,
    signal: AbortSignal,
  ): Promise<VolumeInUseError> {
    const { filesystems } = this.#host;
    const mountpoint = filesystems.mountpointOf(asArrayName(volume.name ?? volume.id));
    const here = { systemId, volumeId: volume.id, mountpoint };
    const users = await this.#usersHere(here, 'nobody has it open', signal);
    return new VolumeInUseError(
      `removing volume "${name}" failed: it is mapped to this host, which this plugin did not do, and ${users}; ` +
        `when it is not needed, let go of it with docker-volume-scaleio volume release ${name}`,
      { context: { volumeId: volume.id } },
    );
  }

  async #usersHere(
    { systemId, volumeId, mountpoint }: Pick<HostVolume, 'systemId' | 'volumeId' | 'mountpoint'>,
    otherwise: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { attacher, deviceUsers } = this.#host;
    const device = await attacher.findDevice(systemId, volumeId);
    if (device === undefined) return 'its device is not here';
    const users = await deviceUsers.usersOf(device, mountpoint, signal);
    return users.length > 0 ? describeUsers(users) : otherwise;
  }

  /** Between Mount's answer and the container's own bind the kernel does not know the user yet. */
  #isJustMounted({ name, phase, holders }: HostVolume): boolean {
    return phase === 'mounted' && holders.length > 0 && this.#host.journal.ageMs(name) < JUST_MOUNTED_MS;
  }
}
