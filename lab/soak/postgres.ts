import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pluginStage } from '../stage/stage.ts';
import { Database, type FileSystem, type Site } from '../postgres/database.ts';
import { importPostgres } from '../postgres/image.ts';
import { bringBack, cutPower, type PowerCut } from '../postgres/power-cut.ts';
import type { LabArray } from '../hosts/array.ts';
import { picture } from '../timeline/picture.ts';
import { timelineText } from '../timeline/text.ts';
import { type Pace, type Run, section, typicalFailover } from './figures.ts';

const docs = path.resolve(import.meta.dirname, '../../docs');
const BEGIN = '<!-- written by make soak: begin -->';
const END = '<!-- written by make soak: end -->';

const quick: Pace = { heartbeat: '2s', restartDelay: '0s' };
const defaults: Pace = { heartbeat: '5s', restartDelay: '5s' };

/** A host that takes one volume 5 times in 10 minutes would leave it where it is; here that is the purpose. */
const withoutMoveLimit = { SCALEIO_MOVE_LIMIT: '1000' };

type SoakSite = Site & { readonly array: LabArray };

/**
 * Kills a PostgreSQL's host `kills` times on each file system, a fifth of them with Swarm's own heartbeat and restart
 * delay, and writes the figures and the picture of docs/failover.md. Throws, after that, when a database had a fault.
 */
export async function soakPostgres({ kills }: { readonly kills: number }): Promise<void> {
  const stage = await pluginStage({ hosts: 3, plugin: withoutMoveLimit });
  const runs: Run[] = [];
  try {
    const [manager, ...workers] = stage.lab.hosts;
    if (manager === undefined) throw new Error('the lab has no hosts');
    await Promise.all(workers.map(importPostgres));
    await stage.lab.swarm({ heartbeat: quick.heartbeat });
    const site = { lab: stage.lab, array: stage.array, manager, workers };
    const slow = Math.ceil(kills / 5);
    for (const [pace, count] of [
      [quick, kills - slow],
      [defaults, slow],
    ] as const) {
      await manager.docker(['swarm', 'update', '--dispatcher-heartbeat', pace.heartbeat]);
      for (const fileSystem of ['xfs', 'ext4'] as const) {
        const run: Run = { pace, fileSystem, cuts: [] };
        runs.push(run);
        await killAgainAndAgain(site, run, count);
      }
    }
  } finally {
    await stage.close();
    await publish(runs);
  }
  const faults = runs.flatMap(({ cuts }) => cuts.flatMap((cut) => cut.faults));
  if (faults.length > 0) throw new Error(`the soak found:\n${faults.join('\n')}`);
}

async function killAgainAndAgain(site: SoakSite, run: Run, count: number): Promise<void> {
  if (count === 0) return;
  const { fileSystem, pace } = run;
  const database = await Database.start(site, { fileSystem, restartDelay: pace.restartDelay });
  for (let cut = 1; cut <= count; cut += 1) {
    const afterMs = Math.round(Math.random() * 3000);
    console.log(`\n${title(fileSystem, pace)}: power cut ${cut} of ${count} after ${afterMs} ms`);
    await delay(afterMs); // not a wait for something: the moment of the cut is what is tested
    const seen = await cutPower(site, database);
    run.cuts.push(seen);
    report(seen);
    await bringBack(site, seen.from);
  }
  await database.remove();
}

function title(fileSystem: FileSystem, { heartbeat, restartDelay }: Pace): string {
  return `${fileSystem}, heartbeat ${heartbeat}, restart delay ${restartDelay}`;
}

function report({ failover, faults, committed }: PowerCut): void {
  console.log(timelineText(failover));
  console.log(`${committed} transactions acknowledged so far, ${faults.length} faults`);
  for (const fault of faults) console.error(fault);
}

/** What was really run, also when it ended early. */
async function publish(runs: readonly Run[]): Promise<void> {
  const typical = typicalFailover(runs);
  if (typical === undefined) return;
  const file = path.join(docs, 'failover.md');
  const page = await readFile(file, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`${file} has no place for the soak's figures`);
  const written = `${BEGIN}\n\n${section(runs)}\n\n`;
  await writeFile(file, page.slice(0, before) + written + page.slice(after));
  await writeFile(path.join(docs, 'failover.svg'), picture(typical.failover, typical.heading));
}
