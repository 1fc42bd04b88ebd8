import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { examine } from '../../../src/apps/doctor.ts';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from 'scaleio-simulator';
import { newSecret } from '../../../lab/secrets/used.ts';

const GUID = '11111111-1111-1111-1111-111111111111';
const PASSWORD = newSecret('password');
const WRONG = newSecret('password');

const nothing = (): void => undefined;

interface Reported {
  readonly severity: string;
  readonly findings: readonly {
    readonly check: string;
    readonly severity: string;
    readonly says: string;
    readonly fix?: string;
  }[];
}

async function directory(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'doctor-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

async function script(name: string, text: string): Promise<string> {
  const file = path.join(await directory(), name);
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
  return file;
}

async function doctor(
  env: Record<string, string>,
  ...flags: string[]
): Promise<{ code: number; out: string }> {
  const out: string[] = [];
  const code = await runCommandLine({
    argv: ['doctor', '--engine', '/none/docker.sock', ...flags],
    env,
    pid: 1,
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => out.push(text) },
    onSignal: () => undefined,
  });
  return { code, out: out.join('') };
}

async function json(env: Record<string, string>): Promise<Reported & { code: number }> {
  const { code, out } = await doctor(env, '--json');
  return { code, ...(JSON.parse(out) as Reported) };
}

/** The settings of a host whose SDC is connected to the simulated array. */
async function host(
  options: SimulatorOptions = {},
): Promise<{ sim: Simulator; env: Record<string, string> }> {
  const sim = await startSimulator({
    users: [{ name: 'admin', password: PASSWORD }],
    mdmIps: ['10.0.0.201'],
    ...options,
  });
  onTestFinished(() => sim.close());
  const sdc = await sim.connectSdc({ guid: GUID, ip: '127.0.0.1' });
  const drvCfg = await script(
    'drv_cfg',
    `case $1 in
--query_guid) echo ${GUID} ;;
--query_mdms) echo 'MDM-ID ${sim.systemId} SDC ID ${sdc.id} INSTALLATION ID 68ab55462cbb3ae4 IPs [0]-10.0.0.201' ;;
esac`,
  );
  const env = {
    SCALEIO_ENDPOINT: sim.urls.join(),
    SCALEIO_USERNAME: 'admin',
    SCALEIO_PASSWORD: PASSWORD,
    SCALEIO_DRV_CFG: drvCfg,
    SCALEIO_STATE_DIR: await directory(),
    SCALEIO_MOUNT_ROOT: await directory(),
    SCALEIO_BY_ID_DIR: await directory(),
    ...(sim.caFile === undefined ? {} : { SCALEIO_CA_FILE: sim.caFile }),
  };
  return { sim, env };
}

const notOk = ({ findings }: Reported): string[] =>
  findings
    .filter(
      ({ severity, check }) =>
        severity !== 'ok' && check !== 'Docker engine' && check !== 'file system tools',
    )
    .map(({ check, severity }) => `${severity}: ${check.replace(/https?:\S+/, 'GW')}`);

