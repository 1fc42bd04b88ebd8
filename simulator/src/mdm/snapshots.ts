import { capacityOf } from './capacity.ts';
import type { Cluster } from './cluster.ts';
import { bulkRefusal, invalidRequest, refusal } from './failures.ts';
import { poolById } from './pools.ts';
import type { AccessMode, VolumeRecord } from './records.ts';
import { freeVolumeName, removeOne, volumeById } from './volumes.ts';

interface SnapshotDefinition {
  readonly volumeId: string;
  readonly name?: string | undefined;
}

export interface SnapshotRequest {
  readonly definitions: readonly SnapshotDefinition[];
  readonly accessModeLimit: AccessMode;
  readonly retentionMinutes: number;
}

/**
 * Takes snapshots of several volumes as one consistency group. A snapshot is a volume of the same VTree. Wrong
 * arguments fail plainly (99, 226, 79), too many snapshots in details [cinder test_create_snapshot.py].
 */
export function snapshotVolumes(
  cluster: Cluster,
  request: SnapshotRequest,
): { groupId: string; snapshots: VolumeRecord[] } {
  const groupId = cluster.state.nextId('ConsistencyGroup');
  const snapshots = request.definitions.map((definition) => {
    const source = volumeById(cluster, definition.volumeId);
    const name = freeVolumeName(cluster, definition.name);
    checkRoom(cluster, source);
    const snapshot = snapshotOf(cluster, source, { request, name, groupId });
    cluster.state.volumes.put(snapshot);
    return snapshot;
  });
  return { groupId, snapshots };
}

function checkRoom(cluster: Cluster, source: VolumeRecord): void {
  const snapshots = cluster.state.poolTallies.vtreeSize(source.vtreeId) - 1;
  if (snapshots >= cluster.limits.snapshotsPerVtree) throw bulkRefusal('TOO_MANY_SNAPS_IN_VTREE');
  const pool = poolById(cluster, source.poolId);
  if (capacityOf(cluster, pool).usedPercent >= pool.criticalThreshold)
    throw refusal('CAPACITY_TOO_LOW_FOR_SNAP');
}

function snapshotOf(
  cluster: Cluster,
  source: VolumeRecord,
  given: { request: SnapshotRequest; name: string | null; groupId: string },
): VolumeRecord {
  const { request, name, groupId } = given;
  const seconds = Math.floor(cluster.now() / 1000);
  return {
    ...source,
    id: cluster.state.nextId('Volume'),
    name,
    type: 'Snapshot',
    ancestorId: source.id,
    groupId,
    createdAt: seconds,
    accessModeLimit: request.accessModeLimit,
    multi: false,
    mappedToAll: false,
    mappings: [],
    secureUntil: request.retentionMinutes > 0 ? seconds + request.retentionMinutes * 60 : 0,
    sourcePolicyId: undefined,
    auto: undefined,
    takesStaged: undefined,
    sharedKiB: 0,
    copyingFrom: cluster.hasFile(source.id) ? source.id : null,
  };
}

/** The data of a snapshot has been copied; it may keep its place in the state from now on. */
export function finishCopy(cluster: Cluster, id: string): void {
  const snapshot = cluster.state.volumes.get(id);
  if (snapshot === undefined || snapshot.copyingFrom === null) return;
  cluster.state.volumes.put({ ...snapshot, copyingFrom: null, sharedKiB: cluster.writtenKiB(id) });
}

/** Removes all snapshots of a group and says how many. Throws 185 for an unknown group, 104 for a mapped snapshot. */
export function removeSnapshotGroup(cluster: Cluster, groupId: string): VolumeRecord[] {
  const { volumes, volumesByGroup } = cluster.state;
  const doomed = volumes.many(volumesByGroup.ids(groupId));
  if (doomed.length === 0) throw refusal('VOL_NOT_FOUND_FOR_SNAP_GROUP');
  for (const snapshot of doomed) {
    if (snapshot.mappedToAll || snapshot.mappings.length > 0) throw refusal('VOL_MAPPED');
    if (snapshot.secureUntil * 1000 > cluster.now()) throw refusal('SECURE_SNAPSHOT');
    if (snapshot.auto !== undefined) throw refusal('SCG_WITH_AUTO_SNAPSHOTS_CANNOT_BE_REMOVED');
    if (snapshot.sourcePolicyId !== undefined) throw refusal('VOL_IS_SNAP_POLICY_SOURCE_VOL');
  }
  for (const { id } of doomed) removeOne(cluster, id);
  return doomed;
}

export interface Overwrite {
  readonly targetId: string;
  readonly sourceId: string;
  /** A locked snapshot of a policy may lose what it holds. */
  readonly evenLocked: boolean;
}

/** Whether one volume's content may replace another's; the two. */
export function checkOverwrite(
  cluster: Cluster,
  { targetId, sourceId, evenLocked }: Overwrite,
): { target: VolumeRecord; source: VolumeRecord } {
  const target = volumeById(cluster, targetId);
  const source = volumeById(cluster, sourceId);
  if (target.id === source.id) throw refusal('VOLUME_AND_SNAPSHOT_MATCH');
  if (target.vtreeId !== source.vtreeId) throw refusal('VTREE_ID_MISMATCH');
  if (target.secureUntil * 1000 > cluster.now()) throw refusal('SECURE_SNAPSHOT');
  if (target.auto?.locked === true && !evenLocked) throw refusal('DEST_VOL_IS_LOCKED_AUTO_SNAPSHOT');
  return { target, source };
}

/** The target gets its source's size, and the content that lies ready for it. */
export function overwriteContent(cluster: Cluster, request: Overwrite): void {
  const { target, source } = checkOverwrite(cluster, request);
  cluster.state.volumes.put({ ...target, sizeKiB: source.sizeKiB, takesStaged: true });
}

/** The content that lay ready is in place. */
export function finishOverwrite(cluster: Cluster, id: string): void {
  const target = cluster.state.volumes.get(id);
  if (target !== undefined) cluster.state.volumes.put({ ...target, takesStaged: undefined });
}

/** Longest time for which clients secure a snapshot [ansible]; that the array has the same limit is taken for granted here. */
const LONGEST_RETENTION_MINUTES = 31 * 24 * 60;

/** Minutes for which a snapshot is secured; 0 for none. Throws the gateway's 400 where they are none. */
export function checkedRetention(minutes: number): number {
  if (Number.isInteger(minutes) && minutes >= 0 && minutes <= LONGEST_RETENTION_MINUTES) return minutes;
  throw invalidRequest(
    `retentionPeriodInMin should be a number from 0 to ${LONGEST_RETENTION_MINUTES}, but its value is ${minutes}`,
  );
}

/** Secures a snapshot against removal; retention can only grow. */
export function secureSnapshot(cluster: Cluster, id: string, retentionMinutes: number): void {
  const snapshot = volumeById(cluster, id);
  const until = Math.floor(cluster.now() / 1000) + checkedRetention(retentionMinutes) * 60;
  if (retentionMinutes === 0 && snapshot.secureUntil === 0) return;
  cluster.state.volumes.put({ ...snapshot, secureUntil: Math.max(snapshot.secureUntil, until) });
}
