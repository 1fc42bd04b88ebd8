import { since } from '../mdm/cluster.ts';
import { invalidRequest, refusal } from '../mdm/failures.ts';
import {
  enterMaintenance,
  exitMaintenance,
  type MaintenanceMode,
  type MaintenanceTarget,
} from '../mdm/maintenance.ts';
import { approveSdc, setApprovedIps, setRestrictedMode } from '../mdm/sdcs.ts';
import { checkedRetention, removeSnapshotGroup, snapshotVolumes } from '../mdm/snapshots.ts';
import type { Action, ObjectType, TypeContext } from './object-type.ts';
import { objectId, type RequestFields } from './request-fields.ts';
import { systemStatistics } from './statistics.ts';
import { mdmClusterJson, systemJson, systemLimitsJson } from './system-json.ts';

/** The one system. Its actions also work without its id in the path. */
export function systemType(context: TypeContext): ObjectType {
  const { array } = context;
  const { cluster } = array;
  const { state } = cluster;
  return {
    name: 'System',
    ids: () => [state.system().id],
    text: (id) => {
      if (id !== state.system().id) throw refusal('NOT_FOUND');
      return JSON.stringify(systemJson(cluster));
    },
    relations: {
      ProtectionDomain: () => ({
        type: 'ProtectionDomain',
        ids: [...state.domains.values()].map(({ id }) => id),
      }),
      Sdc: () => ({
        type: 'Sdc',
        ids: [...state.sdcs.values(), ...state.nvmeHosts.values()].map(({ id }) => id),
      }),
      User: () => ({ type: 'User', ids: array.settings.users.map((_, number) => userId(number)) }),
    },
    statistics: () => systemStatistics(array),
    actions: {
      ...snapshotActions(context),
      ...sdcActions(context),
      ...maintenance(context),
      ...queries(context),
    },
  };
}

/** Ids of users, who are not part of the MDM's state here. */
export function userId(number: number): string {
  return `c0ffee0${number}`.padEnd(16, '0');
}

function snapshotActions(context: TypeContext): Record<string, Action> {
  const { array } = context;
  const snapshot: Action = async (_, fields) => {
    const request = snapshotRequest(context, fields);
    const { groupId, snapshots } = await array.perform((cluster) => snapshotVolumes(cluster, request));
    return { volumeIdList: snapshots.map(({ id }) => id), snapshotGroupId: groupId };
  };
  return {
    snapshotVolumes: snapshot,
    removeConsistencyGroupSnapshots: async (_, fields) => {
      const groupId = fields.id('snapGroupId');
      const removed = await array.perform((cluster) => removeSnapshotGroup(cluster, groupId));
      return { numberOfVolumes: removed.length };
    },
    ...(since(array.cluster, '4.0') ? { createSnapshot: snapshot, createThinClone: snapshot } : {}),
  };
}

function snapshotRequest(context: TypeContext, fields: RequestFields): Parameters<typeof snapshotVolumes>[1] {
  const definitions = fields.list('snapshotDefs').map((definition) => {
    const inner = context.fieldsOf(definition);
    return { volumeId: objectId(inner.text('volumeId')), name: inner.optional('snapshotName') };
  });
  if (definitions.length === 0) throw fields.missing('snapshotDefs');
  // Before 3.0 nobody looks at the rest.
  if (!since(context.array.cluster, '3.0'))
    return { definitions, accessModeLimit: 'ReadWrite', retentionMinutes: 0 };
  return {
    definitions,
    accessModeLimit: fields.choice('accessModeLimit', ['ReadWrite', 'ReadOnly', 'NoAccess']) ?? 'ReadWrite',
    retentionMinutes: checkedRetention(fields.number('retentionPeriodInMin') ?? 0),
  };
}

function sdcActions({ array, change }: TypeContext): Record<string, Action> {
  return {
    approveSdc: async (_, fields) => {
      fields.oneOf('sdcIp', 'sdcIps', 'sdcGuid');
      const approval = {
        guid: fields.optional('sdcGuid'),
        ips: [...fields.texts('sdcIps'), ...fields.texts('sdcIp')],
        name: fields.optional('name'),
      };
      return { id: (await array.perform((cluster) => approveSdc(cluster, approval))).id };
    },
    setRestrictedSdcMode: change((cluster, _, fields) => {
      const mode = fields.choice('restrictedSdcMode', ['None', 'Guid', 'ApprovedIp']);
      if (mode === undefined) throw fields.missing('restrictedSdcMode');
      setRestrictedMode(cluster, mode);
    }),
    setApprovedSdcIps: change((cluster, _, fields) => {
      const id = fields.id('sdcId');
      setApprovedIps(cluster, id, fields.texts('sdcApprovedIps'));
    }),
  };
}

/** They answer 200 whatever became of each SDS, and say that one by one [spec45]. */
function maintenance({ array }: TypeContext): Record<string, Action> {
  const act =
    (change: typeof enterMaintenance, mode: MaintenanceMode) =>
    (fields: RequestFields): Promise<object[]> => {
      const target = maintenanceTarget(fields);
      return array.perform((cluster) => change(cluster, target, mode));
    };
  const instant =
    (change: typeof enterMaintenance): Action =>
    async (_, fields) => ({ sdsMMResults: await act(change, 'InstantMaintenanceMode')(fields) });
  const guarded =
    (change: typeof enterMaintenance): Action =>
    (_, fields) =>
      act(change, 'ProtectedMaintenanceMode')(fields);
  return {
    enterMaintenanceMode: instant(enterMaintenance),
    exitMaintenanceMode: instant(exitMaintenance),
    ...(since(array.cluster, '3.0')
      ? {
          enterProtectedMaintenanceMode: guarded(enterMaintenance),
          exitProtectedMaintenanceMode: guarded(exitMaintenance),
        }
      : {}),
  };
}

function maintenanceTarget(fields: RequestFields): MaintenanceTarget {
  return fields.oneOf('sdsId', 'fsId') === 'sdsId'
    ? { sdsId: fields.id('sdsId') }
    : { faultSetId: fields.id('fsId') };
}

function queries({ array, change }: TypeContext): Record<string, Action> {
  const { cluster } = array;
  return {
    querySystemLimits: () => Promise.resolve(systemLimitsJson(cluster)),
    queryMdmCluster: () => Promise.resolve(mdmClusterJson(cluster)),
    setSystemName: change(({ state }, _, fields) => {
      const name = fields.text('newName');
      if (name === '') throw invalidRequest('newName must not be empty');
      state.systems.put({ ...state.system(), name });
    }),
  };
}
