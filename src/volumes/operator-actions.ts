import type { HostId, VolumeId } from '../array/ids.ts';
import { quote } from '../units/quote.ts';
import type { FenceRecord } from './ports.ts';
import type { FailoverPolicy } from './volume.ts';

/** A volume as it was shown to whoever decides; nothing is done once the array says otherwise. */
export interface ShownVolume {
  /** As its users write it. */
  readonly name: string;
  readonly volumeId: VolumeId;
}

export interface ForcedRelease extends ShownVolume {
  /** Who loses it. */
  readonly hostId: HostId;
  /** Who is answerable, for the record. */
  readonly by: string;
}

export interface FailoverChange extends ShownVolume {
  readonly before: FailoverPolicy | 'default';
  readonly policy: FailoverPolicy | 'default';
  /** What it was said to take: where it costs more by now, it is not done. */
  readonly how: 'none' | 'rename' | 'stand-in' | 'snapshot' | 'drop';
}

/** A volume that bears a name as an engine makes them up, by what the array calls it. */
export interface NamelessVolume {
  readonly volumeId: VolumeId;
  readonly arrayName: string;
}

/**
 * What a person may have done to volumes beside the orchestrator. Each is one piece of work in its turn on the volume, rejects with a
 * PluginError that says what to do, and with InvalidRequestError when the volume is no longer as it was shown; nothing was done then.
 */
export interface OperatorActions {
  /** Takes the volume from that host, whatever its policy; answers the record of it. See VolumeOperator.forceRelease. */
  forceRelease(wanted: ForcedRelease, signal: AbortSignal): Promise<FenceRecord | undefined>;
  /** See VolumeOperator.changePolicy. */
  changeFailover(wanted: FailoverChange, signal: AbortSignal): Promise<void>;
  /** Lets go of a volume that is attached to this host by somebody else, and unused. See releaseUnclaimed. */
  release(wanted: ShownVolume, signal: AbortSignal): Promise<void>;
  /** Takes off what a look that was killed has attached. See endUnfinishedLook. */
  endUnfinishedLook(signal: AbortSignal): Promise<void>;
  /** The name in its label, where that proves that an engine made it up. See proveAnonymous. */
  lookIntoAnonymous(wanted: NamelessVolume, signal: AbortSignal): Promise<string | undefined>;
  /** Removes one that was proven to be anonymous, with its data. See removeAnonymous. */
  removeAnonymous(wanted: NamelessVolume, signal: AbortSignal): Promise<void>;
}

/** Hands an action on: to whom, when, or not at all. `what` names it for people. */
export type HandOn = <T>(
  what: string,
  act: (actions: OperatorActions) => Promise<T>,
  signal: AbortSignal,
) => Promise<T>;

/** The actions as somebody does them who gets each through `handOn`. */
export function handedOn(handOn: HandOn): OperatorActions {
  return {
    forceRelease: (wanted, signal) =>
      handOn(`forced release of ${quote(wanted.name)}`, (to) => to.forceRelease(wanted, signal), signal),
    changeFailover: (wanted, signal) =>
      handOn(`failover policy of ${quote(wanted.name)}`, (to) => to.changeFailover(wanted, signal), signal),
    release: (wanted, signal) =>
      handOn(`release of ${quote(wanted.name)}`, (to) => to.release(wanted, signal), signal),
    endUnfinishedLook: (signal) =>
      handOn('end of an unfinished look', (to) => to.endUnfinishedLook(signal), signal),
    lookIntoAnonymous: (wanted, signal) =>
      handOn(`look into ${quote(wanted.arrayName)}`, (to) => to.lookIntoAnonymous(wanted, signal), signal),
    removeAnonymous: (wanted, signal) =>
      handOn(`removal of ${quote(wanted.arrayName)}`, (to) => to.removeAnonymous(wanted, signal), signal),
  };
}
