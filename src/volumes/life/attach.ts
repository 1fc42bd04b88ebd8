import { AttachError, VolumeInUseError } from '../../errors.ts';
import { asArrayName } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { HeldDevice } from '../../attach/attacher.ts';
import {
  answered,
  mountingVolume,
  type AttachedVolume,
  type MountBeginning,
  type VolumeIn,
} from '../host-volume.ts';
import { areNone, type VolumeLimits } from '../limits/limits.ts';
import { claimVolume } from '../takeover/claim.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { awaitDevice } from './await-device.ts';
import { throwReason } from './device-release.ts';
import { mayStillHappen } from './late-requests.ts';
import { releaseAfterFailure } from './release.ts';
import { assertFreeToTakeUp } from './take-up.ts';

/** What is to be attached to which host. */
export interface AttachRequest {
  readonly name: VolumeName;
  /** As the array has it now. */
  readonly volume: ArrayVolume;
  readonly me: HostIdentity;
  /** Where its file system is going to be mounted. */
  readonly mountpoint: string;
  /** What the journal tells of the name. */
  readonly before: AttachedVolume | undefined;
}

/**
 * One try to bring a volume to this host as a device; what is done with the device belongs to it until it is closed. Whoever has one
 * calls `attach` once, `undo` when that or anything after it failed, and `close` in any case before the volume is detached.
 */
export class Attaching {
  /** The entry that the journal gets. */
  readonly entry: VolumeIn<'mounting'>;
  readonly #host: VolumeHost;
  readonly #request: AttachRequest;
  #claim: 'not begun' | 'begun' | 'done' = 'not begun';
  /** The device, once it was identified. */
  #held: HeldDevice | undefined;

  constructor(host: VolumeHost, request: AttachRequest) {
    const { name, volume, me, mountpoint, before } = request;
    const now = new Date(host.clock.now()).toISOString();
    this.#host = host;
    this.#request = request;
    this.entry = mountingVolume(name, before, {
      arrayName: asArrayName(volume.name ?? ''),
      volumeId: volume.id,
      systemId: me.systemId,
      mountpoint,
      since: now,
      ...holdingOf(request, now),
      ...evidenceOf(request),
    });
  }

  /** Changes nothing. Rejects with VolumeInUseError when it is attached here already and that is not to be taken up. */
  async assertFree(signal: AbortSignal): Promise<void> {
    if (this.entry.attachment === 'found' || this.entry.earlierBoot === true)
      await assertFreeToTakeUp(this.#host, this.entry, signal);
  }

  /** The device, held (rule 14), once the volume is this host's (rules 1, 2). Rejects as claimVolume and awaitDevice do. */
  async attach(signal: AbortSignal): Promise<HeldDevice> {
    const { name, volume, me } = this.#request;
    // On disk before the array is asked: a mapping without its entry would be nobody's (rule 13).
    await this.#host.journal.put(this.entry);
    this.#claim = 'begun';
    await claimVolume(this.#host, { volume, name }, me, signal);
    this.#claim = 'done';
    const { id, sizeKiB } = volume;
    this.#held = await awaitDevice(
      this.#host,
      { id, sizeKiB, attempt: `mounting volume "${name}"` },
      me,
      signal,
    );
    return this.#held;
  }

  /** Limits belong to the attachment and are lost with it. None cost no call. */
  async limit(limits: VolumeLimits, signal: AbortSignal): Promise<void> {
    if (areNone(limits)) return;
    const { volume, me } = this.#request;
    await this.#host.array.limitAttachment({ volumeId: volume.id, hostId: me.hostId }, limits, signal);
  }

  /** Throws `cause`, or that the device has become another one, if that is why. To be called before it is closed. */
  explain(cause: unknown, signal: AbortSignal): Promise<never> {
    return throwReason(cause, { held: this.#held, log: this.#host.log }, signal);
  }

  async close(): Promise<void> {
    await this.#held?.close();
  }

  /**
   * Gives back what came of it, which failed for `cause`. What cannot be given back now is in the journal as 'releasing'. Rejects only as
   * the journal does.
   */
  async undo(cause: unknown): Promise<void> {
    // Nothing was asked of the array before the entry was on disk.
    if (this.#claim === 'not begun') return;
    const { name, before } = this.#request;
    const isRefused = this.#claim === 'begun' && cause instanceof VolumeInUseError;
    if (isRefused && before === undefined) {
      await this.#host.journal.delete(name);
      return;
    }
    const isAnswered = this.#claim === 'done' || !mayStillHappen(cause);
    const left = isAnswered ? answered(this.entry) : this.entry;
    const isUntouched = this.#held === undefined && !isAttachedHere(this.#request);
    await releaseAfterFailure(this.#host, left, { unused: isUntouched && isMismatch(cause) });
  }
}

/** Since when this host has the volume. What it finds mapped here and did not record has a beginning nobody knows. */
function holdingOf(request: AttachRequest, now: string): Pick<MountBeginning, 'hostId' | 'heldSince'> {
  const { volume, before } = request;
  const { hostId } = request.me;
  if (!isAttachedHere(request)) return { hostId, heldSince: now };
  const isSame = before?.volumeId === volume.id && before.hostId === hostId;
  return isSame && before.heldSince !== undefined ? { hostId, heldSince: before.heldSince } : {};
}

/** What is known of the mapping before it is asked for (rule 13); what was recorded before this boot is not proven by that alone. */
function evidenceOf(request: AttachRequest): Pick<MountBeginning, 'attachment' | 'earlierBoot'> {
  const { volume, before } = request;
  if (!isAttachedHere(request)) return { attachment: 'intended' };
  if (before?.volumeId !== volume.id || before.attachment === 'found') return { attachment: 'found' };
  return before.earlierBoot === true ? { earlierBoot: true } : {};
}

function isAttachedHere({ volume, me }: AttachRequest): boolean {
  return volume.attachments.some(({ hostId }) => hostId === me.hostId);
}

/**
 * What is linked as the volume's device is not it: where it was never held, what that link leads to, and who uses that, is nothing
 * to the volume.
 */
function isMismatch(cause: unknown): boolean {
  return cause instanceof AttachError && cause.problem === 'device-mismatch';
}
