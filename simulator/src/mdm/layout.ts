import type { Cluster } from './cluster.ts';
import { createDevice } from './devices.ts';
import { createDomain, createFaultSet } from './domains.ts';
import { plugDisk } from './disks.ts';
import { createPool, type NewPool } from './pools.ts';
import type { DomainRecord, RestrictedSdcMode, SdsRecord } from './records.ts';
import { createSds } from './sdss.ts';

interface PoolPlan extends Omit<NewPool, 'domainId'> {
  readonly devices: number;
  readonly deviceGiB: number;
}

interface DiskPlan {
  readonly sds: string;
  readonly path: string;
  readonly gib: number;
  readonly holds: string | null;
}

export interface DomainPlan {
  readonly name: string;
  readonly sdss: number;
  readonly faultSets: readonly string[];
  readonly pools: readonly PoolPlan[];
  readonly disks?: readonly DiskPlan[];
}

export interface SystemPlan {
  readonly id: string;
  readonly installId: string;
  readonly name: string | null;
  readonly mdmIps: readonly string[];
  readonly restrictedSdcMode: RestrictedSdcMode;
  readonly domains: readonly DomainPlan[];
}

/** Sets up a new system: protection domains, their SDSs, pools, and devices dealt out in turn. */
export function layOut(cluster: Cluster, plan: SystemPlan): void {
  const { id, name, installId, mdmIps, restrictedSdcMode } = plan;
  const installedAt = Math.floor(cluster.now() / 1000);
  cluster.state.systems.put({ id, name, installId, mdmIps, restrictedSdcMode, installedAt });
  for (const [position, domainPlan] of plan.domains.entries()) {
    const domain = createDomain(cluster, domainPlan.name);
    const faultSets = domainPlan.faultSets.map((faultSet) => createFaultSet(cluster, domain.id, faultSet));
    const sdss = Array.from({ length: domainPlan.sdss }, (_, number) =>
      createSds(cluster, {
        name: `${domainPlan.name}-sds${number + 1}`,
        domainId: domain.id,
        ips: [{ ip: `10.${100 + position}.0.${number + 1}`, role: 'all' }],
        faultSetId: faultSets[number % Math.max(1, faultSets.length)]?.id,
      }),
    );
    layOutPools(cluster, { domain, sdss, pools: domainPlan.pools });
    // After the pools: their own disks are not described.
    for (const { sds: wanted, path, gib, holds } of domainPlan.disks ?? []) {
      const sds = sdss.find(({ name: sdsName }) => sdsName === wanted);
      if (sds === undefined) throw new Error(`domain "${domainPlan.name}" has a disk of no SDS: "${wanted}"`);
      plugDisk(cluster, { sdsId: sds.id, path, sizeKiB: gib * 1024 * 1024, holds, broken: null });
    }
  }
}

function layOutPools(
  cluster: Cluster,
  place: { domain: DomainRecord; sdss: readonly SdsRecord[]; pools: readonly PoolPlan[] },
): void {
  let disk = 0;
  for (const poolPlan of place.pools) {
    const pool = createPool(cluster, { ...poolPlan, domainId: place.domain.id });
    for (let number = 0; number < poolPlan.devices; number += 1) {
      const sds = place.sdss[number % place.sdss.length];
      if (sds === undefined) throw new Error(`domain "${place.domain.name ?? ''}" has devices but no SDS`);
      const letter = String.fromCharCode('b'.charCodeAt(0) + (Math.floor(disk / place.sdss.length) % 24));
      createDevice(cluster, {
        sdsId: sds.id,
        poolId: pool.id,
        path: `/dev/sd${letter}${disk >= 24 * place.sdss.length ? disk : ''}`,
        maxKiB: poolPlan.deviceGiB * 1024 * 1024,
      });
      disk += 1;
    }
  }
}
