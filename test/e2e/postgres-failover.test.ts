import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES, importEngine } from '../../lab/databases/engines.ts';
import { Database, type FileSystem } from '../../lab/postgres/database.ts';
import { importPostgres } from '../../lab/postgres/image.ts';
import { installCommand, takeAndCheck } from '../../lab/postgres/copies.ts';
import { bringBack, cutPower } from '../../lab/postgres/power-cut.ts';
import { timelineText } from '../../lab/timeline/text.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

const cuts = 3;

describe('PostgreSQL as a Swarm service', () => {
  let stage: ArrayStage;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 3 });
    await Promise.all(stage.lab.hosts.slice(1).map(importPostgres));
    await Promise.all(stage.lab.hosts.map(installCommand));
    await stage.lab.swarm({ heartbeat: '2s' });
  });

  afterAll(async () => {
    await stage.close();
  });

  test.each<FileSystem>(['xfs', 'ext4'])(
    `on %s loses no acknowledged transaction when its host dies ${cuts} times, nor do copies of it in use`,
    async (fileSystem) => {
      const [manager, ...workers] = stage.lab.hosts;
      if (manager === undefined) throw new Error('the lab has no hosts');
      const site = { lab: stage.lab, array: stage.array, manager, workers };
      const database = await Database.start(site, { fileSystem, restartDelay: '0s' });
      for (let cut = 0; cut < cuts; cut += 1) {
        const before = database.ledger.committed.size;
        const afterMs = Math.round(Math.random() * 1500);
        console.log(`${fileSystem}: power cut ${cut + 1} after ${afterMs} ms`);
        await delay(afterMs); // not a wait for something: the moment of the cut is what is tested
        const { from, faults, committed, failover } = await cutPower(site, database);
        console.log(timelineText(failover));
        expect(faults).toEqual([]);
        expect(committed).toBeGreaterThan(before);
        await bringBack(site, from);
      }
      const on = await database.host();
      const copies = [];
      for (const [number, by] of [on, manager, on].entries())
        copies.push(await takeAndCheck(database, { by, on, name: `copy-${fileSystem}-${number}` }));
      expect(copies).toEqual([
        { consistency: 'frozen', faults: [] },
        { consistency: 'crash-consistent', faults: [] },
        { consistency: 'frozen', faults: [] },
      ]);
      await database.remove();
    },
  );

  test.each([ENGINES.redis, ENGINES.etcd])(
    '$name beside it loses no acknowledged write either',
    async (engine) => {
      const [manager, ...workers] = stage.lab.hosts;
      if (manager === undefined) throw new Error('the lab has no hosts');
      const site = { lab: stage.lab, array: stage.array, manager, workers };
      await Promise.all(workers.map((host) => importEngine(host, engine)));
      const database = await Database.start(site, { fileSystem: 'xfs', restartDelay: '0s', engine });
      const { from, faults, committed } = await cutPower(site, database);
      console.log(`${engine.name}: ${committed} writes acknowledged`);
      expect(faults).toEqual([]);
      expect(committed).toBeGreaterThan(0);
      await bringBack(site, from);
      await database.remove();
    },
  );
});
