import { limitsOf, type ApiVersion, type Cluster } from '../../src/mdm/cluster.ts';
import { layOut, type DomainPlan } from '../../src/mdm/layout.ts';
import { MdmState } from '../../src/mdm/state.ts';

export interface TestCluster extends Cluster {
  readonly written: Map<string, number>;
  at: number;
  change<T>(operation: (cluster: Cluster) => T): T;
}

const plan: DomainPlan = {
  name: 'pd1',
  sdss: 3,
  faultSets: [],
  pools: [{ name: 'sp1', devices: 3, deviceGiB: 4096 }],
};

/** An MDM without files, hosts and clock. */
export function testCluster(
  version: ApiVersion = '3.6',
  domains: readonly DomainPlan[] = [plan],
): TestCluster {
  const state = new MdmState();
  const written = new Map<string, number>();
  const cluster: TestCluster = {
    state,
    version,
    limits: limitsOf(version),
    movementKiBPerSecond: 1024 * 1024,
    written,
    at: 1_700_000_000_000,
    now: () => cluster.at,
    isConnected: () => false,
    writtenKiB: (id) => written.get(id) ?? 0,
    hasFile: (id) => written.has(id),
    writtenVolumes: () => written.keys(),
    change: (operation) => state.transact(() => operation(cluster)).result,
  };
  cluster.change(() => {
    layOut(cluster, {
      id: '14dbbf5617523654',
      installId: '1c078b073d75512c',
      name: 'unit',
      mdmIps: ['10.0.0.1'],
      restrictedSdcMode: 'None',
      domains,
    });
  });
  return cluster;
}

export function firstPool(cluster: Cluster): string {
  const [pool] = cluster.state.pools.values();
  if (pool === undefined) throw new Error('no pool');
  return pool.id;
}
