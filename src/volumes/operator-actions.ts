import type { HostId, VolumeId } from '../array/ids.ts';
import { quote } from '../units/quote.ts';
import type { RestoredVolume } from './copies/restore-volume.ts';
import type { PolicyOfVolume } from './copies/snapshot-policy.ts';
import type { TakenSnapshot } from './copies/take-snapshots.ts';
import type { AskedVolume } from './life/create-asked.ts';
import type { ChangedLimits } from './limits/change-limits.ts';
import type { FenceRecord } from './ports.ts';
import type { UndeleteRequest } from './trash/undelete.ts';
import type { PolicyChoice } from './volume.ts';

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
  readonly before: PolicyChoice;
  readonly policy: PolicyChoice;
  /** What it was said to take: where it costs more by now, it is not done. */
  readonly how: 'none' | 'rename' | 'stand-in' | 'snapshot' | 'drop';
}

/** For what takes no more than to be asked. */
export type NothingMore = Readonly<Record<string, never>>;

/** A volume that bears a name as an engine makes them up, by what the array calls it. */
export interface NamelessVolume {
  readonly volumeId: VolumeId;
  readonly arrayName: string;
}

/** A volume by the name that its users write, and what of it shall change. */
export interface GrowthRequest {
  readonly name: string;
  readonly sizeKiB: number;
}

export interface GrowthReport {
  readonly beforeKiB: number;
  readonly sizeKiB: number;
  /** Who has it, for people. */
  readonly holder: string | null;
  /**
   * here: its file system was grown by this call. later: it was not, and why. holder: the host that has the volume grows it within
   * seconds. mount: the next Mount does.
   */
  readonly filesystem: 'here' | 'later' | 'holder' | 'mount';
  readonly why: string | null;
}

/** Null: that limit stays as it is; 0: none. KiB per second. */
export interface LimitRequest {
  readonly name: string;
  readonly iops: number | null;
  readonly bandwidthKiBps: number | null;
}

/** `now`: with its data, whatever the grace. */
export interface RemoveRequest {
  readonly name: string;
  readonly now: boolean;
}

/** A volume of the trash, as it was shown to whoever decides. */
export interface ErasureRequest {
  readonly volumeId: VolumeId;
  readonly arrayName: string;
  readonly withSnapshots: boolean;
}

/** Null: a name made of the time; it stays until it is removed; it is not secured. */
export interface SnapshotsRequest {
  readonly names: readonly string[];
  readonly snapshot: string | null;
  readonly expireMs: number | null;
  readonly secureForMinutes: number | null;
}

export interface NamedSnapshot {
  readonly name: string;
  readonly snapshot: string;
}

/** `set` null: it is only looked at; `policy` null: none any more. */
export interface PolicyRequest {
  readonly name: string;
  readonly set: { readonly policy: string | null } | null;
}

/** How long what there was before is kept, ms; null: until somebody removes it. */
export interface RestoreRequest extends NamedSnapshot {
  readonly keepMs: number | null;
}

/** Times in ISO 8601; null: never, or not said. */
export interface ListedSnapshot {
  readonly snapshot: string;
  readonly id: VolumeId;
  readonly takenAt: string | null;
  readonly expiresAt: string | null;
  readonly secureUntil: string | null;
  readonly consistency: 'frozen' | 'crash-consistent';
  readonly sizeKiB: number;
  readonly isInUse: boolean;
}

export interface SnapshotList {
  /** Oldest first. */
  readonly snapshots: readonly ListedSnapshot[];
  /** How many a volume can have, its clones counted. */
  readonly most: number;
  /** What all its copies hold beyond what they share with it; null where the array does not say. */
  readonly heldKiB: number | null;
}

export interface CreatedVolume {
  readonly name: string;
  /** Null: it was there already, and this host has not looked which it is. */
  readonly volumeId: VolumeId | null;
  /** What of the options has no effect, or another one than elsewhere. */
  readonly warnings: readonly string[];
}

