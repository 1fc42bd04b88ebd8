import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { bundleFile } from '../../plugin/bundle.ts';
import type { LabArray } from '../../lab/hosts/array.ts';
import type { Lab } from '../../lab/hosts/lab.ts';
import { addressOf } from '../../lab/hosts/network.ts';
import { until } from '../../lab/hosts/until.ts';
import { Prometheus, prometheusArgv } from '../../lab/prometheus/server.ts';
import { dashboardQueries } from '../../lab/prometheus/shipped.ts';
import { createVolume } from '../../lab/stage/containers.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

const node = path.resolve(import.meta.dirname, '../../node_modules/node/bin/node');
const pluginPort = 9470;
const stewardAddress = `${addressOf('storage', 0)}:9471`;
const prometheusPort = 9090;
const soon = { timeout: 60_000, interval: 500 };

/** Panels that have something to show as soon as a volume is in use. */
const AT_ONCE = [
  ...['Plugins', 'Volumes mounted', 'Fullest pool', 'Calls', 'Time of a call, 95th percentile', 'Journal'],
  ...['Requests', 'Time of a request, 95th percentile', 'Gateways up, as each host sees them', 'Fences'],
  ...['Used', 'Used bytes', 'Used, of what is not spare', 'Level', 'Used and thresholds', 'Room, raw'],
  ...['Data without its copies', 'Devices and servers', 'Array', 'Since the array was last read', 'Rounds'],
  ...['Memory', 'CPU', 'variable instance', 'variable pool'],
];

const stateSchema = z.object({ pools: z.array(z.object({ id: z.string(), name: z.string() })) });

async function startSteward(lab: Lab, array: LabArray): Promise<void> {
  const [policy, settings] = ['steward.yml', 'steward.json'].map((name) => path.join(lab.directory, name));
  await writeFile(policy ?? '', JSON.stringify({ version: 1, interval: '1s', pools: [{ pool: 'sp1' }] }));
  const { endpoint, user, password } = array;
  const said = { endpoints: [endpoint], username: user, password, metricsAddress: stewardAddress };
  await writeFile(settings ?? '', JSON.stringify(said), { mode: 0o600 });
  const files = ['--policy', policy ?? '', '--config', settings ?? ''];
  await lab.start('steward', [node, bundleFile, 'steward', ...files, '--metrics-socket', 'none']);
}

/** A Prometheus beside the array, and a way to it from outside of the lab's network. */
async function startPrometheus(lab: Lab, scraped: readonly string[]): Promise<Prometheus> {
  const listen = `127.0.0.1:${prometheusPort}`;
  await lab.start('prometheus', await prometheusArgv(lab.directory, listen, scraped));
  const socketPath = path.join(lab.directory, 'prometheus.sock');
  const forward = path.resolve(import.meta.dirname, '../../lab/hosts/forward.ts');
  await lab.start('prometheus-forward', [node, forward, socketPath, '127.0.0.1', `${prometheusPort}`]);
  await until('the way to Prometheus', () => existsSync(socketPath));
  return new Prometheus({ socketPath });
}

describe('a Prometheus that scrapes two hosts and the steward', () => {
  let stage: ArrayStage;
  let prometheus: Prometheus;

  beforeAll(async () => {
    const plugin = { SCALEIO_METRICS_ADDRESS: `0.0.0.0:${pluginPort}` };
    stage = await pluginStage({ hosts: 2, plugin });
    const { lab, array } = stage;
    await startSteward(lab, array);
    const plugins = lab.hosts.map((host) => `${host.address('storage')}:${pluginPort}`);
    prometheus = await startPrometheus(lab, [...plugins, stewardAddress]);
  });

  afterAll(async () => {
    await stage.close();
  });

  /** What a query says, without what tells one target from another. */
  const value = async (expr: string): Promise<number | undefined> => (await prometheus.query(expr))[0]?.value;

  async function fill(fillPercent: number): Promise<void> {
    const { array } = stage;
    const { pools } = stateSchema.parse(JSON.parse((await array.request('GET', '/simulator/state')).body));
    const poolId = pools.find(({ name }) => name === 'sp1')?.id;
    const { status, body } = await array.request('POST', '/simulator/pools', { poolId, fillPercent });
    expect(status, body).toBe(200);
  }

  test('reaches all of them', async () => {
    const up = Object.fromEntries(
      [...stage.lab.hosts.map((host) => `${host.address('storage')}:${pluginPort}`), stewardAddress].map(
        (target) => [target, 'up'],
      ),
    );
    await expect.poll(() => prometheus.targets().catch(String), soon).toEqual(up);
  });

  test('knows the volume in use and the pool that it is in', async () => {
    await createVolume(stage.host, 'kept');
    const use = ['--volume', 'kept:/data', 'busybox', 'sleep', '600'];
    await stage.host.docker(['run', '--detach', ...use]);
    await expect
      .poll(() => value('scaleio_volume_size_bytes{volume="kept"}'), soon)
      .toBeGreaterThan(7 * 2 ** 30);
    await expect.poll(() => value('scaleio_pool_level{pool="sp1",level="ok"}'), soon).toBe(1);
    expect(await value('scaleio_pool_used_ratio{pool="sp1"}')).toBeLessThan(0.5);
    // The steward's round may have been before the volume was made.
    await expect.poll(() => value('scaleio_pool_thin_committed_bytes{pool="sp1"}'), soon).toBeGreaterThan(0);
  });

  test('answers every query of the dashboard, and has data for what is always there', async () => {
    const empty = async (): Promise<string[]> => {
      const titles: string[] = [];
      for (const { title, expr } of dashboardQueries())
        if ((await prometheus.query(expr)).length === 0) titles.push(title);
      return AT_ONCE.filter((title) => titles.includes(title));
    };
    const titles = dashboardQueries().map(({ title }) => title);
    expect(titles).toEqual(expect.arrayContaining(AT_ONCE));
    await expect.poll(empty, soon).toEqual([]);
  });

  test('alerts while the pool is nearly full', async () => {
    expect(await prometheus.firing()).toEqual([]);
    await fill(95);
    await expect.poll(() => prometheus.firing(), soon).toEqual(['ScaleioPoolCritical']);
    expect(await value('scaleio_pool_used_ratio{pool="sp1"}')).toBeGreaterThan(0.9);
    await fill(5);
    await expect.poll(() => prometheus.firing(), soon).toEqual([]);
  });

  test('tells of a takeover, by alert and on the dashboard', async () => {
    const [, other] = stage.lab.hosts;
    await stage.host.powerOff();
    await other?.docker(['run', '--detach', '--volume', 'kept:/data', 'busybox', 'sleep', '600']);
    await expect.poll(() => prometheus.firing(), soon).toContain('ScaleioVolumeTakenOver');
    const [median] = dashboardQueries().filter(({ title }) => title === 'Time of a takeover');
    await expect.poll(() => value(median?.expr ?? ''), soon).toBeGreaterThan(0);
    const gone = `${stage.host.address('storage')}:${pluginPort}`;
    await expect.poll(async () => (await prometheus.targets())[gone], soon).toMatch(/^down/);
    expect(await value(`scaleio_volume_size_bytes{volume="kept"}`)).toBeGreaterThan(7 * 2 ** 30);
  });
});
