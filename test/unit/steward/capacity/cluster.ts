import type { DeviceId, PoolId, SdsId, SystemId } from '../../../../src/array/ids.ts';
import type {
  ClusterReading,
  DeviceReading,
  PoolCapacity,
  PoolReading,
  SdsReading,
} from '../../../../src/array/pool.ts';

export const TIB = 1024 ** 3;
const POOL = 'pool-1' as PoolId;

/** A healthy pool of three SDSs with a 4 TiB device each, used to so many percent of what is not spare. */
export function capacityAt(percent: number, change: Partial<PoolCapacity> = {}): PoolCapacity {
  const limitKiB = 12 * TIB;
  const spareKiB = limitKiB * 0.1;
  const usedKiB = ((limitKiB - spareKiB) * percent) / 100;
  return {
    limitKiB,
    spareKiB,
    usedKiB,
    unusedKiB: limitKiB - spareKiB - usedKiB,
    thinCommittedKiB: 0,
    failedKiB: 0,
    degradedKiB: 0,
    inMaintenanceKiB: 0,
    unreachableKiB: 0,
    rebuildKiB: 0,
    rebalanceKiB: 0,
    ...change,
  };
}

export function poolAt(percent: number, change: Partial<PoolCapacity> = {}): PoolReading {
  return {
    id: POOL,
    name: 'sp1',
    domainId: 'pd-1',
    domainName: 'pd1',
    rebalanceEnabled: true,
    capacity: capacityAt(percent, change),
  };
}

export function sds(number: number, change: Partial<SdsReading> = {}): SdsReading {
  return {
    id: `sds-${number}` as SdsId,
    name: `sds${number}`,
    domainId: 'pd-1',
    faultSetId: null,
    trouble: undefined,
    ...change,
  };
}

export function device(number: number, change: Partial<DeviceReading> = {}): DeviceReading {
  return {
    id: `device-${number}` as DeviceId,
    name: null,
    sdsId: `sds-${number}` as SdsId,
    poolId: POOL,
    paths: [`/dev/disk/by-id/first-${number}`],
    trouble: undefined,
    limitKiB: 4 * TIB,
    ...change,
  };
}

export function clusterOf(pool: PoolReading, change: Partial<ClusterReading> = {}): ClusterReading {
  return {
    systemId: 'system-1' as SystemId,
    systemName: 'array one',
    pools: [pool],
    sdss: [sds(1), sds(2), sds(3)],
    devices: [device(1), device(2), device(3)],
    ...change,
  };
}
