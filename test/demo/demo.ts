import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { buildPlugin } from '../../plugin/build.ts';
import { machineArchitecture } from '../../plugin/debian.ts';
import { type LabArray, startArray } from '../hosts/array.ts';
import type { Host } from '../hosts/host.ts';
import { busybox, importBusybox } from '../hosts/image.ts';
import { createLab, type Lab } from '../hosts/lab.ts';
import { removeLab } from '../hosts/record.ts';
import { driver, installPlugin, publishPlugin } from '../hosts/scaleio-plugin.ts';
import { InterruptedError, Steps } from './steps.ts';

const labName = `demo-${process.pid}`;
const steps = new Steps(process.stdout);
const volume = 'db';
const onVolume = ['--volume', `${volume}:/data`];

interface Installed {
  readonly lab: Lab;
  readonly host: Host;
  readonly array: LabArray;
}

async function setUp(): Promise<Installed> {
  const directory = await steps.run('Build the managed plugin', ['make plugin'], async () => {
    return buildPlugin(await machineArchitecture(), () => undefined);
  });
  const what = "network, processes and files of its own; this machine's Docker is not touched";
  const lab = await steps.run('Start a host with its own Docker engine', [what], () =>
    createLab({ hosts: 1, name: labName }),
  );
  const host = lab.host(1);
  steps.show(`Docker ${await host.docker(['version', '--format', '{{.Server.Version}}'])} on ${host.name}`);
  const array = await steps.run(
    'Start the simulated ScaleIO: gateway, MDM, and the SDC of the host',
    ['docker-volume-scaleio simulate', 'docker-volume-scaleio simulate-sdc'],
    () => startArray(lab),
  );
  const name = `${lab.registry}/scaleio:latest`;
  const push = [
    `docker plugin create ${name} ${path.relative('.', directory)}`,
    `docker plugin push ${name}`,
  ];
  await steps.run('Publish the plugin in a registry', push, () => publishPlugin(lab, directory));
  const install = `docker plugin install ${name} --alias ${driver} SCALEIO_ENDPOINT=${array.endpoint} …`;
  await steps.run('Install it from there', [install], () => installPlugin(host, array, name));
  await steps.run('Bring an image for the containers', ['docker import … busybox'], () =>
    importBusybox(host),
  );
  return { lab, host, array };
}

async function useVolume({ host }: Installed): Promise<void> {
  const text = randomBytes(24).toString('hex');
  const docker = async (title: string, args: readonly string[]): Promise<string> => {
    const shown = `docker ${args.map((word) => (/[ ;>]/.test(word) ? `'${word}'` : word)).join(' ')}`;
    const said = await steps.run(title, [shown], () => host.docker(args));
    steps.show(said);
    return said;
  };
  await docker('Create a volume', ['volume', 'create', '--driver', driver, '--opt', 'size=8GiB', volume]);
  const write = `echo ${text} | dd of=/data/greeting conv=fsync 2>/dev/null && sha256sum /data/greeting`;
  const name = ['--name', 'writer'];
  const written = await docker('Run a container that writes', [
    ...['run', ...name, ...onVolume, busybox, 'sh', '-c', write],
  ]);
  await docker('Remove the container', ['rm', 'writer']);
  const reading = ['run', '--rm', ...onVolume, busybox, 'sh', '-c', 'df -h /data; sha256sum /data/greeting'];
  const read = await docker('Run another container that reads', reading);
  checkSame(written, read, text);
  await docker('Ask what Docker knows of the volume', ['volume', 'inspect', volume]);
  await docker('Remove the volume', ['volume', 'rm', volume]);
}

function checkSame(written: string, read: string, text: string): void {
  const expected = createHash('sha256').update(`${text}\n`).digest('hex');
  if (written.includes(expected) && read.includes(expected)) {
    steps.show('the same bytes: the data outlived its container');
    return;
  }
  throw new Error(`the second container read other bytes: ${read}; written were: ${written}`);
}

const next = `
What to try next
  make lab            three hosts with a Swarm that stay, to play with: stop one, and see its service go on elsewhere
  make test           everything that is checked
  README.md           install the plugin on real hosts with a real gateway
  docs/options.md     what "docker volume create --opt" understands
  docs/simulator.md   the simulated ScaleIO for your own tests
`;

async function main(): Promise<number> {
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) process.exit(130);
      steps.say('\nInterrupted: cleaning up (again to leave at once; the next run cleans up then)');
      steps.interrupt();
    });
  }
  try {
    await useVolume(await setUp());
    await steps.run('Clean up', ['hosts, networks, devices and files go'], () => removeLab(labName));
    steps.say(next);
    return 0;
  } catch (error) {
    await steps.settled();
    await removeLab(labName);
    if (error instanceof InterruptedError) return 130;
    console.error('\nThe demo failed:', error);
    return 1;
  }
}

process.exitCode = await main();