describe('docker-volume-scaleio doctor', () => {
  test('a CA file that is replaced meanwhile is judged as the log-in takes it', async () => {
    const { sim, env } = await host({ gateways: [{ tls: true }] });
    const right = readFileSync(sim.caFile ?? '', 'utf8');
    const { sim: other } = await host({ gateways: [{ tls: true }] });
    const caFile = path.join(await directory(), 'ca.pem');
    writeFileSync(caFile, readFileSync(other.caFile ?? '', 'utf8'));
    const findings = await examine({
      settings: loadSettings({
        env: { ...env, SCALEIO_CA_FILE: caFile },
        readFile: (file) => readFileSync(file, 'utf8'),
      }),
      readEngine: () => {
        writeFileSync(caFile, right);
        return Promise.resolve(undefined);
      },
      driver: 'scaleio',
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      ownPid: 1,
    });
    const aboutGateway = findings.filter(({ check }) => /^(gateway|certificate)/.test(check));
    expect(aboutGateway.map(({ severity }) => severity)).toEqual(['ok', 'ok']);
  });

  test('finds nothing on a host that is well, and says so', async () => {
    const { env } = await host({ gateways: [{ tls: true }] });
    const report = await json(env);
    expect(notOk(report)).toEqual([]);
    expect(report.findings.find(({ check }) => check.startsWith('role'))?.says).toMatch(/\w/);
    const { out } = await doctor(env);
    expect(out).toMatch(/^ok +SDC of this host/m);
    expect(out).not.toContain(PASSWORD);
  });

  test.each<[string, Record<string, string>, string[]]>([
    ['a wrong password', { SCALEIO_PASSWORD: WRONG }, ['problem: gateway GW']],
    ['an unknown authority', { SCALEIO_CA_FILE: '' }, ['problem: certificate of GW']],
    [
      'verification turned off',
      { SCALEIO_INSECURE: 'true', SCALEIO_CA_FILE: '' },
      ['warning: certificate of GW'],
    ],
    ['a pool that is not there', { SCALEIO_POOL: 'nowhere' }, ['problem: storage pool']],
    ['no drv_cfg', { SCALEIO_DRV_CFG: '/none/drv_cfg' }, ['problem: SDC software']],
  ])('%s', async (_, broken, expected) => {
    const { env } = await host({ gateways: [{ tls: true }] });
    const report = await json({ ...env, ...broken });
    expect(notOk(report)).toEqual(expected);
    expect(report.code).toBe(expected.some((line) => line.startsWith('problem')) ? 20 : 10);
    expect(JSON.stringify(report)).not.toContain(PASSWORD);
    expect(JSON.stringify(report)).not.toContain(WRONG);
  });

  test('a gateway that is away is told once, with what could not be looked at', async () => {
    const { env } = await host();
    const report = await json({ ...env, SCALEIO_ENDPOINT: 'http://127.0.0.1:9' });
    expect(notOk(report)).toEqual(['problem: network to GW']);
    expect(report.findings.find(({ check }) => check.startsWith('network'))?.says).toMatch(
      /cannot be reached: .*; not looked at because of it: .*SDC of this host.*MDM addresses.*storage pool.*volumes of this host/,
    );
    expect((await doctor({ ...env, SCALEIO_ENDPOINT: 'http://127.0.0.1:9' })).out).toMatch(
      /^1 problem, 0 warnings/m,
    );
  });

  test('one gateway of two that is away is named; the other serves', async () => {
    const { env } = await host();
    const report = await json({
      ...env,
      SCALEIO_ENDPOINT: `${env['SCALEIO_ENDPOINT'] ?? ''},http://127.0.0.1:9`,
    });
    expect(notOk(report)).toEqual(['warning: certificate of GW', 'problem: network to GW']);
  });

  test('MDM addresses that lack, and an SDC that was not let in', async () => {
    const { sim, env } = await host({ mdmIps: ['10.0.0.201', '10.0.0.202'] });
    expect(notOk(await json(env))).toContain('warning: MDM addresses');
    sim.silence(GUID);
    const report = await json(env);
    expect(report.findings.find(({ check }) => check === 'SDC of this host')?.says).toMatch(/^not-connected/);
  });

  test('works without settings, without an engine, without anything', async () => {
    const { code, out } = await doctor({});
    expect(code).toBe(20);
    expect(out).toMatch(/^problem +settings .*SCALEIO_ENDPOINT.*SCALEIO_PASSWORD/m);
    expect(out).toMatch(/^problem +SDC software/m);
    expect(out).toMatch(/^ok +Docker engine +none is seen from here/m);
  });

  test('ends in time when everything hangs', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const env = {
      SCALEIO_ENDPOINT: `http://127.0.0.1:${port}`,
      SCALEIO_USERNAME: 'admin',
      SCALEIO_PASSWORD: PASSWORD,
      SCALEIO_DRV_CFG: await script('drv_cfg', 'exec sleep 600'),
      SCALEIO_STATE_DIR: await directory(),
    };
    const began = performance.now();
    const findings = await examine({
      settings: loadSettings({ env, readFile: (file) => readFileSync(file, 'utf8') }),
      readEngine: () => new Promise(() => undefined),
      driver: 'scaleio',
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      ownPid: 1,
      limitMs: 1000,
    });
    const hanging = findings.filter(({ severity }) => severity !== 'ok').map(({ check }) => check);
    expect(hanging).toEqual(
      expect.arrayContaining([
        'Docker engine',
        'SDC software',
        'SDC of this host',
        'MDM addresses',
        'storage pool',
      ]),
    );
    // A second for the checks, one to close each gateway, and what a loaded machine takes.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