/** A volume that others have made, by what the array calls it. */
export interface AdoptRequest {
  readonly arrayName: string;
  /** What it shall be called; null: as on the array. */
  readonly name: string | null;
  /** Its name on the array stays, and must be one that engines see here. */
  readonly inPlace: boolean;
  /** The directory of it that containers are to see; null: its root. */
  readonly subpath: string | null;
}

export interface AdoptReport extends ShownVolume {
  readonly arrayName: string;
  readonly sizeKiB: number;
  /** The file system that was found; blank: none is seen, and none was made. */
  readonly content: 'ext4' | 'xfs' | 'btrfs' | 'blank';
  /** kept: it had one. none: nothing could be written. */
  readonly label: 'written' | 'kept' | 'none';
}

/** Room in a volume's file system, bytes, as df counts them. */
export interface VolumeRoom {
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** For programs that are not root. */
  readonly availableBytes: number;
}

/** A class, and what its volumes are made with where their users do not say, as they would write it. */
export interface ListedClass {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
}

/** What an action is asked with, and what it answers. */
interface Act<Wanted, Result> {
  readonly wanted: Wanted;
  readonly result: Result;
}

/**
 * What a person may have done to volumes beside the orchestrator. Each is one piece of work in its turn on the volume, rejects with a
 * PluginError that says what to do, and with InvalidRequestError when the volume is no longer as it was shown; nothing was done then.
 */
interface ActionTable {
  /** Takes the volume from that host, whatever its policy; answers the record of it. See VolumeOperator.forceRelease. */
  forceRelease: Act<ForcedRelease, FenceRecord | undefined>;
  /** See VolumeOperator.changePolicy. */
  changeFailover: Act<FailoverChange, void>;
  /** Lets go of a volume that is attached to this host by somebody else, and unused. See releaseUnclaimed. */
  release: Act<ShownVolume, void>;
  /** Takes off what a look that was killed has attached. See endUnfinishedLook. */
  endUnfinishedLook: Act<NothingMore, void>;
  /** The name in its label, where that proves that an engine made it up. See proveAnonymous. */
  lookIntoAnonymous: Act<NamelessVolume, string | undefined>;
  /** Removes one that was proven to be anonymous, with its data. See removeAnonymous. */
  removeAnonymous: Act<NamelessVolume, void>;
  /** Makes a volume larger, and its file system where it is mounted here. See growVolume. */
  grow: Act<GrowthRequest, GrowthReport>;
  /** Limits a volume, at once and on every later host. See changeLimits. */
  limit: Act<LimitRequest, ChangedLimits>;
  /** As Docker's Remove does it. See RemoveVolume. */
  remove: Act<RemoveRequest, void>;
  /** Gives a removed volume its name back, or another. See undelete. */
  undelete: Act<UndeleteRequest, ShownVolume>;
  /** Takes a volume of the trash out of everybody's reach; it is removed some minutes later. Answers how many snapshots went. */
  eraseTrashed: Act<ErasureRequest, { readonly snapshots: number }>;
  /** Snapshots of several volumes, all of one instant. See takeSnapshots. */
  takeSnapshots: Act<SnapshotsRequest, readonly TakenSnapshot[]>;
  /** The snapshots of a volume that this product took. */
  listSnapshots: Act<Pick<NamedSnapshot, 'name'>, SnapshotList>;
  /** Removes one snapshot and nothing else of its family. See removeSnapshot. */
  removeSnapshot: Act<NamedSnapshot, void>;
  /** Which policy of the array takes snapshots of a volume, and another where one is set. See policyOfVolume. */
  snapshotPolicy: Act<PolicyRequest, PolicyOfVolume>;
  /** Gives a volume that nobody has the content of a snapshot of it. See RestoreVolume. */
  restore: Act<RestoreRequest, RestoredVolume>;
  /** Makes a volume, as Docker's Create does. See CreateVolume. */
  create: Act<AskedVolume, CreatedVolume>;
  /** Gives a volume that nobody has another name. See renameVolume. */
  rename: Act<{ readonly name: string; readonly to: string }, ShownVolume>;
  /** Limits a volume to reading, at the array. See sealVolume. */
  seal: Act<{ readonly name: string }, { readonly isChanged: boolean }>;
  /** Takes a volume that others have made for one of ours. See adoptVolume. */
  adopt: Act<AdoptRequest, AdoptReport>;
  /** How full a volume is that is mounted on this host; null: none of that id is, or its file system does not answer. */
  lookAtRoom: Act<{ readonly volumeId: VolumeId }, VolumeRoom | null>;
  /** The operator's classes as this host has them, in the order of the settings. */
  listClasses: Act<NothingMore, readonly ListedClass[]>;
}

