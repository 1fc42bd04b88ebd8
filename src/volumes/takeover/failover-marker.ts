import { VolumeConflictError, VolumeNotFoundError } from '../../errors.ts';
import type { VolumeHost } from '../volume-host.ts';
import { findByName } from '../life/lookup.ts';
import { markerName, parseMarker } from '../naming.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { FAILOVER_POLICIES, type PolicyChoice } from '../volume.ts';

/*
 * A failover policy other than the default must be known while another host holds the volume, so it cannot live in the
 * file system. It stands in the name of an empty snapshot of the volume: the array keeps it, every host can read it in
 * one call, and it goes where the volume goes. A volume that was made without one and shall never be taken gets a stand-in: a volume
 * of the same name's form, in the same pool, that is never mapped nor written and so holds no block; "never" alone, because its exact
 * name is what every takeover asks for before it fences.
 */

/** The strictest first; what a host makes of "default" is not known here, and seldom laxer than the default of hosts, "disconnected". */
const BY_STRICTNESS: readonly PolicyChoice[] = FAILOVER_POLICIES.flatMap((policy) =>
  policy === 'disconnected' ? [policy, 'default'] : [policy],
);
/** The smallest volume there is on every release, KiB. */
const STAND_IN_KIB = 8 * 1024 * 1024;

/** The strictest policy that the volume's own markers in its V-tree name; undefined when there is none. */
export function markedPolicy(volume: ArrayVolume, family: readonly ArrayVolume[]): PolicyChoice | undefined {
  const marked = new Set(markersOf(volume, family).map(({ policy }) => policy));
  return BY_STRICTNESS.find((policy) => marked.has(policy));
}

/** Whether anything says that the volume must never be taken, snapshot or stand-in: names are unique, so one gateway call tells. */
export async function isMarkedNever(
  array: Pick<StorageArray, 'findVolumeId'>,
  volumeId: VolumeId,
  signal: AbortSignal,
): Promise<boolean> {
  return (await array.findVolumeId(markerName('never', volumeId), signal)) !== undefined;
}

/**
 * Whether nothing on the array names a policy of the volume, whichever it is by now. One gateway call when it has its marker, two when
 * not. An answer that is not about the volume is no absence (rule 15).
 */
