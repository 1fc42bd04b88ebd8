import { asVolumeId, type ArrayName, type HostId, type SystemId, type VolumeId } from '../array/ids.ts';
import { STATES, type Phase } from './host-volume-states.ts';
import { parseMarker } from './naming.ts';
import { isInTrash } from './trash/trash-names.ts';

/*
 * What this host is doing with a volume is a state machine, whose table is in host-volume-states.ts. It is also the journal's entry, so each
 * state is on disk before what it stands for is begun, and a crash leaves it as it was. Entries are made and moved on by the functions of
 * this file alone.
 */

/** A restore that this host is at, or was at when it died. */
export interface RestoreState {
  /** What the volume is given the content of: its own name, and the array's id of it. */
  readonly snapshot: string;
  readonly sourceId: VolumeId;
  /** The snapshot of what there was before, which may not have been taken yet. */
  readonly keptAs: string;
  /**
   * attaching: the content is as it was. overwriting: the array may have given it the snapshot's, and may still come to it. finishing: it has.
   */
  readonly step: 'attaching' | 'overwriting' | 'finishing';
  /**
   * The marker that keeps it from all others meanwhile: without an id the array was asked to make it. Undefined: none was made for this.
   */
  readonly hold?: { readonly id?: VolumeId | undefined } | undefined;
  /** Of its device here, which is the same as long as the attachment stands; undefined: not seen yet, or the kernel does not tell. */
  readonly diskSequence?: string | undefined;
}

/** An entry as it is written down; one that was not made by this file is made an entry by recordedVolume. */
export interface VolumeRecord {
  /** The volume's name as its users write it; in creating also the provisional one, in unmarking the marker's. */
  readonly name: string;
  readonly arrayName: ArrayName;
  /** Empty while the array has not said it (creating). */
  readonly volumeId: VolumeId;
  /** The array's id; with volumeId it names the device, also while no gateway answers. */
  readonly systemId: SystemId;
  readonly phase: Phase;
  /** Who claims it (rule 6). */
  readonly holders: readonly string[];
  readonly mountpoint: string;
  /** Of the last Mount, or when releasing began; ISO 8601, for people: how old the entry is Journal.ageMs says. */
  readonly since: string;
  /** SDC to which this host mapped the volume, and when (ISO 8601): the array does not tell. */
  readonly hostId?: HostId | undefined;
  readonly heldSince?: string | undefined;
  /**
   * What is known of the mapping (for 'creating': of the volume). Undefined: this host made it. intended: the request may have
   * gone out and nothing has said what came of it, so it may still be carried out. found: it was there before this plugin had anything to
   * do with the volume, so it is not ours to take away (rule 13).
   */
  readonly attachment?: 'intended' | 'found' | undefined;
  /** The limits that this host has put on its attachment; undefined: not known. A limit of 0 is none. */
  readonly limits?: { readonly iops: number; readonly bandwidthKiBps: number } | undefined;
  /** In restoring: which one. */
  readonly restore?: RestoreState | undefined;
  /** True when it was written before this host booted: a copy of the whole machine would have it, too. */
  readonly earlierBoot?: boolean | undefined;
}

declare const claim: unique symbol;

/**
 * Who wants a volume to stay mounted here: a name that a front end gives, which means nothing to anybody else. The same name again is
 * the same claim.
 */
export type Claimant = string & { readonly [claim]: 'claimant' };

export const asClaimant = (name: string): Claimant => name as Claimant;

/** For clients that do not say who they are: one claim, however many they are. It is never doubted. */
export const NAMELESS = asClaimant('');

/** Nobody else can name it, so nobody else makes an entry, nor gives one another phase. */
declare const madeHere: unique symbol;

/** An entry in one of the given states. */
export type VolumeIn<P extends Phase> = P extends Phase
  ? Omit<VolumeRecord, 'phase' | 'holders'> & {
      readonly phase: P;
      readonly holders: readonly Claimant[];
      readonly [madeHere]: P;
    } & (P extends 'restoring' ? { readonly restore: RestoreState } : unknown)
  : never;

/** What this host does with one volume; survives a crash. */
export type HostVolume = VolumeIn<Phase>;
/** Not a volume that anybody can use: it is there to be removed, unless its Create ends well. */
export type UnfinishedVolume = VolumeIn<'creating' | 'unmarking'>;
/** Removed by this host, and on its way out. Kept under the name that it has in the trash, so that its own is free. */
export type DiscardedVolume = VolumeIn<'trashed' | 'erasing'>;
/** A volume that is to get the content of a snapshot. */
export type RestoringVolume = VolumeIn<'restoring'>;
/** A volume with a name, attached here or about to be or to have been. */
export type AttachedVolume = VolumeIn<'mounting' | 'mounted' | 'releasing'>;

