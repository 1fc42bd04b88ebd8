import { InvalidRequestError } from '../errors.ts';
import type { DataActions } from './data-actions.ts';
import type { LifeActions } from './life/life-actions.ts';
import type { VolumeLock } from './life/volume-lock.ts';
import type { OperatorActions } from './operator-actions.ts';
import type { FenceLog, HostVolume } from './ports.ts';
import type { TrashActions } from './trash/trash-actions.ts';
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

/** What is done about who has a volume. */
export type HolderActions = Omit<
  OperatorActions,
  keyof DataActions | keyof TrashActions | keyof LifeActions | 'lookAtRoom'
>;

/** The operator's actions on who has volumes, each under the lock of its volume. */
export function holderActions(host: OperatedHost): HolderActions {
  const { lock, operator, fences, prefix, entries, anonymous } = host;
  /** Array names of the volumes that a look has proven to be anonymous, by id. */
  const proven = new Map<string, string>();
  return {
    forceRelease: ({ name, volumeId, hostId, by }, signal) =>
      lock.run(name, 'forced release', signal, async () => {
        const held = await operator.look(name, signal);
        const holder = held.holders.find(({ attachment }) => attachment.hostId === hostId);
        if (held.volume.id !== volumeId || holder === undefined) throw changed(name);
        await operator.forceRelease(held, holder, by, signal);
        return fences.latest(volumeId);
      }),

    changeFailover: (wanted, signal) =>
      lock.run(wanted.name, 'change of failover policy', signal, async () => {
        const change = await operator.planPolicy(wanted.name, wanted.policy, signal);
        const { before, how } = change;
        if (change.volume.id !== wanted.volumeId || before !== wanted.before || how !== wanted.how)
          throw changed(wanted.name);
        await operator.changePolicy(change, signal);
      }),

    release: ({ name, volumeId }, signal) =>
      lock.run(name, 'release', signal, async () => {
        const found = await findReleasable(host, { name, prefix, entries: await entries() }, signal);
        if (found.volume.id !== volumeId) throw changed(name);
        await releaseUnclaimed(host, found, signal);
      }),

    endUnfinishedLook: (_, signal) => endUnfinishedLook(anonymous, signal),

    lookIntoAnonymous: ({ volumeId, arrayName }, signal) =>
      lock.runOnArrayName(arrayName, 'look into an anonymous volume', signal, async () => {
        const found = await proveAnonymous(anonymous, { id: volumeId, name: arrayName }, signal);
        if (found !== undefined) proven.set(volumeId, arrayName);
        return found?.name;
      }),

    removeAnonymous: ({ volumeId, arrayName }, signal) =>
      lock.runOnArrayName(arrayName, 'remove of an anonymous volume', signal, async () => {
        if (proven.get(volumeId) !== arrayName) throw notLookedInto(arrayName);
        await removeAnonymous(anonymous, { id: volumeId, name: arrayName }, signal);
        proven.delete(volumeId);
      }),
  };
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
