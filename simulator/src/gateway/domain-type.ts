import {
  createDomain,
  createFaultSet,
  domainById,
  faultSetById,
  removeDomain,
  removeFaultSet,
  setDomainActive,
  setDomainName,
  setFaultSetName,
} from '../mdm/domains.ts';
import { refusal } from '../mdm/failures.ts';
import { setNetworkLimits } from '../mdm/network-limits.ts';
import type { ObjectType, Relation, TypeContext } from './object-type.ts';
import { domainJson, faultSetJson } from './pool-json.ts';
import { domainStatistics, faultSetStatistics } from './statistics.ts';

/** What a domain may have on real arrays and has not here. */
function none(type: string): Relation {
  return () => ({ type, ids: [] });
}

/** Protection domains. */
export function domainType({ array, change }: TypeContext): ObjectType {
  const { cluster } = array;
  const { state } = cluster;
  return {
    name: 'ProtectionDomain',
    ids: () => [...state.domains.values()].map(({ id }) => id),
    text: (id) => JSON.stringify(domainJson(cluster, domainById(cluster, id))),
    relations: {
      StoragePool: (id) => ({ type: 'StoragePool', ids: state.poolsByDomain.ids(id) }),
      Sds: (id) => ({ type: 'Sds', ids: state.sdssByDomain.ids(id) }),
      FaultSet: (id) => ({
        type: 'FaultSet',
        ids: [...state.faultSets.values()]
          .filter(({ domainId }) => domainId === id)
          .map((faultSet) => faultSet.id),
      }),
      AccelerationPool: none('AccelerationPool'),
      Sdr: none('Sdr'),
      ReplicationConsistencyGroup: none('ReplicationConsistencyGroup'),
    },
    statistics: (id) => domainStatistics(array, id),
    idByKey: (fields) => {
      const name = fields.text('name');
      return [...state.domains.values()].find((domain) => domain.name === name)?.id;
    },
    keyOfName: (name) => ({ name }),
    missing: () => refusal('FD_NOT_FOUND'),
    create: async (fields) => {
      const name = fields.text('name');
      return (await array.perform((changed) => createDomain(changed, name))).id;
    },
    actions: {
      setProtectionDomainName: change((changed, id, fields) => {
        setDomainName(changed, id, fields.text('name'));
      }),
      removeProtectionDomain: change((changed, id) => {
        removeDomain(changed, id);
      }),
      activateProtectionDomain: change((changed, id) => {
        setDomainActive(changed, id, true);
      }),
      inactivateProtectionDomain: change((changed, id) => {
        setDomainActive(changed, id, false);
      }),
      setSdsNetworkLimits: change((changed, id, fields) => {
        setNetworkLimits(changed, id, {
          rebuild: fields.number('rebuildLimitInKbps'),
          rebalance: fields.number('rebalanceLimitInKbps'),
          vtreeMigration: fields.number('vtreeMigrationLimitInKbps'),
          overallIo: fields.number('overallLimitInKbps'),
        });
      }),
    },
  };
}

/** Fault sets. */
export function faultSetType({ array, change }: TypeContext): ObjectType {
  const { cluster } = array;
  const { state } = cluster;
  return {
    name: 'FaultSet',
    ids: () => [...state.faultSets.values()].map(({ id }) => id),
    text: (id) => JSON.stringify(faultSetJson(faultSetById(cluster, id))),
    relations: {
      Sds: (id) => ({
        type: 'Sds',
        ids: [...state.sdss.values()].filter((sds) => sds.faultSetId === id).map((sds) => sds.id),
      }),
    },
    statistics: (id) => faultSetStatistics(array, id),
    idByKey: (fields) => {
      const name = fields.text('name');
      const domainId = fields.optionalId('protectionDomainId');
      const fits = [...state.faultSets.values()].filter((faultSet) => faultSet.name === name);
      return fits.find((faultSet) => domainId === undefined || faultSet.domainId === domainId)?.id;
    },
    missing: () => refusal('FAULT_SET_NOT_FOUND'),
    create: async (fields) => {
      const domainId = fields.id('protectionDomainId');
      const name = fields.optional('name');
      return (await array.perform((changed) => createFaultSet(changed, domainId, name))).id;
    },
    actions: {
      setFaultSetName: change((changed, id, fields) => {
        setFaultSetName(changed, id, fields.text('newName'));
      }),
      removeFaultSet: change((changed, id) => {
        removeFaultSet(changed, id);
      }),
    },
  };
}
