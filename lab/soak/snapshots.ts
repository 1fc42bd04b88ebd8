import type { Host } from '../hosts/host.ts';
import { pluginStage } from '../stage/stage.ts';
import { installCommand, takeAndCheck } from '../postgres/copies.ts';
import { Database } from '../postgres/database.ts';
import { importPostgres } from '../postgres/image.ts';

/**
 * Takes `kills` snapshots of a PostgreSQL that is being written to on each file system, frozen and not in turns, and starts a server on a copy
 * of each. Throws when one was damaged, or lacked what had been acknowledged.
 */
export async function soakSnapshots({ kills }: { readonly kills: number }): Promise<void> {
  const stage = await pluginStage({ hosts: 2 });
  try {
    const [manager, worker] = stage.lab.hosts;
    if (manager === undefined || worker === undefined) throw new Error('the lab lacks hosts');
    await importPostgres(worker);
    await Promise.all(stage.lab.hosts.map(installCommand));
    await stage.lab.swarm({ heartbeat: '2s' });
    const site = { lab: stage.lab, manager, workers: [worker] };
    for (const fileSystem of ['xfs', 'ext4'] as const) {
      const database = await Database.start(site, { fileSystem, restartDelay: '0s' });
      const counts = await copyAgainAndAgain(database, { manager, worker, kills });
      const committed = database.ledger.committed.size;
      console.log(`${fileSystem}: ${JSON.stringify(counts)}; ${committed} transactions meanwhile`);
      await database.remove();
    }
  } finally {
    await stage.close();
  }
}

async function copyAgainAndAgain(
  database: Database,
  { manager, worker, kills }: { readonly manager: Host; readonly worker: Host; readonly kills: number },
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let copy = 0; copy < kills; copy += 1) {
    const by = copy % 2 === 0 ? worker : manager;
    const name = `${database.name}-c${copy}`;
    const { consistency, faults } = await takeAndCheck(database, { by, on: worker, name });
    if (faults.length > 0) throw new Error(`${name}, ${consistency}:\n${faults.join('\n')}`);
    counts[consistency] = (counts[consistency] ?? 0) + 1;
  }
  return counts;
}
