import { buildPlugin } from '../../plugin/build.ts';
import { machineArchitecture } from '../../plugin/debian.ts';
import { startArray } from './array.ts';
import { importBusybox } from './image.ts';
import { createLab } from './lab.ts';
import { labNames, removeLab } from './record.ts';
import { installPlugin, publishPlugin } from './scaleio-plugin.ts';

const name = 'playground';

/** `make lab`: hosts with plugin and Swarm that stay until `make lab-down`. */
async function up(hosts: number): Promise<void> {
  await down();
  const directory = await buildPlugin(await machineArchitecture());
  const lab = await createLab({ hosts, name, keep: true });
  const array = await startArray(lab);
  const published = await publishPlugin(lab, directory);
  for (const host of lab.hosts) {
    await installPlugin(host, array, published);
    await importBusybox(host);
  }
  await lab.swarm();
  console.log(`${hosts} hosts with a simulated ScaleIO at ${array.endpoint}. On a host:\n`);
  for (const host of lab.hosts) console.log(`  ${host.shellCommand}    # ${host.name}`);
  console.log('\nTry there: docker volume create -d scaleio -o size=8GiB db\nThe end of it: make lab-down');
}

async function down(): Promise<void> {
  if ((await labNames()).includes(name)) await removeLab(name);
}

const [command, hosts] = process.argv.slice(2);
if (command === 'up' && Number(hosts) > 0) await up(Number(hosts));
else if (command === 'down') await down();
else {
  console.error('Usage: lab-command.ts up HOSTS | down');
  process.exitCode = 2;
}
