import { createHash, randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
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

/** `make demo-api`: a service has its volume grown, its limit raised and a disk added to its pool, by itself. */
const LAB_NAME = `demo-api-${process.pid}`;
const steps = new Steps(process.stdout);
const node = path.resolve(import.meta.dirname, '../../node_modules/node/bin/node');
const script = path.join(import.meta.dirname, 'self-service.sh');
const TOKEN = randomBytes(32).toString('hex');
const API = 'http://127.0.0.1:9481/api/v1';
const VOLUME = 'shop';
const FIRST_IOPS = 20;
const PATIENCE_MS = 240_000;
const spare = { sds: 'pd1-sds1', path: '/dev/disk/by-id/wwn-0x5000c500a1b2c301' };
/** It adds no disk by itself: only above 99 %. */
const policy = {
  version: 1,
  act: true,
  interval: '1s',
  pools: [{ pool: 'sp1', grow: { above: 99, cooldown: '1s', maxDevices: 6, devices: [spare] } }],
};
const tokens = {
  version: 1,
  tokens: [
    {
      name: 'shop',
      sha256: createHash('sha256').update(TOKEN).digest('hex'),
      role: 'operator',
      volumes: VOLUME,
      pools: 'sp1',
    },
  ],
};
/** A disk full of data moves in seconds instead of hours. */
const fastMoves = { movementKiBPerSecond: 512 * 1024 ** 2 };

interface Scene {
  readonly lab: Lab;
  readonly host: Host;
  readonly array: LabArray;
}

async function show(): Promise<string> {
  const { lab, array } = await installedLab(steps, {
    name: LAB_NAME,
    hosts: 1,
    arrayOptions: { settings: fastMoves },
  });
  const scene = { lab, array, host: lab.host(1) };
  await steps.run('Bring an image for the service', ['docker import … busybox'], () =>
    importBusybox(scene.host),
  );
  await steps.run(
    'Fill the pool to 85 %, and lay a spare disk into a server',
    ['POST /simulator/pools {"fillPercent":85}'],
    () => fill(scene),
  );
  await steps.run(
    'Start the steward with an API, and a token for this volume and this pool',
    ['SCALEIO_API_TOKENS_FILE=tokens.yml docker-volume-scaleio steward --policy steward.yml'],
    () => startSteward(scene),
  );
  await steps.run(
    `Start the service on a volume of 8 GiB with ${FIRST_IOPS} I/O operations per second`,
    [`docker volume create -o size=8GiB -o iops=${FIRST_IOPS} ${VOLUME}`, `docker run … sh self-service.sh`],
    () => startService(scene),
  );
  const began = performance.now();
  await steps.run('Nobody does anything: the service looks after itself', [], () => watch(scene));
  steps.show(summary(await logOf(scene), (performance.now() - began) / 1000));
  await steps.run('Ask the array and the steward', ['curl $API/volumes/shop; the audit'], () =>
    assertDone(scene),
  );
  return NEXT;
}

const stateSchema = z.object({
  pools: z.array(z.object({ id: z.string() })),
  sdss: z.array(z.object({ id: z.string(), name: z.string() })),
});

async function fill({ array }: Scene): Promise<void> {
  const state = stateSchema.parse(JSON.parse((await array.request('GET', '/simulator/state')).body));
  const sdsId = state.sdss.find(({ name }) => name === spare.sds)?.id;
  await control(array, '/simulator/disks', { sdsId, path: spare.path, gib: 4096 });
  await control(array, '/simulator/pools', { poolId: state.pools[0]?.id, fillPercent: 85 });
}

async function control(array: LabArray, url: string, body: object): Promise<void> {
  const { status, body: said } = await array.request('POST', url, body);
  if (status !== 200) throw new Error(`${url}: ${said}`);
}

async function startSteward({ lab, host, array }: Scene): Promise<void> {
  const file = (name: string): string => path.join(lab.directory, name);
  const settings = {
    endpoints: array.endpoint,
    username: array.user,
    password: array.password,
    apiTokensFile: file('tokens.yml'),
    pageAddress: 'off',
  };
  await writeFile(file('steward.yml'), JSON.stringify(policy));
  await writeFile(file('tokens.yml'), JSON.stringify(tokens), { mode: 0o600 });
  await chmod(file('tokens.yml'), 0o600);
  await writeFile(file('steward-settings.json'), JSON.stringify(settings), { mode: 0o600 });
  const flags = ['--policy', file('steward.yml'), '--config', file('steward-settings.json')];
  await host.start('steward', [node, bundleFile, 'steward', ...flags, '--metrics-socket', 'none']);
  await until('the API to be served', async () => (await stewardLog(host)).includes('the API is served'));
}

async function stewardLog(host: Host): Promise<string> {
  return readFile(path.join(host.directory, 'steward.log'), 'utf8');
}

async function startService({ host }: Scene): Promise<void> {
  const options = ['--opt', 'size=8GiB', '--opt', `iops=${FIRST_IOPS}`];
  await host.docker(['volume', 'create', '--driver', DRIVER, ...options, VOLUME]);
  const environment = { API, TOKEN, NAME: VOLUME, POOL: 'sp1' };
  const given = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  await host.docker([
    ...['run', '--detach', '--name', 'service', '--network', 'host', '--volume', `${VOLUME}:/data`, ...given],
    ...[BUSYBOX, 'sh', '-c', await readFile(script, 'utf8')],
  ]);
}

async function logOf({ host }: Scene): Promise<readonly string[]> {
  return (await host.docker(['logs', 'service'])).trim().split('\n');
}

/** Until the volume was grown twice, a disk has come, and writes are fast. */
async function watch(scene: Scene): Promise<void> {
  let told = 0;
  await until(
    'the service to have what it needs',
    async () => {
      const lines = await logOf(scene);
      for (const line of lines.slice(told).filter((one) => one.startsWith('asked'))) steps.show(line);
      told = lines.length;
      const asked = (what: string): number =>
        lines.filter((line) => line.startsWith(`asked for ${what}`)).length;
      const running = (
        await scene.host.docker(['inspect', '--format', '{{.State.Running}}', 'service'])
      ).trim();
      if (running !== 'true') throw new Error(`the service ended: ${lines.at(-1) ?? ''}`);
      const isFast = lines.slice(-10).every((line) => (msOf(line) ?? 0) <= 60);
      return asked(`/volumes/${VOLUME}/grow`) >= 2 && asked('/pools') >= 1 && isFast && sizeOf(lines) >= 24;
    },
    { timeoutMs: PATIENCE_MS, everyMs: 500 },
  );
}

function msOf(line: string): number | undefined {
  const [, ms] = /took (\d+) ms/.exec(line) ?? [];
  return ms === undefined ? undefined : Number(ms);
}

function sizeOf(lines: readonly string[]): number {
  return Number(/of (\d+) GiB/.exec(lines.findLast((line) => line.startsWith('write')) ?? '')?.[1]);
}

function summary(lines: readonly string[], seconds: number): string {
  const times = lines.flatMap((line) => msOf(line) ?? []);
  const first = lines.find((line) => line.startsWith('write')) ?? '';
  const last = lines.findLast((line) => line.startsWith('write')) ?? '';
  return [
    first,
    last,
    `${times.length} writes in ${seconds.toFixed(0)} s, none failed; slowest of the first ten: ${Math.max(...times.slice(0, 10))} ms, of the last ten: ${Math.max(...times.slice(-10))} ms`,
  ].join('\n');
}

async function assertDone({ host }: Scene): Promise<void> {
  const seen = await host.exec([
    'curl',
    '-sS',
    '-H',
    `Authorization: Bearer ${TOKEN}`,
    `${API}/volumes/${VOLUME}`,
  ]);
  const volume = z
    .object({ sizeKiB: z.number(), holders: z.array(z.object({ limitIops: z.number() })) })
    .parse(JSON.parse(seen));
  const limit = volume.holders[0]?.limitIops ?? 0;
  steps.show(`the array: ${volume.sizeKiB / 1024 ** 2} GiB, ${limit} I/O operations per second`);
  const records = (await stewardLog(host))
    .split('\n')
    .filter(
      (line) =>
        line.includes('"audit":') && line.includes('"outcome":"done"') && line.includes('"by":"shop"'),
    );
  steps.show(`the audit: ${records.length} changes done, asked for by token "shop"`);
  if (limit <= FIRST_IOPS || records.length < 4) throw new Error(`limit ${limit}, ${records.length} records`);
}

const NEXT = `
What to try next
  docs/api.md           tokens, calls, and this client in twenty lines of shell
  make demo-capacity    the steward adds the disks by itself
`;

process.exitCode = await demonstrate(steps, LAB_NAME, show);
