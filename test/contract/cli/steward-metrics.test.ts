import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { fillPool, removePool } from 'scaleio-simulator/operations';
import { freePort } from '../../../lab/prometheus/free-port.ts';
import { newWebhookKey } from '../../../lab/secrets/used.ts';
import { PASSWORD, simulated } from '../gateway/simulated.ts';

/** Somebody who takes every alert. */
async function webhook(): Promise<string> {
  const server = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/told`;
}

/** `steward` as it runs, ten rounds a second, in front of a simulated array with two pools. */
async function runningSteward({ isTold = true } = {}) {
  const { simulator } = await simulated({
    domains: [{ name: 'pd1', pools: [{ name: 'sp1' }, { name: 'sp2', devices: 0 }] }],
  });
  const dir = await mkdtemp(path.join(tmpdir(), 'steward-metrics-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const [socket, policy, key] = ['s.sock', 'steward.yml', 'key'].map((name) => path.join(dir, name));
  const port = await freePort();
  await writeFile(key ?? '', newWebhookKey());
  const webhooks = isTold ? [{ url: await webhook(), secretFile: key }] : [];
  const said = { version: 1, interval: '100ms', webhooks, pools: [{ pool: 'sp1' }] };
  await writeFile(policy ?? '', JSON.stringify(said));
  const asked = Promise.withResolvers<undefined>();
  const ended = runCommandLine({
    argv: ['steward', '--policy', policy ?? '', '--metrics-socket', socket ?? ''],
    env: {
      SCALEIO_ENDPOINT: simulator.urls.join(),
      SCALEIO_USERNAME: 'admin',
      SCALEIO_PASSWORD: PASSWORD,
      SCALEIO_LOG_LEVEL: 'error',
      SCALEIO_METRICS_ADDRESS: `127.0.0.1:${port}`,
    },
    pid: 1,
    stdout: process.stdout,
    stderr: process.stderr,
    onSignal: (_, handler) => void asked.promise.then(handler),
  });
  const stop = async (): Promise<number> => {
    asked.resolve(undefined);
    return ended;
  };
  onTestFinished(() => void stop());
  const onSocket = async (page: string): Promise<{ status: number | undefined; body: string }> => {
    const sent = request({ socketPath: socket, path: page, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode, body: await text(response) };
  };
  const metric = async (line: string): Promise<string | undefined> => {
    const { body } = await onSocket('/metrics');
    return body
      .split('\n')
      .find((one) => one.startsWith(`${line} `))
      ?.slice(line.length + 1);
  };
  const url = `http://127.0.0.1:${port}`;
  return { simulator, socket: socket ?? '', url, stop, onSocket, metric };
}

const soon = { timeout: 20_000, interval: 50 };

test('a steward serves what it sees on a socket of its own and on the address of the settings', async () => {
  const { simulator, socket, url, stop, onSocket, metric } = await runningSteward();
  await expect.poll(() => onSocket('/readyz').catch(String), soon).toMatchObject({ status: 200 });
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  expect(await (await fetch(`${url}/readyz`)).text()).toBe((await onSocket('/readyz')).body);
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('scaleio_build_info{component="steward"');

  const [pool, second] = simulator.array.cluster.state.pools.values();
  const { id: system } = simulator.array.cluster.state.system();
  const labels = `system="${system}",domain="pd1",pool="sp1"`;
  expect(await metric(`scaleio_pool_level{${labels},level="ok"}`)).toBe('1');
  const other = `scaleio_pool_devices{${labels.replace('sp1', 'sp2')}}`;
  expect(await metric(other)).toBe('0');
  expect(Number(await metric('scaleio_steward_rounds_total{outcome="ok"}'))).toBeGreaterThan(0);
  expect(await metric(`scaleio_gateway_up{gateway="${simulator.urls.join()}"}`)).toBe('1');

  await fillPool(simulator.array, pool?.id ?? '', 95);
  await expect.poll(() => metric(`scaleio_pool_level{${labels},level="critical"}`), soon).toBe('1');
  expect(Number(await metric(`scaleio_pool_used_ratio{${labels}}`))).toBeCloseTo(0.95, 2);
  const told = 'scaleio_steward_actions_total{action="alert",outcome="done"}';
  await expect.poll(() => metric(told), soon).toBe('1');

  await simulator.array.perform((cluster) => {
    removePool(cluster, second?.id ?? '');
  });
  await expect.poll(() => metric(other), soon).toBe(undefined);

  await simulator.gateways[0]?.down();
  await expect.poll(() => metric('scaleio_steward_array_reachable'), soon).toBe('0');
  expect((await onSocket('/readyz')).status).toBe(503);
  expect(await metric(`scaleio_pool_level{${labels},level="critical"}`)).toBe('1');

  expect(await stop()).toBe(0);
  await expect(onSocket('/healthz')).rejects.toThrow();
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

test('a steward that has nobody to tell counts the levels that changed', async () => {
  const { simulator, metric, stop } = await runningSteward({ isTold: false });
  const changes = 'scaleio_steward_level_changes_total{level="critical"}';
  await expect.poll(() => metric(changes).catch(String), soon).toBe('0');
  const [pool] = simulator.array.cluster.state.pools.values();
  await fillPool(simulator.array, pool?.id ?? '', 95);
  await expect.poll(() => metric(changes), soon).toBe('1');
  expect(await stop()).toBe(0);
});