/** A state was to follow on one that it cannot follow: a mistake of this program. Nothing was changed. */
export class ImpossibleTransitionError extends Error {
  constructor(
    name: string,
    from: Phase | 'nothing',
    to: Phase,
    why = 'the table of states has no such step',
  ) {
    super(`the entry of "${name}" cannot go from ${from} to ${to}: ${why}; this is a mistake of the plugin`);
    this.name = new.target.name;
  }
}

/** An entry as the journal had it. */
export function recordedVolume(record: VolumeRecord): HostVolume {
  return record as HostVolume;
}

/** Whether it is there to be removed. */
export function isUnfinished(entry: HostVolume): entry is UnfinishedVolume {
  return entry.phase === 'creating' || entry.phase === 'unmarking';
}

/** Whether this host removed it, so that nothing of it is to be done for anybody who uses it. */
export function isDiscarded(entry: HostVolume): entry is DiscardedVolume {
  return entry.phase === 'trashed' || entry.phase === 'erasing';
}

/** Whether its content is being exchanged, so that nobody may use it. */
export function isRestoring(entry: HostVolume): entry is RestoringVolume {
  return entry.phase === 'restoring';
}

/** Whether it is of a volume that somebody may be using here. */
export function isAttached(entry: HostVolume): entry is AttachedVolume {
  return !isUnfinished(entry) && !isDiscarded(entry) && !isRestoring(entry);
}

interface Origin extends Pick<VolumeRecord, 'systemId' | 'mountpoint'> {
  /** Now, in ISO 8601. */
  readonly since: string;
}

const NOT_MADE_YET = asVolumeId('');

/** nothing → creating: the volume is about to be asked for under its provisional name. */
export function creatingVolume(name: string, provisional: ArrayName, origin: Origin): VolumeIn<'creating'> {
  const { systemId, mountpoint, since } = origin;
  return made({
    name,
    arrayName: provisional,
    volumeId: NOT_MADE_YET,
    systemId,
    phase: 'creating',
    holders: [],
    mountpoint,
    since,
    attachment: 'intended',
  });
}

/** nothing → creating: what an earlier Create has left on the array is to be removed. */
export function leftVolume(id: VolumeId, provisional: ArrayName, origin: Origin): VolumeIn<'creating'> {
  return made({ ...removable(id, provisional, origin), phase: 'creating' });
}

/** nothing → unmarking. Throws ImpossibleTransitionError for a name that is no marker's. */
export function markerToRemove(id: VolumeId, marker: ArrayName, origin: Origin): VolumeIn<'unmarking'> {
  if (!isMarker(marker))
    throw new ImpossibleTransitionError(marker, 'nothing', 'unmarking', 'that is not the name of a marker');
  return made({ ...removable(id, marker, origin), phase: 'unmarking' });
}

/** nothing → trashed: about to be renamed out of sight. Throws ImpossibleTransitionError for a name that is none of the trash. */
export function trashedVolume(id: VolumeId, trashName: ArrayName, origin: Origin): VolumeIn<'trashed'> {
  if (!isInTrash(trashName))
    throw new ImpossibleTransitionError(trashName, 'nothing', 'trashed', 'that is not a name of the trash');
  return made({ ...removable(id, trashName, origin), phase: 'trashed' });
}

/** trashed → erasing: about to be renamed so that nobody brings it back any more. */
export function erasingVolume(entry: DiscardedVolume, now: string): VolumeIn<'erasing'> {
  const since = entry.phase === 'erasing' ? entry.since : now;
  return moved(entry, 'erasing', { since });
}

/** creating → creating, under the provisional name: the volume's own is free for a next Create. */
export function setAside(entry: UnfinishedVolume): UnfinishedVolume {
  return moved(entry, entry.phase, { name: entry.arrayName });
}

/** nothing → restoring: about to be attached. */
export function restoringVolume(
  name: string,
  beginning: MountBeginning,
  restore: RestoreState,
): RestoringVolume {
  return made({ ...beginning, name, phase: 'restoring', holders: [], restore });
}

/** restoring → restoring, a step on. `now` is since when that may be under way. */
export function restoredOn(
  entry: RestoringVolume,
  restore: RestoreState,
  now: string = entry.since,
): RestoringVolume {
  return moved(answered(entry), 'restoring', { restore, since: now });
}

/** restoring → restoring, once the array has said what came of the request to keep others from it. `now`: it is to be attached from then on. */
export function heldBack(entry: RestoringVolume, hold: RestoreState['hold'], now: string): RestoringVolume {
  return moved(entry, 'restoring', { restore: { ...entry.restore, hold }, since: now, heldSince: now });
}

