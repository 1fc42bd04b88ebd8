import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { bundleFile } from '../../plugin/bundle.ts';
import type { LabArray } from '../hosts/array.ts';
import type { Host } from '../hosts/host.ts';
import { BUSYBOX, importBusybox } from '../hosts/image.ts';
import type { Lab } from '../hosts/lab.ts';
import { DRIVER } from '../hosts/scaleio-plugin.ts';
import { until } from '../hosts/until.ts';
import { demonstrate } from './demonstrate.ts';
import { installedLab } from './installed-lab.ts';
import { Steps } from './steps.ts';

/** `make demo-capacity`: a pool at 98 % gets spare disks one by one while a container writes. */
const LAB_NAME = `demo-capacity-${process.pid}`;
const steps = new Steps(process.stdout);
const node = path.resolve(import.meta.dirname, '../../node_modules/node/bin/node');
const spares = [1, 2, 3].map((number) => ({
  sds: `pd1-sds${number}`,
  path: `/dev/disk/by-id/wwn-0x5000c500a1b2c30${number}`,
}));
const policy = {
  version: 1,
  act: true,
  interval: '500ms',
  pools: [{ pool: 'sp1', grow: { above: 55, cooldown: '2s', maxDevices: 6, devices: spares } }],
};
/** A disk full of data moves in seconds instead of hours. */
const fastMoves = { movementKiBPerSecond: 512 * 1024 ** 2 };

interface Scene {
  readonly lab: Lab;
  readonly host: Host;
  readonly array: LabArray;
}

const auditLine = z.object({
  audit: z.object({ action: z.string(), outcome: z.string(), why: z.string() }),
});
type Audit = z.infer<typeof auditLine>['audit'];

async function show(): Promise<string> {
  const { lab, array } = await installedLab(steps, {
    name: LAB_NAME,
    hosts: 1,
    arrayOptions: { settings: fastMoves },
  });
  const scene = { lab, array, host: lab.host(1) };
  await declarePolicy(scene);
  await startWriter(scene);
  const first = await written(scene);
  await steps.run('Fill the pool to 98 %', ['POST /simulator/pools {"fillPercent":98}'], () => fill(scene));
  steps.show(await look(scene));
  await steps.run(
    'Start the steward, with three declared spare disks and leave to add them',
    ['docker-volume-scaleio steward --policy steward.yml'],
    () => startSteward(scene),
  );
  await watchGrowth(scene);
  steps.show(await look(scene));
  await steps.run('Ask the container whether it noticed', ['docker inspect writer; docker logs writer'], () =>
    assertUnhurt(scene, first),
  );
  return NEXT;
}

async function startWriter({ host }: Scene): Promise<void> {
  await steps.run('Bring an image for the container', ['docker import … busybox'], () => importBusybox(host));
  const script =
    'n=0; while :; do n=$((n+1)); echo $n | dd of=/data/count conv=fsync 2>/dev/null || { echo failed at $n; exit 1; }; sleep 0.05; done';
  await steps.run(
    'Let a container write to a volume, again and again, each time to the disk',
    [`docker run --detach --volume db:/data busybox …`],
    async () => {
      await host.docker(['volume', 'create', '--driver', DRIVER, '--opt', 'size=8GiB', 'db']);
      await host.docker([
        'run',
        '--detach',
        '--name',
        'writer',
        '--volume',
        'db:/data',
        BUSYBOX,
        'sh',
        '-c',
        script,
      ]);
    },
  );
}

async function written({ host }: Scene): Promise<number> {
  let count = 0;
  await until('the container to write', async () => {
    count = Number((await host.docker(['exec', 'writer', 'cat', '/data/count'])).trim());
    return count > 0;
  });
  return count;
}

const stateSchema = z.object({
  pools: z.array(z.object({ id: z.string() })),
  sdss: z.array(z.object({ id: z.string(), name: z.string() })),
});

