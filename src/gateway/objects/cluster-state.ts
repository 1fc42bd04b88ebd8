import type * as z from 'zod';
import type { DeviceId, PoolId } from '../../array/ids.ts';
import type { ClusterReading, DeviceReading, NewDevice, PoolCapacity } from '../../array/pool.ts';
import type { ClusterSpace } from '../../array/storage-array.ts';
import { GatewayRejectedError } from '../../errors.ts';
import { objectOf } from '../wire/bodies.ts';
import {
  addedDeviceSchema,
  CAPACITY_PROPERTIES,
  capacitiesSchema,
  capacitySchema,
  deviceSchema,
  poolStateSchema,
  sdsSchema,
} from './capacity-schemas.ts';
import { changeOnce } from './change.ts';
import type { GatewayClient } from '../wire/client.ts';
import { listInstances } from './instances.ts';
import { domainSchema } from './schemas.ts';

const DEVICE_INSTANCES = '/api/types/Device/instances';
const SELECTED_STATISTICS = '/api/types/StoragePool/instances/action/querySelectedStatistics';

/** Pools, SDSs and devices, as ClusterSpace promises it. */
export class ClusterState implements ClusterSpace {
  readonly #client: GatewayClient;
  /** The array refused the short form once: an unknown property makes the whole call fail ([cinder]). */
  #wantsWholeStatistics = false;

  constructor(client: GatewayClient) {
    this.#client = client;
  }

  async readCluster(signal: AbortSignal): Promise<ClusterReading> {
    const { systemId, name: systemName } = await this.#client.identify(signal);
    const [pools, domains, sdss, devices] = await Promise.all([
      this.#list('StoragePool', poolStateSchema, signal),
      this.#list('ProtectionDomain', domainSchema, signal),
      this.#list('Sds', sdsSchema, signal),
      this.#list('Device', deviceSchema, signal),
    ]);
    const capacities = await this.#capacitiesOf(
      pools.map(({ id }) => id),
      signal,
    );
    const domainNames = new Map(domains.map((domain) => [domain.id, domain.name ?? domain.id]));
    return {
      systemId,
      systemName,
      sdss,
      devices,
      pools: pools.flatMap((pool) => {
        const capacity = capacities.get(pool.id);
        // A pool that went away between the calls.
        if (capacity === undefined) return [];
        const domainId = pool.protectionDomainId;
        return [
          {
            id: pool.id,
            name: pool.name ?? pool.id,
            domainId,
            domainName: domainNames.get(domainId) ?? domainId,
            rebalanceEnabled: pool.rebalanceEnabled ?? true,
            capacity,
          },
        ];
      }),
    };
  }

  addDevice(device: NewDevice, signal: AbortSignal): Promise<DeviceId> {
    const { path, sdsId, poolId, name } = device;
    const what = `add device "${path}" of SDS "${sdsId}" to storage pool "${poolId}"`;
    const make = async (): Promise<DeviceId> => {
      const added = await this.#client.call(
        {
          what,
          method: 'POST',
          path: DEVICE_INSTANCES,
          route: DEVICE_INSTANCES,
          // Without forceDeviceTakeover the array refuses a disk that holds something ([PyPowerFlex] device.py).
          body: { deviceCurrentPathname: path, sdsId, storagePoolId: poolId, name },
          repeatable: false,
          read: objectOf(addedDeviceSchema),
        },
        signal,
      );
      return added.id;
    };
    const isIt = (found: DeviceReading): boolean => found.sdsId === sdsId && found.name === name;
    const look = async (): Promise<DeviceId | undefined> =>
      (await this.#list('Device', deviceSchema, signal)).find(isIt)?.id;
    return changeOnce(this.#client, { what, make, look }, signal);
  }

  async #capacitiesOf(
    ids: readonly PoolId[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, PoolCapacity>> {
    if (ids.length === 0) return new Map();
    if (!this.#wantsWholeStatistics) {
      try {
        return new Map(Object.entries(await this.#selectedStatistics(ids, signal)));
      } catch (error) {
        if (!(error instanceof GatewayRejectedError)) throw error;
        this.#wantsWholeStatistics = true;
      }
    }
    const each = ids.map(async (id) => [id, await this.#wholeStatistics(id, signal)] as const);
    return new Map(await Promise.all(each));
  }

  #selectedStatistics(
    ids: readonly PoolId[],
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, PoolCapacity>>> {
    return this.#client.call(
      {
        what: 'read the capacity of the storage pools',
        method: 'POST',
        path: SELECTED_STATISTICS,
        route: SELECTED_STATISTICS,
        body: { ids, properties: CAPACITY_PROPERTIES },
        repeatable: true,
        read: objectOf(capacitiesSchema),
      },
      signal,
    );
  }

  #wholeStatistics(id: PoolId, signal: AbortSignal): Promise<PoolCapacity> {
    return this.#client.call(
      {
        what: `read the capacity of storage pool "${id}"`,
        method: 'GET',
        path: `/api/instances/StoragePool::${encodeURIComponent(id)}/relationships/Statistics`,
        route: '/api/instances/StoragePool::{id}/relationships/Statistics',
        repeatable: true,
        read: objectOf(capacitySchema),
      },
      signal,
    );
  }

  #list<Schema extends z.ZodType>(
    type: 'StoragePool' | 'ProtectionDomain' | 'Sds' | 'Device',
    schema: Schema,
    signal: AbortSignal,
  ): Promise<z.output<Schema>[]> {
    const path = `/api/types/${type}/instances`;
    return listInstances(this.#client, { what: `list ${type}s`, path, schema }, signal);
  }
}
