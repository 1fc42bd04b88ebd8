import type { Cluster } from './cluster.ts';
import { refusal } from './failures.ts';
import { checkedName } from './names.ts';
import type { AccessMode, PolicyRecord, VolumeRecord } from './records.ts';
import { removeOne, volumeById } from './volumes.ts';

/** The snapshot policy with this id. Throws when there is none. */
export function policyById(cluster: Cluster, id: string): PolicyRecord {
  const policy = cluster.state.policies.get(id);
  if (policy === undefined) throw refusal('SNAP_POLICY_NOT_FOUND');
  return policy;
}

/** When and how many. */
export interface PolicyPlan {
  readonly cadenceMinutes: number;
  readonly retained: readonly number[];
}

export interface NewPolicy extends PolicyPlan {
  readonly name?: string | undefined;
  readonly paused: boolean;
  readonly accessMode: AccessMode;
  readonly secure: boolean;
}

/** The first snapshots come one cadence from now. */
export function createPolicy(cluster: Cluster, request: NewPolicy): PolicyRecord {
  checkPlan(cluster, request);
  const { cadenceMinutes, retained, paused, accessMode, secure } = request;
  const policy: PolicyRecord = {
    name: freePolicyName(cluster, request.name),
    id: cluster.state.nextId('SnapshotPolicy'),
    cadenceMinutes,
    retained,
    paused,
    accessMode,
    secure,
    rounds: 0,
    lastAt: 0,
    nextAt: nextFrom(cluster, cadenceMinutes),
    failures: 0,
    lastFailureAt: 0,
    lastFailure: null,
  };
  cluster.state.policies.put(policy);
  return policy;
}

function nextFrom(cluster: Cluster, cadenceMinutes: number): number {
  return Math.floor(cluster.now() / 1000) + cadenceMinutes * 60;
}

/** A level above the first takes one of each series of the level below, so one alone below it says nothing [codes]. */
function checkPlan(cluster: Cluster, { cadenceMinutes, retained }: PolicyPlan): void {
  if (!Number.isInteger(cadenceMinutes) || cadenceMinutes < 1)
    throw refusal('SNAP_POLICY_CADENCE_OUT_OF_RANGE');
  const sum = retained.reduce((total, count) => total + count, 0);
  const isCounted = retained.length > 0 && retained.every((count) => Number.isInteger(count) && count > 0);
  if (!isCounted || sum > cluster.limits.snapshotsPerVtree) throw refusal('SNAP_POLICY_LEVELS_OUT_OF_RANGE');
  if (retained.length > 1 && retained.includes(1)) throw refusal('SNAP_POLICY_LEVEL_ONE_MEANINGLESS');
}

function freePolicyName(cluster: Cluster, name: string | undefined): string | null {
  const checked = checkedName(name);
  const taken = [...cluster.state.policies.values()].some((policy) => policy.name === checked);
  if (checked !== null && taken) throw refusal('SNAP_POLICY_NAME_ALREADY_EXISTS');
  return checked;
}

export function modifyPolicy(cluster: Cluster, id: string, plan: PolicyPlan): void {
  const policy = policyById(cluster, id);
  checkPlan(cluster, plan);
  const { cadenceMinutes, retained } = plan;
  const nextAt = nextFrom(cluster, cadenceMinutes);
  cluster.state.policies.put({ ...policy, cadenceMinutes, retained, nextAt });
}

export function renamePolicy(cluster: Cluster, id: string, name: string): void {
  const policy = policyById(cluster, id);
  if (policy.name !== name) cluster.state.policies.put({ ...policy, name: freePolicyName(cluster, name) });
}

/** A policy that goes on takes its next snapshots one cadence from then. */
export function pausePolicy(cluster: Cluster, id: string, paused: boolean): void {
  const policy = policyById(cluster, id);
  if (policy.paused === paused) return;
  cluster.state.policies.put({ ...policy, paused, nextAt: nextFrom(cluster, policy.cadenceMinutes) });
}

