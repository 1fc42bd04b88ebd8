import { setTimeout as delay } from 'node:timers/promises';
import { DRIVER } from '../hosts/scaleio-plugin.ts';
import { Database } from '../postgres/database.ts';
import { importPostgres } from '../postgres/image.ts';
import { bringBack, cutPower } from '../postgres/power-cut.ts';
import { timelineText } from '../timeline/text.ts';
import { demonstrate } from './demonstrate.ts';
import { installedLab } from './installed-lab.ts';
import { Steps } from './steps.ts';

/** `make demo-failover`: a database's host loses power, and the database goes on elsewhere. */
const LAB_NAME = `demo-failover-${process.pid}`;
const steps = new Steps(process.stdout);
/** How long one watches the database work, ms. */
const WATCHED_MS = 2000;

async function show(): Promise<string> {
  const { lab, array } = await installedLab(steps, { name: LAB_NAME, hosts: 3 });
  const workers = lab.hosts.slice(1);
  const site = { lab, array, manager: lab.host(1), workers };
  await steps.run('Bring a PostgreSQL image', ['docker import … postgres'], async () => {
    await Promise.all(workers.map(importPostgres));
  });
  const swarm = ['docker swarm init --dispatcher-heartbeat 2s …', 'docker swarm join …'];
  await steps.run('Make a Swarm: host1 manages, host2 and host3 work', swarm, () =>
    lab.swarm({ heartbeat: '2s' }),
  );
  const mount = `--mount type=volume,source=db-xfs,volume-driver=${DRIVER},…`;
  const create = `docker service create --replicas 1 --restart-delay 0s ${mount} postgres`;
  const database = await steps.run('Start PostgreSQL with its data on a volume', [create], () =>
    Database.start(site, { fileSystem: 'xfs', restartDelay: '0s' }),
  );
  const old = await database.host();
  steps.show(`it runs on ${old.name}; host1 has 4 clients that transfer money between accounts`);
  await steps.run('Let them work', [], () => delay(WATCHED_MS));
  steps.show(`${database.ledger.committed.size} transactions acknowledged, each written down on host1`);
  const cut = await steps.run(
    `Cut the power of ${old.name}, in the middle of it`,
    ['its networks go silent, what was not synced is lost, every process ends'],
    () => cutPower(site, database),
  );
  steps.show(timelineText(cut.failover));
  steps.show('');
  if (cut.faults.length > 0) throw new Error(cut.faults.join('\n'));
  steps.show(
    `all ${cut.committed} acknowledged transactions are there, none is there by half, pg_amcheck is content`,
  );
  await steps.run(`Boot ${old.name} again`, ['it must not take the volume back'], () => bringBack(site, old));
  const now = await database.host();
  steps.show(`${database.name} runs on ${now.name}; nothing of the volume is left on ${old.name}`);
  steps.show(`${database.ledger.committed.size} transactions acknowledged, and the clients go on`);
  return NEXT;
}

const NEXT = `
What to try next
  make lab            three hosts with a Swarm that stay: kill one yourself
  docs/failover.md    when a volume is taken from a host, when not, and how long it takes
  make soak           this, 50 times, on two file systems
`;

process.exitCode = await demonstrate(steps, LAB_NAME, show);
