import type { MappedHere } from '../journal/mapped-here.ts';
import { snapshotsOf } from '../volumes/copies/family-snapshots.ts';
import { describeHolder, nameOfHolder } from '../volumes/takeover/holders.ts';
import type { HeldVolume } from '../volumes/takeover/operator.ts';
import { isPluginError } from '../errors.ts';
import type { OperatorActions, VolumeRoom } from '../volumes/operator-actions.ts';
import type { DeviceUser, DroppedRestore, FenceRecord } from '../volumes/ports.ts';
import type { HostState } from '../array/host.ts';
import type { StorageArray } from '../array/storage-array.ts';
import type { ArrayVolume, Attachment } from '../array/volume.ts';
import type { PolicyChoice } from '../volumes/volume.ts';

export interface MountedHere {
  readonly filesystem: string | null;
  readonly usedKiB: number;
}

/** What only this host can tell beside the array. */
export interface HostMemory {
  /** By volume id. */
  readonly mappedHere: ReadonlyMap<string, MappedHere>;
  /** The last fence of a volume that was done or forced from this host. */
  lastFence(volumeId: string): Promise<FenceRecord | undefined>;
  /** A restore of the volume that was cut short on this host and is not repeated. */
  droppedRestore(volumeId: string): Promise<DroppedRestore | undefined>;
  /** Its file system here and what is used of that; undefined where the plugin has it not mounted. */
  mountedHere(volumeId: string): Promise<MountedHere | undefined>;
  /** Who uses the volume's device on this host; undefined where it has none. */
  usersHere(volumeId: string, signal: AbortSignal): Promise<readonly DeviceUser[] | undefined>;
}

/** One host that has a volume. */
export interface HolderFacts {
  readonly sdcId: string;
  readonly name: string | null;
  readonly ip: string | null;
  /** The array does not say name or address now, so that this host's memory does. */
  readonly isLastKnown: boolean;
  /** Name and address. */
  readonly described: string;
  /** ISO 8601; null where this host does not know: only the host that has it does, and not the array. */
  readonly since: string | null;
}

/** A volume as `volume ls` tells of it; with --json, as it is here. */
export interface ListedFacts {
  readonly name: string;
  readonly arrayName: string | null;
  readonly id: string;
  readonly sizeKiB: number;
  /** What is used of its file system, and which that is; null where this host has it not mounted. */
  readonly usedKiB: number | null;
  readonly filesystem: string | null;
  /** Names are null where the array does not say them. */
  readonly pool: { readonly id: string; readonly name: string | null; readonly domain: string | null };
  readonly access: 'read-write' | 'read-only';
  readonly mappedToAllSdcs: boolean;
  readonly holders: readonly HolderFacts[];
  /** Null: none by this host. */
  readonly lastFence: FenceRecord | null;
}

/** How many snapshots a volume has, and the newest. */
export interface SnapshotFacts {
  readonly count: number;
  /** Null: there is none. `takenAt`: ISO 8601; null: the array does not say. */
  readonly newest: { readonly name: string; readonly takenAt: string | null } | null;
}

/** A volume as `volume show` tells of it. */
export interface ShownFacts extends ListedFacts {
  readonly failover: PolicyChoice;
  readonly holders: readonly (HolderFacts & { readonly state: HostState })[];
  /** I/O operations in the array's present measuring interval. */
  readonly recentIo: number;
  /** On this host, the plugin's own mount among them; null where the volume has no device here. */
  readonly usersHere: readonly DeviceUser[] | null;
  /** Those that this product took; null: the array does not say. Not there where nobody asked. */
  readonly snapshots?: SnapshotFacts | null;
  /** Of its file system, as the plugin on this host says; `why`: what keeps that from being known here. Not there where nobody asked. */
  readonly room?: VolumeRoom | { readonly why: string };
  /** Null: none on this host, or the volume was restored since. */
  readonly droppedRestore: DroppedRestore | null;
}

/** Where facts of volumes come from. */
export interface FactSources {
  readonly memory: HostMemory;
  /** Pools are asked for once each, however many volumes they have. */
  readonly array: Pick<StorageArray, 'describePool'>;
  readonly signal: AbortSignal;
}

export async function listedFacts(
  name: string,
  volume: ArrayVolume,
  { memory, array, signal }: FactSources,
): Promise<ListedFacts> {
  const mounted = await memory.mountedHere(volume.id);
  const pool = await array.describePool(volume.poolId, signal);
  return {
    name,
    arrayName: volume.name,
    id: volume.id,
    sizeKiB: volume.sizeKiB,
    usedKiB: mounted?.usedKiB ?? null,
    filesystem: mounted?.filesystem ?? null,
    pool: { id: volume.poolId, name: pool?.name ?? null, domain: pool?.domainName ?? null },
    access: volume.accessModeLimit === 'ReadOnly' ? 'read-only' : 'read-write',
    mappedToAllSdcs: volume.attachedToAll,
    holders: volume.attachments.map((mapping) => holderFacts(volume, mapping, memory)),
    lastFence: (await memory.lastFence(volume.id)) ?? null,
  };
}

export async function shownFacts(held: HeldVolume, sources: FactSources): Promise<ShownFacts> {
  const { memory, signal } = sources;
  const { name, volume, failover, recentIo, holders } = held;
  return {
    ...(await listedFacts(name, volume, sources)),
    failover,
    holders: holders.map(({ attachment: mapping, state }) => ({
      ...holderFacts(volume, mapping, memory),
      state,
    })),
    recentIo,
    usersHere: (await memory.usersHere(volume.id, signal)) ?? null,
    droppedRestore: (await memory.droppedRestore(volume.id)) ?? null,
  };
}

/** No call of the array. `usersHere`: as above; where the volume has no device here, nobody here can know. */
export async function roomFacts(
  actions: Pick<OperatorActions, 'lookAtRoom'>,
  { volume, holders }: Pick<HeldVolume, 'volume' | 'holders'>,
  usersHere: ShownFacts['usersHere'],
  signal: AbortSignal,
): Promise<NonNullable<ShownFacts['room']>> {
  if (holders.length === 0) return { why: 'nobody has it attached' };
  if (usersHere === null) return { why: 'only the host that has it knows' };
  try {
    const room = await actions.lookAtRoom({ volumeId: volume.id }, signal);
    return room ?? { why: 'it is not mounted by a plugin here, or its file system does not answer' };
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return { why: error.message };
  }
}

/** One call; none where the array does not say which volumes belong together. */
export async function snapshotFacts(
  host: Parameters<typeof snapshotsOf>[0],
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<SnapshotFacts | null> {
  if (volume.familyId === null) return null;
  const snapshots = await snapshotsOf(host, volume, signal);
  const newest = snapshots.at(-1);
  if (newest === undefined) return { count: 0, newest: null };
  const { createdAtSeconds } = newest.volume;
  const takenAt = createdAtSeconds === null ? null : new Date(createdAtSeconds * 1000).toISOString();
  return { count: snapshots.length, newest: { name: newest.name, takenAt } };
}

function holderFacts({ id }: ArrayVolume, mapping: Attachment, { mappedHere }: HostMemory): HolderFacts {
  const { hostId } = mapping;
  const here = mappedHere.get(id);
  const since = here?.hostId === hostId ? here.since : null;
  return { sdcId: hostId, ...nameOfHolder(mapping), described: describeHolder(mapping), since };
}
