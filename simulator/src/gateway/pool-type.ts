import { refusal } from '../mdm/failures.ts';
import { changePool, createPool, poolById, removePool, setPoolName } from '../mdm/pools.ts';
import type { PoolRecord } from '../mdm/records.ts';
import type { Action, ObjectType, TypeContext } from './object-type.ts';
import { poolJson } from './pool-json.ts';
import type { RequestFields } from './request-fields.ts';
import { partsOf } from './sp-sds-type.ts';
import { poolStatistics } from './statistics.ts';

/** Storage pools. Their names are unique only within a protection domain, so a key names both. */
export function poolType(context: TypeContext): ObjectType {
  const { array } = context;
  const { cluster } = array;
  const { state } = cluster;
  return {
    name: 'StoragePool',
    ids: () => [...state.pools.values()].map(({ id }) => id),
    text: (id) => JSON.stringify(poolJson(cluster, poolById(cluster, id))),
    relations: {
      Volume: (id) => ({ type: 'Volume', ids: state.volumesByPool.ids(id) }),
      Device: (id) => ({ type: 'Device', ids: state.devicesByPool.ids(id) }),
      VTree: (id) => ({
        type: 'VTree',
        ids: [...new Set(state.volumes.many(state.volumesByPool.ids(id)).map((volume) => volume.vtreeId))],
      }),
      SpSds: (id) => ({ type: 'SpSds', ids: partsOf(state.devices.many(state.devicesByPool.ids(id))) }),
    },
    statistics: (id) => poolStatistics(array, id),
    idByKey: (fields) => {
      const name = fields.text('name');
      const domainId = domainIdOf(context, fields);
      const pools =
        domainId === undefined
          ? [...state.pools.values()]
          : state.pools.many(state.poolsByDomain.ids(domainId));
      return pools.find((pool) => pool.name === name)?.id;
    },
    keyOfName: (key) => {
      const comma = key.indexOf(',');
      return { protectionDomainId: key.slice(0, comma), name: key.slice(comma + 1) };
    },
    missing: () => refusal('STORAGE_POOL_NOT_FOUND'),
    create: async (fields) => {
      const request = {
        name: fields.text('name'),
        domainId: fields.id('protectionDomainId'),
        mediaType: fields.choice('mediaType', ['HDD', 'SSD', 'Transitional']),
        dataLayout: fields.choice('dataLayout', ['MediumGranularity', 'FineGranularity']),
        useRmcache: fields.flag('useRmcache'),
        useRfcache: fields.flag('useRfcache'),
        zeroPadding: fields.flag('zeroPaddingEnabled'),
      };
      return (await array.perform((changed) => createPool(changed, request))).id;
    },
    actions: poolActions(context),
  };
}

function domainIdOf({ array }: TypeContext, fields: RequestFields): string | undefined {
  const name = fields.optional('protectionDomainName');
  if (name === undefined) return fields.optionalId('protectionDomainId');
  const found = [...array.cluster.state.domains.values()].find((domain) => domain.name === name);
  if (found === undefined) throw refusal('FD_NOT_FOUND');
  return found.id;
}

function poolActions({ array, change }: TypeContext): Record<string, Action> {
  const setting =
    (settingsOf: (fields: RequestFields) => Partial<PoolRecord>): Action =>
    async (id, fields) => {
      const settings = settingsOf(fields);
      await array.perform((cluster) => {
        changePool(cluster, id, settings);
      });
      return undefined;
    };
  return {
    setStoragePoolName: change((cluster, id, fields) => {
      setPoolName(cluster, id, fields.text('name'));
    }),
    removeStoragePool: change((cluster, id) => {
      removePool(cluster, id);
    }),
    setSparePercentage: setting((fields) => ({ sparePercentage: fields.number('sparePercentage') ?? 10 })),
    setZeroPaddingPolicy: setting((fields) => ({ zeroPadding: fields.flag('zeroPadEnabled') ?? false })),
    setMediaType: setting((fields) => ({ mediaType: fields.text('mediaType') })),
    setRebuildEnabled: setting((fields) => ({ rebuildEnabled: fields.flag('rebuildEnabled') ?? true })),
    setRebalanceEnabled: setting((fields) => ({ rebalanceEnabled: fields.flag('rebalanceEnabled') ?? true })),
    setUseRmcache: setting((fields) => ({ useRmcache: fields.flag('useRmcache') ?? false })),
    setChecksumEnabled: setting((fields) => ({ checksumEnabled: fields.flag('checksumEnabled') ?? false })),
    enableRfcache: setting(() => ({ useRfcache: true })),
    disableRfcache: setting(() => ({ useRfcache: false })),
    setCapacityAlertThresholds: setting((fields) => ({
      highThreshold: fields.number('capacityAlertHighThresholdPercent') ?? 80,
      criticalThreshold: fields.number('capacityAlertCriticalThresholdPercent') ?? 90,
    })),
  };
}