export async function isUnmarked(
  array: Pick<StorageArray, 'findVolumeId' | 'volumesOfFamily'>,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<boolean> {
  const family = await array.volumesOfFamily(volume, signal);
  const isAboutIt = family.some(({ id }) => id === volume.id);
  if (!isAboutIt || markedPolicy(volume, family) !== undefined) return false;
  return !(await isMarkedNever(array, volume.id, signal));
}

/** Those of the volumes that isUnmarked; one gateway call, which lists the array. */
export async function findUnmarked(
  array: Pick<StorageArray, 'listVolumes'>,
  volumes: readonly ArrayVolume[],
  signal: AbortSignal,
): Promise<ReadonlySet<VolumeId>> {
  const unmarked = new Set(volumes.map(({ id }) => id));
  for (const { name, kind } of await array.listVolumes((one) => parseMarker(one) !== undefined, signal)) {
    const marker = name === null ? undefined : parseMarker(name);
    if (marker !== undefined && (kind === 'snapshot' || marker.policy === 'never'))
      unmarked.delete(marker.volumeId);
  }
  return unmarked;
}

/** What a change of policy does on the array. */
export interface PolicyChange {
  readonly volume: ArrayVolume;
  readonly policy: PolicyChoice;
  readonly before: PolicyChoice;
  /**
   * none: it is so. rename: an empty marker gets another name. stand-in: an empty volume beside it. snapshot: of the volume as it is now,
   * which keeps blocks as the volume goes on. drop: the stand-in goes.
   */
  readonly how: 'none' | 'rename' | 'stand-in' | 'snapshot' | 'drop';
  /** Markers there are, first the one that stays. */
  readonly snapshots: readonly ArrayVolume[];
  readonly standIn: ArrayVolume | undefined;
}

/** What it would take to give the volume this policy. Three gateway calls at most; changes nothing. */
export async function planPolicy(
  array: StorageArray,
  volume: ArrayVolume,
  policy: PolicyChoice,
  signal: AbortSignal,
): Promise<PolicyChange> {
  const family = await array.volumesOfFamily(volume, signal);
  const snapshots = markersOf(volume, family)
    .toSorted((one, other) => BY_STRICTNESS.indexOf(one.policy) - BY_STRICTNESS.indexOf(other.policy))
    .map(({ snapshot }) => snapshot);
  const named = await findByName(array, markerName('never', volume.id), signal);
  const standIn = named?.kind === 'snapshot' ? undefined : named;
  const before = standIn === undefined ? (markedPolicy(volume, family) ?? 'default') : 'never';
  return { volume, policy, before, how: howTo(policy, before, snapshots, standIn), snapshots, standIn };
}

function howTo(
  policy: PolicyChoice,
  before: PolicyChoice,
  snapshots: readonly ArrayVolume[],
  standIn: ArrayVolume | undefined,
): PolicyChange['how'] {
  if (policy === before) return 'none';
  if (snapshots.length > 0) return 'rename';
  if (policy === 'never') return 'stand-in';
  return policy === 'default' && standIn !== undefined ? 'drop' : 'snapshot';
}

/**
 * Does what was planned, each thing only with what was read back (rule 13): a marker is ours by its exact name, its ancestor, and nobody
 * having it mapped. Rejects with VolumeConflictError when something that bears a marker's name is none.
 */
export async function changePolicy(
  array: StorageArray,
  { volume, policy, how, snapshots, standIn }: PolicyChange,
  signal: AbortSignal,
): Promise<void> {
  const name = markerName(policy, volume.id);
  const [kept, ...surplus] = snapshots;
  if (how === 'none') return;
  if (how === 'rename' && kept !== undefined && kept.name !== name)
    await array.renameVolume(kept.id, name, signal);
  if (how === 'snapshot') await array.snapshotVolume(volume.id, name, signal);
  if (how === 'stand-in') await makeStandIn(array, volume, signal);
  // Until here the stricter holds, also when this ends half-way.
  for (const marker of surplus) await removeProven(array, marker, volume, signal);
  if (standIn !== undefined && policy !== 'never') await removeProven(array, standIn, volume, signal);
}

/**
 * Marks a volume that is being made and is not blank any more, as changePolicy does: "never" by an empty stand-in, others by a snapshot,
 * which keeps blocks as the volume goes on. One call, two with "never" where the pool is not known; none for "default".
 */
export async function markNew(
  array: StorageArray,
  volume: ArrayVolume,
  policy: PolicyChoice,
  signal: AbortSignal,
): Promise<void> {
  if (policy === 'default') return;
  const how = policy === 'never' ? 'stand-in' : 'snapshot';
  const nothing = { snapshots: [], standIn: undefined };
  await changePolicy(array, { volume, policy, before: 'default', how, ...nothing }, signal);
}

async function makeStandIn(array: StorageArray, volume: ArrayVolume, signal: AbortSignal): Promise<void> {
  const pool = await array.describePool(volume.poolId, signal);
  if (pool === undefined)
    throw new VolumeNotFoundError(`the pool of volume "${volume.name ?? volume.id}" is gone`);
  const name = markerName('never', volume.id);
  await array.createVolume({ name, sizeKiB: STAND_IN_KIB, pool, provisioning: 'thin' }, signal);
}

async function removeProven(
  array: StorageArray,
  marker: ArrayVolume,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<void> {
  const now = await array.getVolume(marker.id, signal);
  if (now === undefined) return;
  const isForm = now.kind === 'snapshot' ? now.ancestorId === volume.id : isStandIn(now);
  const isUnmapped = now.attachments.length === 0 && !now.attachedToAll;
  if (now.name !== marker.name || !isForm || !isUnmapped) {
    throw new VolumeConflictError(
      `"${marker.name ?? marker.id}" bears the name of a marker of volume "${volume.name ?? volume.id}" and is none that this plugin made: look who uses it, and remove it by hand`,
      { context: { volumeId: marker.id } },
    );
  }
  await array.removeVolume(marker.id, signal);
}

/** What makeStandIn makes, as far as the array shows it. */
function isStandIn({ kind, sizeKiB }: ArrayVolume): boolean {
  return kind === 'thin' && sizeKiB === STAND_IN_KIB;
}

/** Removes the markers of a volume that nobody can use yet, never another snapshot of it, nor a marker of another of its family. */
export async function removeMarkers(
  host: VolumeHost,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<void> {
  for (const marker of await findMarkers(host, volume, signal))
    await removeProven(host.array, marker, volume, signal);
}

/** The volume's markers, never another snapshot of it, and its stand-in. Two gateway calls, three with a "never". */
export async function findMarkers(
  host: { readonly array: Pick<StorageArray, 'volumesOfFamily' | 'findVolumeId' | 'getVolume'> },
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<readonly ArrayVolume[]> {
  const family = await host.array.volumesOfFamily(volume, signal);
  const snapshots = markersOf(volume, family).map(({ snapshot }) => snapshot);
  if (snapshots.some(({ name }) => name === markerName('never', volume.id))) return snapshots;
  const standIn = await findByName(host.array, markerName('never', volume.id), signal);
  return standIn !== undefined && isStandIn(standIn) ? [...snapshots, standIn] : snapshots;
}

/**
 * True while the volume that a marker speaks of exists, so that the marker must stay: without it the volume would follow
 * another policy than its owner chose. One gateway call for a marker's name, none for others.
 */
export async function isMarkerNeeded(
  host: VolumeHost,
  arrayName: string,
  signal: AbortSignal,
): Promise<boolean> {
  const marker = parseMarker(arrayName);
  return marker !== undefined && (await host.array.getVolume(marker.volumeId, signal)) !== undefined;
}

function markersOf(
  volume: ArrayVolume,
  family: readonly ArrayVolume[],
): { snapshot: ArrayVolume; policy: PolicyChoice }[] {
  return family.flatMap((snapshot) => {
    const marker = snapshot.name === null ? undefined : parseMarker(snapshot.name);
    const isOwn = marker?.volumeId === volume.id && snapshot.kind === 'snapshot';
    return isOwn ? [{ snapshot, policy: marker.policy }] : [];
  });
}
