import { InvalidRequestError, VolumeInUseError, VolumeNotFoundError } from '../../errors.ts';
import { changePolicy, planPolicy, type PolicyChange } from './failover-marker.ts';
import { fenceHolder, type FencingHost } from './fence.ts';
import { describeHolder, isHeldBy, readAgain, stateOfHolder } from './holders.ts';
import type { VolumePolicy } from '../volume-host.ts';
import { findByName } from '../life/lookup.ts';
import { arrayNameFor, volumeNameOf, isOurs, validateVolumeName } from '../naming.ts';
import type { HostState } from '../../array/host.ts';
import type { ArrayVolume, Attachment } from '../../array/volume.ts';
import type { PolicyChoice } from '../volume.ts';

/** One host that has a volume. */
export interface Holder {
  readonly attachment: Attachment;
  /** Name and address. */
  readonly described: string;
  readonly state: HostState;
}

/** A volume and who has it, as the array says. */
export interface HeldVolume {
  readonly name: string;
  readonly volume: ArrayVolume;
  readonly failover: PolicyChoice;
  readonly holders: readonly Holder[];
  /** I/O operations in the array's present measuring interval. */
  readonly recentIo: number;
  /** When the look began, by the clock that cannot be set, ms. */
  readonly lookedMs: number;
}

/** What an operator needs to see and may do when the plugin refuses: the array's truth, and the one fence by hand. */
export class VolumeOperator {
  readonly #host: FencingHost;
  readonly #prefix: string;

  constructor(host: FencingHost, policy: Pick<VolumePolicy, 'prefix'>) {
    this.#host = host;
    this.#prefix = policy.prefix;
  }

  /** Volumes that bear our prefix, sorted; a shortened name stands as the array has it. One gateway call. */
  async list(
    signal: AbortSignal,
  ): Promise<readonly { readonly name: string; readonly volume: ArrayVolume }[]> {
    const volumes = await this.#host.array.listVolumes((name) => isOurs(this.#prefix, name), signal);
    return volumes
      .map((volume) => {
        const arrayName = volume.name ?? volume.id;
        return { name: volumeNameOf(this.#prefix, arrayName) ?? arrayName, volume };
      })
      .sort((one, other) => one.name.localeCompare(other.name));
  }

  /** Rejects with VolumeNotFoundError. */
  async look(rawName: string, signal: AbortSignal): Promise<HeldVolume> {
    const { array, clock } = this.#host;
    const lookedMs = clock.elapsed();
    const name = validateVolumeName(rawName);
    const volume = await findByName(array, arrayNameFor(this.#prefix, name), signal);
    if (volume === undefined) {
      throw new VolumeNotFoundError(
        `no volume "${name}" with the prefix "${this.#prefix}" on the array: see docker-volume-scaleio volume ls`,
      );
    }
    const { before } = await planPolicy(array, volume, 'default', signal);
    const recentIo = await array.recentIo(volume.id, signal);
    const holders: Holder[] = [];
    for (const attachment of volume.attachments) holders.push(await this.#describe(attachment, signal));
    return { name, volume, failover: before, holders, recentIo, lookedMs };
  }

  /** What it would take to change the volume's failover policy; changes nothing. */
  async planPolicy(rawName: string, policy: PolicyChoice, signal: AbortSignal): Promise<PolicyChange> {
    const { volume } = await this.look(rawName, signal);
    return planPolicy(this.#host.array, volume, policy, signal);
  }

  /** Does it; rejects with VolumeConflictError when something that bears a marker's name is none of ours. */
  async changePolicy(change: PolicyChange, signal: AbortSignal): Promise<void> {
    await changePolicy(this.#host.array, change, signal);
  }

  /**
   * The holder that a fence would hit: the only one, or the one named by SDC id, name or address. Throws
   * InvalidRequestError where that is not exactly one.
   */
  chooseHolder({ name, holders }: HeldVolume, wanted: string | undefined): Holder {
    const fitting = holders.filter(
      ({ attachment: { hostId, hostName, hostAddress } }) =>
        wanted === undefined || [hostId, hostName, hostAddress].includes(wanted),
    );
    const [only] = fitting;
    if (only !== undefined && fitting.length === 1) return only;
    const all = holders.map(({ described }) => described).join(', ') || 'nobody';
    throw new InvalidRequestError(
      `volume "${name}" is held by ${all}: say which host shall lose it with --holder and its id, name or address`,
    );
  }

  /** Takes the volume from that one SDC, whatever its state; rejects with VolumeInUseError when that SDC has it again. `by`: who is answerable, for the record. */
  async forceRelease(
    held: HeldVolume,
    holder: Holder,
    by: string,
    signal: AbortSignal,
  ): Promise<ArrayVolume> {
    const { name, volume, recentIo, lookedMs } = held;
    const { attachment, state } = holder;
    const now = await readAgain(this.#host.array, volume, signal);
    if (now.name !== volume.name || !isHeldBy(now, attachment)) {
      throw new InvalidRequestError(
        `volume "${name}" is no longer as it was shown: host ${describeHolder(attachment)} does not hold it; nothing was done, look again`,
      );
    }
    const decided = {
      by,
      byName: by,
      policy: 'forced',
      holderState: state,
      recentIo,
      startedMs: lookedMs,
    } as const;
    const left = await fenceHolder(this.#host, { name, volume: now, attachment, ...decided }, signal);
    if (!isHeldBy(left, attachment)) return left;
    throw new VolumeInUseError(
      `volume "${name}" was taken from host ${describeHolder(attachment)}, which mapped it again at once: stop what uses it there, then force it again`,
      { context: { volumeId: volume.id } },
    );
  }

  async #describe(attachment: Attachment, signal: AbortSignal): Promise<Holder> {
    const state = await stateOfHolder(this.#host.array, attachment, signal);
    return { attachment, described: describeHolder(attachment), state };
  }
}
