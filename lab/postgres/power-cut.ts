import { untilNothingLeft } from '../stage/left-on-host.ts';
import type { LabArray } from '../hosts/array.ts';
import type { Host } from '../hosts/host.ts';
import { until } from '../hosts/until.ts';
import { type Failover, failoverSeen } from '../timeline/failover.ts';
import type { Database, Site } from './database.ts';

export interface PowerCut {
  readonly from: Host;
  readonly to: Host;
  readonly failover: Failover;
  /** What was wrong with the database afterwards. */
  readonly faults: readonly string[];
  /** Transactions that were acknowledged until then. */
  readonly committed: number;
}

type SiteWithArray = Site & { readonly array: LabArray };

/**
 * Cuts the power of the host that runs the database, sees the database go on elsewhere and examines it there. The host
 * stays off.
 */
export async function cutPower(site: SiteWithArray, database: Database): Promise<PowerCut> {
  const from = await database.host();
  const killedAt = Date.now();
  const off = from.powerOff();
  const others = site.workers.filter((host) => host !== from).map((host) => host.address('cluster'));
  const first = await database.commitAt(others, `${database.name} to go on after ${from.name} has died`);
  await off;
  const to = await database.host();
  const committed = database.ledger.committed.size;
  const faults = await database.faults();
  const failover = await failoverSeen({
    manager: site.manager,
    from,
    to,
    killedAt,
    continuedAt: first.at,
    service: database.name,
    volume: database.name,
  });
  return { from, to, failover, faults, committed };
}

/** Boots a host, and returns when the Swarm has it again and nothing of any volume is left on it. */
export async function bringBack(site: SiteWithArray, host: Host): Promise<void> {
  await host.boot();
  await untilNodeIsReady(site.manager, host);
  await untilNothingLeft(site.array, host);
}

async function untilNodeIsReady(manager: Host, host: Host): Promise<void> {
  const state = ['node', 'inspect', '--format', '{{.Status.State}}', host.name];
  await until(`${host.name} to be in the Swarm again`, async () => (await manager.docker(state)) === 'ready');
}
