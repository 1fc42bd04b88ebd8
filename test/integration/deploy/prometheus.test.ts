import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleFile } from '../../../plugin/bundle.ts';
import { until } from '../../../lab/hosts/until.ts';
import { freePort } from '../../../lab/prometheus/free-port.ts';
import { Prometheus, prometheusArgv } from '../../../lab/prometheus/server.ts';
import {
  alertRules,
  alertsFile,
  alertTestsFile,
  dashboardQueries,
  metricsIn,
  seriesOn,
} from '../../../lab/prometheus/shipped.ts';
import { startBundledStack, type BundledStack } from '../docker/bundled-stack.ts';

const node = path.resolve(import.meta.dirname, '../../../node_modules/node/bin/node');

describe('promtool', () => {
  const run = (...args: string[]) => execa('promtool', args, { all: true, reject: false });

  test('takes the alert rules', async () => {
    const { exitCode, all } = await run('check', 'rules', alertsFile);
    expect(exitCode, all).toBe(0);
    expect(all).toContain(`${alertRules().length} rules found`);
  });

  test('sees each alert fire, and stay quiet, when it should', async () => {
    const { exitCode, all } = await run('test', 'rules', alertTestsFile);
    expect(exitCode, all).toBe(0);
  });
});

describe('a real Prometheus that scrapes a running plugin and a running steward', () => {
  const end: (() => Promise<unknown>)[] = [];
  let stack: BundledStack;
  let prometheus: Prometheus;
  let ports: number[];

  /** Runs in the background until the tests are over, with its output among the stack's logs. */
  function start(name: string, argv: readonly string[], env: Record<string, string> = {}): void {
    const [program = '', ...args] = argv;
    const file = path.join(stack.directory, `${name}.log`);
    const child = execa(program, args, {
      env,
      reject: false,
      stdin: 'ignore',
      stdout: { file },
      stderr: { file },
    });
    end.unshift(() => {
      child.kill('SIGTERM');
      return child;
    });
  }

  beforeAll(async () => {
    ports = [await freePort(), await freePort(), await freePort()];
    const [own, plugin, steward] = ports.map((port) => `127.0.0.1:${port}`);
    const directory = await mkdtemp(path.join(tmpdir(), 'dvs-prometheus-'));
    end.push(() => rm(directory, { recursive: true, force: true }));
    stack = await startBundledStack({ SCALEIO_METRICS_ADDRESS: plugin ?? '' });
    end.unshift(() => stack.close());
    const policy = path.join(directory, 'steward.yml');
    await writeFile(policy, JSON.stringify({ version: 1, interval: '200ms', pools: [{ pool: 'sp1' }] }));
    start('steward', [node, bundleFile, 'steward', '--policy', policy, '--metrics-socket', 'none'], {
      SCALEIO_ENDPOINT: stack.gateway,
      SCALEIO_USERNAME: 'admin',
      SCALEIO_PASSWORD: stack.password,
      SCALEIO_METRICS_ADDRESS: steward ?? '',
    });
    start('prometheus', await prometheusArgv(directory, own ?? '', [plugin ?? '', steward ?? '']));
    prometheus = new Prometheus({ host: '127.0.0.1', port: ports[0] });
    await until('both to be scraped', async () => {
      const targets = await prometheus.targets();
      return [plugin, steward].every((one) => targets[one ?? ''] === 'up');
    });
    await until('a pool', async () => (await prometheus.query('scaleio_pool_level == 1')).length === 1);
  });

  afterAll(async () => {
    for (const one of end) await one();
  });

  test('finds every metric that dashboard and alerts ask for', async () => {
    const pages = await Promise.all(
      ports.slice(1).map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
    );
    const shown = new Set(['up', ...pages.flatMap((text) => [...seriesOn(text)])]);
    const asked = [...dashboardQueries(), ...alertRules()].flatMap(({ expr }) => metricsIn(expr));
    expect(asked.length).toBeGreaterThan(100);
    expect(asked.filter((name) => !shown.has(name))).toEqual([]);
  });

  test('takes every query of the dashboard', async () => {
    for (const { expr } of dashboardQueries()) await prometheus.query(expr);
  });

  test('refuses a query that is none, so that the tests above say something', async () => {
    await expect(prometheus.query('sum by (')).rejects.toThrow('Prometheus refuses');
  });

  test('has loaded every alert, and none fires while all is well', async () => {
    for (const { expr } of alertRules()) await prometheus.query(expr);
    expect(await prometheus.firing()).toEqual([]);
  });
});
