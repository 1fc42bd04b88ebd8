import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { Engine } from '../databases/engine.ts';
import type { LabArray } from '../hosts/array.ts';
import { ENGINES, importEngine } from '../databases/engines.ts';
import { Database, type Site } from '../postgres/database.ts';
import { bringBack, cutPower } from '../postgres/power-cut.ts';
import { pluginStage } from '../stage/stage.ts';

const tests = path.resolve(import.meta.dirname, '../../test');
/** Those that the tests need are installed anyway. */
const PACKAGES = ['redis-server', 'etcd-server', 'etcd-client', 'mariadb-server-core', 'mariadb-client'];

/** Cuts the power of each database's host `kills` times. Throws when one was damaged, or lacked what had been acknowledged. */
export async function soakDatabases({ kills }: { readonly kills: number }): Promise<void> {
  await execa(path.join(tests, 'install-packages.sh'), [path.join(tests, '../apt-packages'), ...PACKAGES]);
  const stage = await pluginStage({ hosts: 3, plugin: { SCALEIO_MOVE_LIMIT: '1000' } });
  try {
    const [manager, ...workers] = stage.lab.hosts;
    if (manager === undefined) throw new Error('the lab has no hosts');
    await stage.lab.swarm({ heartbeat: '2s' });
    const site = { lab: stage.lab, array: stage.array, manager, workers };
    for (const engine of Object.values(ENGINES)) {
      for (const host of workers) await importEngine(host, engine);
      const committed = await cutAgainAndAgain(site, engine, kills);
      console.log(`${engine.name}: ${kills} power cuts, ${committed} writes acknowledged, none lost`);
    }
  } finally {
    await stage.close();
  }
}

/** How many writes were acknowledged; throws when one is lost. */
async function cutAgainAndAgain(
  site: Site & { readonly array: LabArray },
  engine: Engine,
  kills: number,
): Promise<number> {
  const database = await Database.start(site, { fileSystem: 'xfs', restartDelay: '0s', engine });
  let committed = 0;
  for (let cut = 0; cut < kills; cut += 1) {
    await delay(Math.random() * 3000); // not a wait for something: the moment of the cut is what is tested
    const seen = await cutPower(site, database);
    if (seen.faults.length > 0) throw new Error(`${engine.name}, cut ${cut + 1}:\n${seen.faults.join('\n')}`);
    committed = seen.committed;
    await bringBack(site, seen.from);
  }
  await database.remove();
  return committed;
}
