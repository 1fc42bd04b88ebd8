import { refusal } from '../mdm/failures.ts';
import type { DeviceRecord } from '../mdm/records.ts';
import { linksOf } from './links.ts';
import type { ObjectType, TypeContext } from './object-type.ts';
import { spSdsId } from './sds-json.ts';

/** Ids of the parts to which these devices belong, each once. */
export function partsOf(devices: readonly DeviceRecord[]): string[] {
  return [...new Set(devices.map(spSdsId))];
}

/** The parts of SDSs that are in pools: one for each SDS and pool with devices of both. */
export function spSdsType({ array }: TypeContext): ObjectType {
  const { devices } = array.cluster.state;
  const devicesOf = (id: string): DeviceRecord[] =>
    [...devices.values()].filter((device) => spSdsId(device) === id);
  return {
    name: 'SpSds',
    ids: () => partsOf([...devices.values()]),
    text: (id) => {
      const [device] = devicesOf(id);
      if (device === undefined) throw refusal('NOT_FOUND');
      return JSON.stringify(partJson(device));
    },
    relations: { Device: (id) => ({ type: 'Device', ids: devicesOf(id).map((device) => device.id) }) },
    actions: {},
  };
}

function partJson(device: DeviceRecord): object {
  const { sdsId, poolId } = device;
  const id = spSdsId(device);
  return {
    id,
    sdsId,
    storagePoolId: poolId,
    links: linksOf('SpSds', id, {
      relationships: ['Device'],
      parents: { sdsId: `Sds::${sdsId}`, storagePoolId: `StoragePool::${poolId}` },
    }),
  };
}
