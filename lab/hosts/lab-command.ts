import { builtPlugin } from '../../plugin/built.ts';
import { LabArray, startArray } from './array.ts';
import { type EngineVersion, engineNamed } from './engine.ts';
import { importBusybox } from './image.ts';
import { actionList, actOn, hostNamed } from './lab-actions.ts';
import { labStatus } from './lab-status.ts';
import { createLab, type Lab, openLab } from './lab.ts';
import { labNames, removeLab } from './record.ts';
import { installPlugin, publishPlugin } from './scaleio-plugin.ts';

/** `make lab` and what can be done to it. LAB names another one beside it. */
const NAME = process.env['LAB'] ?? 'playground';

async function up(hosts: number, engines: readonly EngineVersion[]): Promise<void> {
  await down();
  const directory = await builtPlugin();
  const lab = await createLab({ hosts, engines, name: NAME, keep: true });
  try {
    await furnish(lab, directory);
  } catch (error) {
    await lab.close();
    throw error;
  }
}

async function furnish(lab: Lab, pluginDirectory: string): Promise<void> {
  const array = await startArray(lab);
  const published = await publishPlugin(lab, pluginDirectory);
  for (const host of lab.hosts) {
    await installPlugin(host, array, published);
    await importBusybox(host);
  }
  await lab.swarm();
  console.log(`\n${lab.hosts.length} hosts, one Swarm, a simulated ScaleIO at ${array.endpoint}\n`);
  for (const host of lab.hosts) {
    const version = await host.docker(['version', '--format', '{{.Server.Version}}']);
    console.log(
      `${host.name}, engine ${version}\n  docker -H ${host.dockerAddress} …\n  make lab-shell HOST=${host.number}`,
    );
  }
  console.log(`
Login   curl --user ${array.user}:${array.password} ${array.endpoint}/api/login      (in make lab-shell HOST=1; the password is this lab's alone)
Try     docker -H ${lab.host(1).dockerAddress} volume create -d scaleio -o size=8GiB db
See     make lab-status
Hurt    make lab-do HOST=2 DO=power-off      (make lab-do lists what else)
End     make lab-down`);
}

async function down(): Promise<void> {
  if ((await labNames()).includes(NAME)) await removeLab(NAME);
}

async function act(hostName: string, word: string): Promise<void> {
  if (hostName === '' || word === '') {
    console.log(`Usage: make lab-do HOST=2 DO=…\n${actionList()}`);
    return;
  }
  const { lab, array } = await open();
  await actOn(lab, hostNamed(lab, hostName), word);
  process.stdout.write(await labStatus(lab, array));
}

async function open(): Promise<{ lab: Lab; array: LabArray | undefined }> {
  const lab = await openLab(NAME);
  return { lab, array: LabArray.resume(lab) };
}

async function run([command, ...args]: readonly string[]): Promise<void> {
  const [first = '', second = ''] = args;
  if (command === 'up' && Number(first) > 0) return up(Number(first), second.split(',').map(engineNamed));
  if (command === 'down') return down();
  if (command === 'do') return act(first, second);
  if (command === 'status') {
    const { lab, array } = await open();
    process.stdout.write(await labStatus(lab, array));
    return;
  }
  if (command === 'shell') {
    const { lab } = await open();
    return hostNamed(lab, first).shell();
  }
  throw new Error('Usage: lab-command.ts up HOSTS [ENGINE,…] | status | do HOST ACTION | shell HOST | down');
}

run(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
});
