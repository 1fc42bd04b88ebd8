import { setTimeout as delay } from 'node:timers/promises';
import { untilNothingLeft } from '../e2e/left-on-host.ts';
import type { LabArray } from '../hosts/array.ts';
import type { Host } from '../hosts/host.ts';
import { until } from '../hosts/until.ts';
import { type Failover, failoverSeen } from '../timeline/failover.ts';
import type { Database, Site } from './database.ts';

export interface PowerCut {
  readonly failover: Failover;
  /** What was wrong with the database afterwards. */
  readonly faults: readonly string[];
  /** Transactions that were acknowledged until then. */
  readonly committed: number;
}

/**
 * Cuts the power of the host that runs the database, `afterMs` after the last look, sees the database go on elsewhere,
 * examines it, and has the dead host back in the Swarm before it returns.
 */
export async function cutPower(
  site: Site & { readonly array: LabArray },
  database: Database,
  afterMs: number,
): Promise<PowerCut> {
  const from = await database.host();
  // The moment of the cut is part of what is tested, not a wait for something.
  await delay(afterMs);
  const killedAt = Date.now();
  const off = from.powerOff();
  const others = site.workers.filter((host) => host !== from).map((host) => host.address('cluster'));
  const first = await database.commitAt(others, `${database.name} to go on after ${from.name} has died`);
  await off;
  const to = await database.host();
  const committed = database.ledger.committed.size;
  const faults = await database.faults();
  const failover = await failoverSeen({
    ...{ manager: site.manager, from, to, killedAt, continuedAt: first.at },
    ...{ service: database.name, volume: database.name },
  });
  await from.boot();
  await untilNodeIsReady(site.manager, from);
  await untilNothingLeft(site.array, from);
  return { failover, faults, committed };
}

async function untilNodeIsReady(manager: Host, host: Host): Promise<void> {
  const state = ['node', 'inspect', '--format', '{{.Status.State}}', host.name];
  await until(`${host.name} to be in the Swarm again`, async () => (await manager.docker(state)) === 'ready');
}
