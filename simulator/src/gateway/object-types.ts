import { since } from '../mdm/cluster.ts';
import { refusal } from '../mdm/failures.ts';
import { domainType, faultSetType } from './domain-type.ts';
import type { ObjectType, TypeContext } from './object-type.ts';
import { linksOf } from './links.ts';
import { policyType } from './policy-type.ts';
import { poolType } from './pool-type.ts';
import { hostType, nvmeControllerType, sdcType } from './sdc-type.ts';
import { deviceType, sdsType } from './sds-type.ts';
import { spSdsType } from './sp-sds-type.ts';
import { systemType, userId } from './system-type.ts';
import { vtreeStatistics } from './statistics.ts';
import { volumeType } from './volume-type.ts';
import { vtreeJson } from './vtree-json.ts';

/** Types that exist on arrays of 3.x and 4.x, and of which there is nothing here. */
const EMPTY_TYPES = ['AccelerationPool', 'RfcacheDevice'];
const EMPTY_SINCE_3 = ['ReplicationConsistencyGroup', 'ReplicationPair', 'PeerMdm', 'Sdr'];
const EMPTY_SINCE_4 = ['Sdt', 'NvmeHost'];

/** Old names that the getByName family uses [siolib]. */
const ALIASES: Readonly<Record<string, string>> = {
  Domain: 'ProtectionDomain',
  Pool: 'StoragePool',
  Client: 'Sdc',
};

/** All object types of the played version, under all their names. */
export function objectTypes(context: TypeContext): ReadonlyMap<string, ObjectType> {
  const { cluster } = context.array;
  const types = [
    systemType(context),
    domainType(context),
    poolType(context),
    volumeType(context),
    vtreeType(context),
    sdcType(context),
    sdsType(context),
    deviceType(context),
    spSdsType(context),
    faultSetType(context),
    userType(context),
    ...EMPTY_TYPES.map(emptyType),
    ...(since(cluster, '3.0') ? [policyType(context), ...EMPTY_SINCE_3.map(emptyType)] : []),
    ...(since(cluster, '4.0')
      ? [hostType(context), nvmeControllerType(context), ...EMPTY_SINCE_4.map(emptyType)]
      : []),
  ];
  const byName = new Map(types.map((type) => [type.name, type]));
  for (const [alias, name] of Object.entries(ALIASES)) {
    const type = byName.get(name);
    if (type !== undefined) byName.set(alias, type);
  }
  return byName;
}

function vtreeType({ array }: TypeContext): ObjectType {
  const { cluster } = array;
  const { volumes, volumesByVtree } = cluster.state;
  return {
    name: 'VTree',
    ids: () => new Set([...volumes.values()].map((volume) => volume.vtreeId)),
    text: (id) => JSON.stringify(vtreeJson(cluster, id)),
    relations: { Volume: (id) => ({ type: 'Volume', ids: volumesByVtree.ids(id) }) },
    statistics: (id) => vtreeStatistics(array, id),
    missing: () => refusal('INVALID_VTREE_ID'),
    actions: {},
  };
}

function userType({ array }: TypeContext): ObjectType {
  const { users } = array.settings;
  return {
    name: 'User',
    ids: () => users.map((_, number) => userId(number)),
    text: (id) => {
      const user = users.find((_, number) => userId(number) === id);
      if (user === undefined) throw refusal('NOT_FOUND');
      const systemId = array.cluster.state.system().id;
      const links = linksOf('User', id, { relationships: [], parents: { systemId: `System::${systemId}` } });
      return JSON.stringify({
        id,
        name: user.name,
        userRole: user.role,
        passwordChangeRequired: false,
        systemId,
        links,
      });
    },
    relations: {},
    actions: {},
  };
}

function emptyType(name: string): ObjectType {
  return {
    name,
    ids: () => [],
    text: () => {
      throw refusal('NOT_FOUND');
    },
    idByKey: () => undefined,
    relations: {},
    actions: {},
  };
}
