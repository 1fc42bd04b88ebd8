import { InvalidRequestError } from '../errors.ts';
import type { VolumeLock } from './life/volume-lock.ts';
import type {
  FailoverChange,
  ForcedRelease,
  NamelessVolume,
  NothingMore,
  OperatorActions,
  ShownVolume,
} from './operator-actions.ts';
import type { FenceLog, FenceRecord, HostVolume } from './ports.ts';
import type { VolumeOperator } from './takeover/operator.ts';
import {
  type AnonymousHost,
  endUnfinishedLook,
  proveAnonymous,
  removeAnonymous,
} from './upkeep/anonymous.ts';
import { findReleasable, releaseUnclaimed, type ReleasingHost } from './upkeep/unclaimed-release.ts';

export interface OperatedHost extends ReleasingHost {
  readonly operator: Pick<VolumeOperator, 'look' | 'forceRelease' | 'planPolicy' | 'changePolicy'>;
  readonly fences: Pick<FenceLog, 'latest'>;
  readonly anonymous: AnonymousHost;
  readonly prefix: string;
  /** What the plugin on this host is doing; rejects when that cannot be told. */
  readonly entries: () => Promise<readonly HostVolume[]>;
  /** That of the plugin, where it runs: whoever works on a volume here is waited for, and waits. */
  readonly lock: VolumeLock;
}

/** The operator's actions on this host, each under the lock of its volume. */
export class OperatedVolumes implements OperatorActions {
  readonly #host: OperatedHost;
  /** Array names of the volumes that a look has proven to be anonymous, by id. */
  readonly #proven = new Map<string, string>();

  constructor(host: OperatedHost) {
    this.#host = host;
  }

  forceRelease(wanted: ForcedRelease, signal: AbortSignal): Promise<FenceRecord | undefined> {
    const { lock, operator, fences } = this.#host;
    const { name, volumeId, hostId, by } = wanted;
    return lock.run(name, 'forced release', signal, async () => {
      const held = await operator.look(name, signal);
      const holder = held.holders.find(({ attachment }) => attachment.hostId === hostId);
      if (held.volume.id !== volumeId || holder === undefined) throw changed(name);
      await operator.forceRelease(held, holder, by, signal);
      return fences.latest(volumeId);
    });
  }

  changeFailover(wanted: FailoverChange, signal: AbortSignal): Promise<void> {
    const { lock, operator } = this.#host;
    const { name, volumeId, policy } = wanted;
    return lock.run(name, 'change of failover policy', signal, async () => {
      const change = await operator.planPolicy(name, policy, signal);
      const { before, how } = change;
      if (change.volume.id !== volumeId || before !== wanted.before || how !== wanted.how)
        throw changed(name);
      await operator.changePolicy(change, signal);
    });
  }

  release({ name, volumeId }: ShownVolume, signal: AbortSignal): Promise<void> {
    const { lock, prefix, entries } = this.#host;
    return lock.run(name, 'release', signal, async () => {
      const found = await findReleasable(this.#host, { name, prefix, entries: await entries() }, signal);
      if (found.volume.id !== volumeId) throw changed(name);
      await releaseUnclaimed(this.#host, found, signal);
    });
  }

  endUnfinishedLook(_: NothingMore, signal: AbortSignal): Promise<void> {
    return endUnfinishedLook(this.#host.anonymous, signal);
  }

  lookIntoAnonymous(
    { volumeId, arrayName }: NamelessVolume,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { lock, anonymous } = this.#host;
    return lock.runOnArrayName(arrayName, 'look into an anonymous volume', signal, async () => {
      const listed = { id: volumeId, name: arrayName };
      const proven = await proveAnonymous(anonymous, listed, signal);
      if (proven !== undefined) this.#proven.set(volumeId, arrayName);
      return proven?.name;
    });
  }

  removeAnonymous({ volumeId, arrayName }: NamelessVolume, signal: AbortSignal): Promise<void> {
    const { lock, anonymous } = this.#host;
    return lock.runOnArrayName(arrayName, 'remove of an anonymous volume', signal, async () => {
      if (this.#proven.get(volumeId) !== arrayName) throw notLookedInto(arrayName);
      await removeAnonymous(anonymous, { id: volumeId, name: arrayName }, signal);
      this.#proven.delete(volumeId);
    });
  }
}

function changed(name: string): InvalidRequestError {
  return new InvalidRequestError(
    `volume "${name}" is no longer as it was shown; nothing was done, look again`,
  );
}

function notLookedInto(arrayName: string): InvalidRequestError {
  return new InvalidRequestError(
    `volume "${arrayName}" was not removed: its label was not read since this program started; look into it again`,
  );
}
