import type { Cluster } from './cluster.ts';
import { ArrayError } from './failures.ts';
import { autoSnapshotsOf, policyById } from './policies.ts';
import type { PolicyRecord, VolumeRecord } from './records.ts';
import { snapshotVolumes } from './snapshots.ts';
import { removeOne } from './volumes.ts';

/*
 * No source says how the product's policies count their levels. Here a snapshot counts at the first level, and at each next one when as
 * many rounds have passed as the level below keeps: 24 an hour apart, then 7 a day apart. It goes when no level keeps it any more.
 */

/** Ids of the policies whose time has come. */
export function duePolicies(cluster: Cluster): string[] {
  const now = Math.floor(cluster.now() / 1000);
  return [...cluster.state.policies.values()]
    .filter(({ paused, nextAt }) => !paused && nextAt <= now)
    .map(({ id }) => id);
}

/**
 * Takes snapshots of all sources of a policy as one group, and removes what it no longer keeps. However long it was due, it does so once.
 * Throws as snapshotVolumes.
 */
export function takePolicyRound(cluster: Cluster, policyId: string): void {
  const policy = policyById(cluster, policyId);
  // Whoever else found it due may have been here before.
  if (!duePolicies(cluster).includes(policyId)) return;
  const { volumes, volumesBySourcePolicy, policies } = cluster.state;
  const sources = volumes.many(volumesBySourcePolicy.ids(policyId));
  const now = Math.floor(cluster.now() / 1000);
  if (sources.length > 0) take(cluster, policy, sources, now);
  policies.put({
    ...policy,
    rounds: policy.rounds + (sources.length > 0 ? 1 : 0),
    lastAt: sources.length > 0 ? now : policy.lastAt,
    nextAt: now + policy.cadenceMinutes * 60,
  });
  for (const { vtreeId } of sources) prune(cluster, policyById(cluster, policyId), vtreeId);
}

/** What became of a round that could not be taken. */
export function noteFailedRound(cluster: Cluster, policyId: string, error: unknown): void {
  const policy = policyById(cluster, policyId);
  const now = Math.floor(cluster.now() / 1000);
  const text = error instanceof ArrayError ? (error.details?.[0]?.error ?? error.message) : String(error);
  cluster.state.policies.put({
    ...policy,
    nextAt: now + policy.cadenceMinutes * 60,
    failures: policy.failures + 1,
    lastFailureAt: now,
    lastFailure: text,
  });
}

function take(cluster: Cluster, policy: PolicyRecord, sources: readonly VolumeRecord[], now: number): void {
  const { volumes } = cluster.state;
  const levels = levelsOf(policy);
  const minutes = minutesKept(policy, levels);
  const { groupId, snapshots } = snapshotVolumes(cluster, {
    definitions: sources.map(({ id }) => ({ volumeId: id })),
    accessModeLimit: policy.accessMode,
    retentionMinutes: policy.secure ? minutes : 0,
  });
  for (const snapshot of snapshots)
    volumes.put({
      ...snapshot,
      name: `auto_${snapshot.id}`,
      auto: { policyId: policy.id, groupId, locked: false, levels, expiresAt: now + minutes * 60 },
    });
}

/** From 1: the levels at which the next round counts. */
function levelsOf({ retained, rounds }: PolicyRecord): number[] {
  return retained.flatMap((_, index) => (rounds % roundsApart(retained, index) === 0 ? [index + 1] : []));
}

/** How many rounds apart the snapshots of a level are. */
function roundsApart(retained: readonly number[], index: number): number {
  return retained.slice(0, index).reduce((product, count) => product * count, 1);
}

function minutesKept({ retained, cadenceMinutes }: PolicyRecord, levels: readonly number[]): number {
  const highest = (levels.at(-1) ?? 1) - 1;
  return cadenceMinutes * roundsApart(retained, highest) * (retained[highest] ?? 1);
}

function prune(cluster: Cluster, policy: PolicyRecord, vtreeId: string): void {
  const snapshots = autoSnapshotsOf(cluster, policy.id, vtreeId);
  const kept = new Set(
    policy.retained.flatMap((count, index) =>
      snapshots.filter(({ auto }) => auto?.levels.includes(index + 1)).slice(-count),
    ),
  );
  for (const snapshot of snapshots)
    if (!kept.has(snapshot) && mayGo(cluster, snapshot)) removeOne(cluster, snapshot.id);
}

function mayGo(cluster: Cluster, snapshot: VolumeRecord): boolean {
  const isMapped = snapshot.mappedToAll || snapshot.mappings.length > 0;
  return !isMapped && snapshot.auto?.locked !== true && snapshot.secureUntil * 1000 <= cluster.now();
}