/** Removes a policy without sources; snapshots that it has left are nobody's. */
export function removePolicy(cluster: Cluster, id: string): void {
  policyById(cluster, id);
  const { volumes, volumesBySourcePolicy, volumesByAutoPolicy, policies } = cluster.state;
  if (volumesBySourcePolicy.count(id) > 0) throw refusal('SNAP_POLICY_HAS_SOURCE_VOLUMES');
  for (const snapshot of volumes.many(volumesByAutoPolicy.ids(id)))
    volumes.put({ ...snapshot, auto: undefined });
  policies.delete(id);
}

/** At most one source per VTree, and none that is a policy's own snapshot [codes]. */
export function addSource(cluster: Cluster, policyId: string, volumeId: string): void {
  policyById(cluster, policyId);
  const volume = volumeById(cluster, volumeId);
  if (volume.sourcePolicyId !== undefined) throw refusal('SOURCE_VOL_ALREADY_IN_SNAP_POLICY');
  if (volume.auto !== undefined) throw refusal('SOURCE_VOL_CANT_BE_AUTO_SNAPSHOT');
  const { volumes, volumesByVtree } = cluster.state;
  const family = volumes.many(volumesByVtree.ids(volume.vtreeId));
  if (family.some(({ sourcePolicyId }) => sourcePolicyId !== undefined))
    throw refusal('TWO_SNAP_POLICY_SRC_VOLS_OF_SAME_VTREE');
  volumes.put({ ...volume, sourcePolicyId: policyId });
}

export interface SourceRemoval {
  /** What becomes of the snapshots that the policy took. */
  readonly action: 'Remove' | 'Detach';
  readonly detachLocked: boolean;
}

export function removeSource(
  cluster: Cluster,
  policyId: string,
  volumeId: string,
  { action, detachLocked }: SourceRemoval,
): void {
  policyById(cluster, policyId);
  const volume = volumeById(cluster, volumeId);
  if (volume.sourcePolicyId !== policyId) throw refusal('SOURCE_VOL_NOT_IN_SNAP_POLICY');
  const snapshots = autoSnapshotsOf(cluster, policyId, volume.vtreeId);
  const isKept = ({ auto }: VolumeRecord): boolean =>
    action === 'Detach' || (auto?.locked === true && detachLocked);
  const doomed = snapshots.filter((snapshot) => !isKept(snapshot));
  if (doomed.some(({ auto }) => auto?.locked)) throw refusal('LOCKED_AUTO_SNAPSHOTS_EXIST');
  const { volumes } = cluster.state;
  volumes.put({ ...volume, sourcePolicyId: undefined });
  for (const snapshot of snapshots) volumes.put({ ...snapshot, auto: undefined });
  for (const { id } of doomed) removeOne(cluster, id);
}

/** Snapshots that a policy took in one VTree and still keeps, the oldest first. */
export function autoSnapshotsOf(cluster: Cluster, policyId: string, vtreeId: string): VolumeRecord[] {
  const { volumes, volumesByAutoPolicy } = cluster.state;
  return volumes
    .many(volumesByAutoPolicy.ids(policyId))
    .filter((snapshot) => snapshot.vtreeId === vtreeId)
    .toSorted((one, other) => one.createdAt - other.createdAt);
}

/** A locked snapshot stays when its time with the policy is over. */
export function lockAutoSnapshot(cluster: Cluster, id: string, locked: boolean): void {
  const snapshot = volumeById(cluster, id);
  const { auto } = snapshot;
  if (auto === undefined) throw refusal('NOT_AUTO_SNAPSHOT');
  if (auto.locked === locked) throw refusal(locked ? 'AUTO_SNAP_ALREADY_LOCKED' : 'AUTO_SNAP_NOT_LOCKED');
  if (!locked && (snapshot.mappedToAll || snapshot.mappings.length > 0)) throw refusal('AUTO_SNAP_IS_MAPPED');
  cluster.state.volumes.put({ ...snapshot, auto: { ...auto, locked } });
}

/** It would have gone, but for its lock. */
export function isExpiredButLocked(cluster: Cluster, { auto }: VolumeRecord): boolean {
  return auto?.locked === true && auto.expiresAt * 1000 <= cluster.now();
}