async function fill(scene: Scene): Promise<void> {
  const { array } = scene;
  const state = stateSchema.parse(JSON.parse((await array.request('GET', '/simulator/state')).body));
  const [pool] = state.pools;
  if (pool === undefined) throw new Error('the simulated array has no pool');
  for (const { sds, path: disk } of spares) {
    const sdsId = state.sdss.find(({ name }) => name === sds)?.id;
    await control(array, '/simulator/disks', { sdsId, path: disk, gib: 4096 });
  }
  await control(array, '/simulator/pools', { poolId: pool.id, fillPercent: 98 });
}

async function control(array: LabArray, url: string, body: object): Promise<void> {
  const { status, body: said } = await array.request('POST', url, body);
  if (status !== 200) throw new Error(`${url}: ${said}`);
}

async function declarePolicy({ lab, array }: Scene): Promise<void> {
  await writeFile(policyFile(lab), JSON.stringify(policy));
  const settings = { endpoints: array.endpoint, username: array.user, password: array.password };
  await writeFile(settingsFile(lab), JSON.stringify(settings), { mode: 0o600 });
}

async function startSteward(scene: Scene): Promise<void> {
  const { lab } = scene;
  await lab.start('steward', [node, bundleFile, 'steward', ...stewardFlags(lab), '--metrics-socket', 'none']);
}

const policyFile = (lab: Lab): string => path.join(lab.directory, 'steward.yml');
const settingsFile = (lab: Lab): string => path.join(lab.directory, 'steward-settings.json');
const stewardFlags = (lab: Lab): string[] => ['--policy', policyFile(lab), '--config', settingsFile(lab)];

/** What the steward's own look says. */
async function look({ lab, host }: Scene): Promise<string> {
  const said = await host.exec([node, bundleFile, 'steward', '--once', ...stewardFlags(lab)]);
  return said.trim();
}

async function audits({ lab }: Scene): Promise<Audit[]> {
  const lines = (await readFile(path.join(lab.directory, 'steward.log'), 'utf8')).split('\n');
  return lines.flatMap((line) => {
    const parsed = line.startsWith('{') ? auditLine.safeParse(JSON.parse(line)) : undefined;
    return parsed?.success === true ? [parsed.data.audit] : [];
  });
}

async function watchGrowth(scene: Scene): Promise<void> {
  for (const [index] of spares.entries()) {
    const title = `The steward adds disk ${index + 1} of ${spares.length}, when the one before is filled evenly`;
    await steps.run(title, [], () =>
      until('the steward to add a disk', async () => (await added(scene)).length > index, {
        timeoutMs: 60_000,
      }),
    );
    const before = await written(scene);
    steps.show((await added(scene))[index]?.why ?? '');
    steps.show(`the container has written ${before} times`);
  }
  await steps.run('The last rebalance ends', [], () =>
    until('the rebalance to end', async () => /health +normal/.test(await look(scene)), {
      timeoutMs: 60_000,
    }),
  );
}

async function added(scene: Scene): Promise<Audit[]> {
  return (await audits(scene)).filter(({ action, outcome }) => action === 'grow' && outcome === 'done');
}

async function assertUnhurt(scene: Scene, first: number): Promise<void> {
  const { host } = scene;
  const running = (await host.docker(['inspect', '--format', '{{.State.Running}}', 'writer'])).trim();
  const complaints = (await host.docker(['logs', 'writer'])).trim();
  const last = await written(scene);
  const percent = Number(/used +([\d.]+) %/.exec(await look(scene))?.[1]);
  if (running !== 'true' || complaints !== '' || last <= first)
    throw new Error(`the writer was hurt: running ${running}, ${first} to ${last} writes, "${complaints}"`);
  if (!(percent < 55)) throw new Error(`the pool is still ${percent} % used`);
  steps.show(`no: it wrote ${last} times, none failed; the pool went from 98 % to ${percent} %`);
}

const NEXT = `
What to try next
  docs/steward.md       the policy, when a disk is added and when not, webhooks, audit
  simulator/README.md   fill pools and break disks of the simulated array yourself
`;

process.exitCode = await demonstrate(steps, LAB_NAME, show);
