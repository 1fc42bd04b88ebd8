import { refusal } from '../mdm/failures.ts';
import {
  addSource,
  createPolicy,
  isExpiredButLocked,
  modifyPolicy,
  pausePolicy,
  policyById,
  removePolicy,
  removeSource,
  renamePolicy,
  type PolicyPlan,
} from '../mdm/policies.ts';
import type { Cluster } from '../mdm/cluster.ts';
import type { PolicyRecord, VolumeRecord } from '../mdm/records.ts';
import { linksOf } from './links.ts';
import type { Action, ObjectType, TypeContext } from './object-type.ts';
import type { RequestFields } from './request-fields.ts';
import type { Statistics } from './statistics.ts';

/** Snapshot policies, from 3.0 on [ansible, PyPowerFlex, tf]. */
export function policyType(context: TypeContext): ObjectType {
  const { array } = context;
  const { cluster } = array;
  const { policies, volumesBySourcePolicy, volumesByAutoPolicy } = cluster.state;
  return {
    name: 'SnapshotPolicy',
    ids: () => [...policies.values()].map(({ id }) => id),
    text: (id) => JSON.stringify(policyJson(cluster, policyById(cluster, id))),
    relations: {
      SourceVolume: (id) => ({ type: 'Volume', ids: volumesBySourcePolicy.ids(id) }),
      AutoSnapshotVolume: (id) => ({ type: 'Volume', ids: volumesByAutoPolicy.ids(id) }),
    },
    statistics: (id) => policyStatistics(cluster, id),
    idByKey: (fields) => {
      const name = fields.text('name');
      return [...policies.values()].find((policy) => policy.name === name)?.id;
    },
    keyOfName: (name) => ({ name }),
    missing: () => refusal('SNAP_POLICY_NOT_FOUND'),
    create: async (fields) => {
      const request = {
        ...planOf(fields),
        name: fields.optional('name'),
        paused: fields.flag('paused') ?? false,
        accessMode: fields.choice('snapshotAccessMode', ['ReadWrite', 'ReadOnly']) ?? 'ReadOnly',
        secure: fields.flag('secureSnapshots') ?? false,
      };
      return (await array.perform((changed) => createPolicy(changed, request))).id;
    },
    actions: policyActions(context),
  };
}

function planOf(fields: RequestFields): PolicyPlan {
  const cadenceMinutes = fields.number('autoSnapshotCreationCadenceInMin');
  if (cadenceMinutes === undefined) throw fields.missing('autoSnapshotCreationCadenceInMin');
  const retained = fields.texts('numOfRetainedSnapshotsPerLevel').map(Number);
  if (retained.length === 0) throw fields.missing('numOfRetainedSnapshotsPerLevel');
  return { cadenceMinutes, retained };
}

function policyActions({ change }: TypeContext): Record<string, Action> {
  return {
    modifySnapshotPolicy: change((cluster, id, fields) => {
      modifyPolicy(cluster, id, planOf(fields));
    }),
    renameSnapshotPolicy: change((cluster, id, fields) => {
      renamePolicy(cluster, id, fields.text('newName'));
    }),
    pauseSnapshotPolicy: change((cluster, id) => {
      pausePolicy(cluster, id, true);
    }),
    resumeSnapshotPolicy: change((cluster, id) => {
      pausePolicy(cluster, id, false);
    }),
    removeSnapshotPolicy: change((cluster, id) => {
      removePolicy(cluster, id);
    }),
    addSourceVolumeToSnapshotPolicy: change((cluster, id, fields) => {
      addSource(cluster, id, fields.id('sourceVolumeId'));
    }),
    removeSourceVolumeFromSnapshotPolicy: change((cluster, id, fields) => {
      const action = fields.choice('autoSnapshotRemovalAction', ['Remove', 'Detach']);
      if (action === undefined) throw fields.missing('autoSnapshotRemovalAction');
      const detachLocked = fields.flag('detachLockedAutoSnapshots') ?? false;
      removeSource(cluster, id, fields.id('sourceVolumeId'), { action, detachLocked });
    }),
  };
}

function snapshotsOf(cluster: Cluster, id: string): VolumeRecord[] {
  const { volumes, volumesByAutoPolicy } = cluster.state;
  return volumes.many(volumesByAutoPolicy.ids(id));
}

function policyJson(cluster: Cluster, policy: PolicyRecord): object {
  const { id, name, cadenceMinutes, retained } = policy;
  const systemId = cluster.state.system().id;
  const snapshots = snapshotsOf(cluster, id);
  return {
    id,
    name,
    systemId,
    snapshotPolicyState: policy.paused ? 'Paused' : 'Active',
    autoSnapshotCreationCadenceInMin: cadenceMinutes,
    numOfRetainedSnapshotsPerLevel: retained,
    maxVTreeAutoSnapshots: retained.reduce((sum, count) => sum + count, 0),
    snapshotAccessMode: policy.accessMode,
    secureSnapshots: policy.secure,
    numOfSourceVolumes: cluster.state.volumesBySourcePolicy.count(id),
    numOfAutoSnapshots: snapshots.length,
    numOfLockedSnapshots: snapshots.filter(({ auto }) => auto?.locked).length,
    numOfExpiredButLockedSnapshots: snapshots.filter((each) => isExpiredButLocked(cluster, each)).length,
    numOfCreationFailures: policy.failures,
    timeOfLastAutoSnapshot: policy.lastAt,
    nextAutoSnapshotCreationTime: policy.paused ? 0 : policy.nextAt,
    timeOfLastAutoSnapshotCreationFailure: policy.lastFailureAt,
    lastAutoSnapshotCreationFailureReason: policy.lastFailure ?? 'NR',
    lastAutoSnapshotFailureInFirstLevel: policy.lastFailure !== null,
    links: linksOf('SnapshotPolicy', id, {
      relationships: ['Statistics', 'SourceVolume', 'AutoSnapshotVolume'],
      parents: { systemId: `System::${systemId}` },
    }),
  };
}

/** Names as PyPowerFlex asks for them. */
function policyStatistics(cluster: Cluster, id: string): Statistics {
  const { volumesBySourcePolicy } = cluster.state;
  policyById(cluster, id);
  const snapshots = snapshotsOf(cluster, id);
  const overdue = snapshots.filter((snapshot) => isExpiredButLocked(cluster, snapshot));
  return {
    numOfSrcVols: volumesBySourcePolicy.count(id),
    srcVolIds: volumesBySourcePolicy.ids(id),
    numOfAutoSnapshots: snapshots.length,
    autoSnapshotVolIds: snapshots.map((snapshot) => snapshot.id),
    numOfExpiredButLockedSnapshots: overdue.length,
    expiredButLockedSnapshotsIds: overdue.map((snapshot) => snapshot.id),
  };
}