export type ActionName = keyof ActionTable;
export type Wanted<A extends ActionName> = ActionTable[A]['wanted'];
export type Result<A extends ActionName> = ActionTable[A]['result'];

/** The actions of the table, done by somebody. */
export type OperatorActions = {
  readonly [A in ActionName]: (wanted: Wanted<A>, signal: AbortSignal) => Promise<Result<A>>;
};

/** Each action for people, as it follows "the". */
const WORDS: { readonly [A in ActionName]: (wanted: Wanted<A>) => string } = {
  forceRelease: ({ name }) => `forced release of ${quote(name)}`,
  changeFailover: ({ name }) => `failover policy of ${quote(name)}`,
  release: ({ name }) => `release of ${quote(name)}`,
  endUnfinishedLook: () => 'end of an unfinished look',
  lookIntoAnonymous: ({ arrayName }) => `look into ${quote(arrayName)}`,
  removeAnonymous: ({ arrayName }) => `removal of ${quote(arrayName)}`,
  grow: ({ name }) => `growth of ${quote(name)}`,
  limit: ({ name }) => `limits of ${quote(name)}`,
  remove: ({ name }) => `removal of ${quote(name)}`,
  undelete: ({ wanted }) => `undelete of ${quote(wanted)}`,
  eraseTrashed: ({ arrayName }) => `erasing of ${quote(arrayName)}`,
  takeSnapshots: ({ names }) => `snapshot of ${names.map((name) => quote(name)).join(', ')}`,
  listSnapshots: ({ name }) => `list of the snapshots of ${quote(name)}`,
  removeSnapshot: ({ name, snapshot }) => `removal of ${quote(`${name}@${snapshot}`)}`,
  snapshotPolicy: ({ name }) => `snapshot policy of ${quote(name)}`,
  restore: ({ name, snapshot }) => `restore to ${quote(`${name}@${snapshot}`)}`,
  create: ({ name }) => `creation of ${quote(name)}`,
  rename: ({ name }) => `renaming of ${quote(name)}`,
  seal: ({ name }) => `sealing of ${quote(name)}`,
  adopt: ({ arrayName }) => `adoption of ${quote(arrayName)}`,
  lookAtRoom: ({ volumeId }) => `look at the room in ${volumeId}`,
  listClasses: () => 'list of classes',
};

/** Asked for again and again as long as somebody looks, so that a log that tells of each tells of nothing else. */
export function isRepeatedLook(action: ActionName): boolean {
  return action === 'lookAtRoom';
}

export const ACTION_NAMES = Object.keys(WORDS) as readonly ActionName[];

/** The actions, each done by `act`, which is told which it is. */
export function actionsFrom(
  act: <A extends ActionName>(action: A, wanted: Wanted<A>, signal: AbortSignal) => Promise<Result<A>>,
): OperatorActions {
  const actions = ACTION_NAMES.map((action) => [
    action,
    (wanted: Wanted<typeof action>, signal: AbortSignal) => act(action, wanted, signal),
  ]);
  return Object.fromEntries(actions) as OperatorActions;
}

/** Hands an action on: to whom, when, or not at all. `what` names it for people. */
export type HandOn = <T>(
  what: string,
  act: (actions: OperatorActions) => Promise<T>,
  signal: AbortSignal,
) => Promise<T>;

/** The actions as somebody does them who gets each through `handOn`. */
export function handedOn(handOn: HandOn): OperatorActions {
  return actionsFrom((action, wanted, signal) =>
    handOn(WORDS[action](wanted), (to) => to[action](wanted, signal), signal),
  );
}
