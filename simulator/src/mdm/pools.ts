import type { Cluster } from './cluster.ts';
import { domainById } from './domains.ts';
import { refusal } from './failures.ts';
import { checkedName } from './names.ts';
import type { PoolRecord } from './records.ts';

/** The storage pool with this id. Throws 171 when there is none. */
export function poolById(cluster: Cluster, id: string): PoolRecord {
  const pool = cluster.state.pools.get(id);
  if (pool === undefined) throw refusal('STORAGE_POOL_NOT_FOUND');
  return pool;
}

/** Pool names are unique within a protection domain only. */
function freePoolName(cluster: Cluster, domainId: string, name: string): string | null {
  const checked = checkedName(name);
  const { pools, poolsByDomain } = cluster.state;
  if (pools.many(poolsByDomain.ids(domainId)).some((pool) => pool.name === checked)) {
    throw refusal('STORAGE_POOL_NAME_ALREADY_EXISTS');
  }
  return checked;
}

export interface NewPool {
  readonly name: string;
  readonly domainId: string;
  readonly mediaType?: string | undefined;
  readonly dataLayout?: string | undefined;
  readonly useRmcache?: boolean | undefined;
  readonly useRfcache?: boolean | undefined;
  readonly zeroPadding?: boolean | undefined;
  readonly sparePercentage?: number | undefined;
}

export function createPool(cluster: Cluster, request: NewPool): PoolRecord {
  domainById(cluster, request.domainId);
  const pool: PoolRecord = {
    name: freePoolName(cluster, request.domainId, request.name),
    id: cluster.state.nextId('StoragePool'),
    domainId: request.domainId,
    sparePercentage: request.sparePercentage ?? 10,
    zeroPadding: request.zeroPadding ?? true,
    rebuildEnabled: true,
    rebalanceEnabled: true,
    useRmcache: request.useRmcache ?? false,
    useRfcache: request.useRfcache ?? false,
    checksumEnabled: false,
    mediaType: request.mediaType ?? 'HDD',
    dataLayout: request.dataLayout ?? 'MediumGranularity',
    highThreshold: 80,
    criticalThreshold: 90,
    fillKiB: 0,
  };
  cluster.state.pools.put(pool);
  return pool;
}

export function setPoolName(cluster: Cluster, id: string, name: string): void {
  const pool = poolById(cluster, id);
  if (pool.name !== name) {
    cluster.state.pools.put({ ...pool, name: freePoolName(cluster, pool.domainId, name) });
  }
}

/** Changes settings of a pool. */
export function changePool(
  cluster: Cluster,
  id: string,
  settings: Partial<Omit<PoolRecord, 'id' | 'domainId'>>,
): void {
  cluster.state.pools.put({ ...poolById(cluster, id), ...settings });
}

/** Removes a pool without volumes (196) and devices (172). */
export function removePool(cluster: Cluster, id: string): void {
  poolById(cluster, id);
  if (cluster.state.volumesByPool.count(id) > 0) throw refusal('STORAGE_POOL_HAS_VOLS');
  if (cluster.state.devicesByPool.count(id) > 0) throw refusal('STORAGE_POOL_HAS_DEVS');
  cluster.state.pools.delete(id);
}

/** Two copies and a spare need three devices on three different SDSs. */
export function devicesReady(cluster: Cluster, pool: PoolRecord): boolean {
  const { devices, devicesByPool } = cluster.state;
  const sdss = new Set(devices.many(devicesByPool.ids(pool.id)).map((device) => device.sdsId));
  return sdss.size >= 3;
}
