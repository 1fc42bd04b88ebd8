import { createHash, randomBytes } from 'node:crypto';
import type { Host } from '../hosts/host.ts';
import { BUSYBOX, importBusybox } from '../hosts/image.ts';
import { DRIVER } from '../hosts/scaleio-plugin.ts';
import { demonstrate } from './demonstrate.ts';
import { installedLab } from './installed-lab.ts';
import { Steps } from './steps.ts';

const LAB_NAME = `demo-${process.pid}`;
const steps = new Steps(process.stdout);
const VOLUME = 'db';
const ON_VOLUME = ['--volume', `${VOLUME}:/data`];

interface Installed {
  readonly host: Host;
}

async function setUp(): Promise<Installed> {
  const { lab } = await installedLab(steps, { name: LAB_NAME, hosts: 1 });
  const host = lab.host(1);
  await steps.run('Bring an image for the containers', ['docker import … busybox'], () =>
    importBusybox(host),
  );
  return { host };
}

async function useVolume({ host }: Installed): Promise<void> {
  const text = randomBytes(24).toString('hex');
  const docker = async (title: string, args: readonly string[]): Promise<string> => {
    const shown = `docker ${args.map((word) => (/[ ;>]/.test(word) ? `'${word}'` : word)).join(' ')}`;
    const said = await steps.run(title, [shown], () => host.docker(args));
    steps.show(said);
    return said;
  };
  await docker('Create a volume', ['volume', 'create', '--driver', DRIVER, '--opt', 'size=8GiB', VOLUME]);
  const write = `echo ${text} | dd of=/data/greeting conv=fsync 2>/dev/null && sha256sum /data/greeting`;
  const name = ['--name', 'writer'];
  const written = await docker('Run a container that writes', [
    ...['run', ...name, ...ON_VOLUME, BUSYBOX, 'sh', '-c', write],
  ]);
  await docker('Remove the container', ['rm', 'writer']);
  const reading = ['run', '--rm', ...ON_VOLUME, BUSYBOX, 'sh', '-c', 'df -h /data; sha256sum /data/greeting'];
  const read = await docker('Run another container that reads', reading);
  checkSame(written, read, text);
  await docker('Ask what Docker knows of the volume', ['volume', 'inspect', VOLUME]);
  await docker('Remove the volume', ['volume', 'rm', VOLUME]);
}

function checkSame(written: string, read: string, text: string): void {
  const expected = createHash('sha256').update(`${text}\n`).digest('hex');
  if (written.includes(expected) && read.includes(expected)) {
    steps.show('the same bytes: the data outlived its container');
    return;
  }
  throw new Error(`the second container read other bytes: ${read}; written were: ${written}`);
}

const NEXT = `
What to try next
  make lab            three hosts with a Swarm that stay, to play with: stop one, and see its service go on elsewhere
  make demo-failover  a database whose host dies: watch it go on elsewhere
  make test           everything that is checked
  README.md           install the plugin on real hosts with a real gateway
  docs/options.md     what "docker volume create --opt" understands
  simulator/README.md the simulated ScaleIO for your own tests
`;

process.exitCode = await demonstrate(steps, LAB_NAME, async () => {
  await useVolume(await setUp());
  return NEXT;
});