/** What is known of a volume when a Mount of it begins. */
export interface MountBeginning extends Origin {
  readonly volumeId: VolumeId;
  readonly arrayName: ArrayName;
  readonly hostId?: HostId | undefined;
  readonly heldSince?: string | undefined;
  readonly attachment?: VolumeRecord['attachment'];
  readonly earlierBoot?: boolean | undefined;
}

/** nothing, mounting, mounted or releasing → mounting. Who claims it stays, unless that was another volume of the name. */
export function mountingVolume(
  name: string,
  before: AttachedVolume | undefined,
  beginning: MountBeginning,
): VolumeIn<'mounting'> {
  const isSame = before?.volumeId === beginning.volumeId;
  if (isSame) assertNext(before, 'mounting');
  return made({ ...beginning, name, phase: 'mounting', holders: isSame ? before.holders : [] });
}

/** mounting → mounted, for one more and with these limits: the mapping is this host's from now on (rule 13). */
export function mountedVolume(
  entry: VolumeIn<'mounting'>,
  claimant: Claimant,
  limits?: VolumeRecord['limits'],
): VolumeIn<'mounted'> {
  const holders = [...new Set([...entry.holders, claimant])];
  return moved(entry, 'mounted', { holders, limits, attachment: undefined, earlierBoot: undefined });
}

/** mounted → mounted, with other limits on its attachment. */
export function limitedVolume(
  entry: VolumeIn<'mounted'>,
  limits: NonNullable<VolumeRecord['limits']>,
): VolumeIn<'mounted'> {
  return moved(entry, 'mounted', { limits });
}

/** mounted → mounted, for one more. */
export function claimedVolume(
  entry: VolumeIn<'mounted'>,
  claimant: Claimant,
  since: string,
): VolumeIn<'mounted'> {
  // A repeated claim is not counted again, but whoever makes it needs the time to use the path.
  return moved(entry, 'mounted', { holders: [...new Set([...entry.holders, claimant])], since });
}

/** The same state, for one less. */
export function withoutClaimant(entry: AttachedVolume, claimant: Claimant): AttachedVolume {
  return moved(entry, entry.phase, { holders: entry.holders.filter((known) => known !== claimant) });
}

/** mounting, mounted, restoring or releasing → releasing, for nobody. `now` is when that began, unless it has begun. */
export function releasingVolume(entry: AttachedVolume | RestoringVolume, now: string): VolumeIn<'releasing'> {
  const since = entry.phase === 'releasing' ? entry.since : now;
  return moved(entry, 'releasing', { holders: [], since, restore: undefined });
}

/** The same state: what was asked for has been answered, or can no longer come. What was found stays so. */
export function answered<V extends HostVolume>(entry: V): V {
  return entry.attachment === 'intended' ? { ...entry, attachment: undefined } : entry;
}

/** What an entry of an earlier boot says now: nobody holds the volume; it may still be mapped, or be a provisional one. */
export function afterBoot(entry: HostVolume): HostVolume {
  return moved(entry, STATES[entry.phase].afterBoot, { holders: [], earlierBoot: true });
}

/**
 * Throws ImpossibleTransitionError unless `next` may take the place of `before` under their name. An entry of another volume makes way
 * for any: that one is gone from the array.
 */
export function assertFollows(before: HostVolume | undefined, next: HostVolume): void {
  if (before?.volumeId === next.volumeId) assertNext(before, next.phase);
}

/** Whether the array's name is that of a failover marker, which no volume and no provisional volume can bear. */
export function isMarker(arrayName: string): boolean {
  return parseMarker(arrayName) !== undefined;
}

/** Whether the array's name is that of a volume in the trash, which no other can bear. */
export function isTrashed(arrayName: string): boolean {
  return isInTrash(arrayName);
}

function removable(
  volumeId: VolumeId,
  arrayName: ArrayName,
  { systemId, mountpoint, since }: Origin,
): Omit<VolumeRecord, 'phase'> {
  return { name: arrayName, arrayName, volumeId, systemId, holders: [], mountpoint, since };
}

function moved<P extends Phase>(
  entry: HostVolume,
  phase: P,
  changes: Partial<Omit<VolumeRecord, 'phase'>>,
): VolumeIn<P> {
  assertNext(entry, phase);
  return made({ ...entry, ...changes, phase });
}

function assertNext({ name, phase }: HostVolume, next: Phase): void {
  if (!STATES[phase].next.includes(next)) throw new ImpossibleTransitionError(name, phase, next);
}

function made<P extends Phase>(record: VolumeRecord & { readonly phase: P }): VolumeIn<P> {
  return record as unknown as VolumeIn<P>;
}
