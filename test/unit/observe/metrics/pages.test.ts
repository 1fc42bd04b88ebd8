import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { addPages } from '../../../../src/observe/metrics/pages.ts';
import { createMetricsServer } from '../../../../src/observe/metrics/server.ts';
import { GATEWAY, ME, pluginMetrics } from './watched.ts';

const answered = {
  endpoint: GATEWAY,
  method: 'GET',
  route: '/api/types/Volume/instances',
  status: 200,
  ms: 1,
  attempt: 1,
  outcome: 'ok' as const,
};
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A plugin that is ready, and what its pages answer. */
function readyPlugin() {
  const plugin = pluginMetrics();
  plugin.watched.identity = ME;
  plugin.metrics.recordRequest(answered);
  const server = Fastify();
  addPages(server, plugin.pages);
  const ask = async (url: string) => {
    const { statusCode: status, headers, body } = await server.inject({ url });
    return { status, type: headers['content-type'], body };
  };
  const unready = async (): Promise<string[]> => {
    const { status, body } = await ask('/readyz');
    const { ready, checks } = plugin.pages.readiness.report();
    expect([status, JSON.parse(body)]).toEqual([ready ? 200 : 503, { ready, checks }]);
    return checks.filter((check) => !check.ready).map(({ name, reason }) => `${name}: ${reason}`);
  };
  return { ...plugin, ask, unready };
}

describe('the pages', () => {
  it('show metrics as Prometheus reads them', async () => {
    const { status, type, body } = await readyPlugin().ask('/metrics');
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body).toContain('# TYPE scaleio_operations_total counter');
  });

  it('show health even when not ready', async () => {
    const { ask, watched } = readyPlugin();
    watched.mustRebuild = true;
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  });

  it('say ready when every check is fulfilled', async () => {
    const { unready, scraped } = readyPlugin();
    expect(await unready()).toEqual([]);
    expect(await scraped('scaleio_ready', 'check="gateway"')).toBe(1);
  });

  it('say what is missing at the start', () => {
    const server = pluginMetrics();
    const { checks } = server.pages.readiness.report();
    expect(checks.map(({ name, ready }) => [name, ready])).toEqual([
      ['settings', true],
      ['gateway', false],
      ['sdc', false],
      ['journal', true],
    ]);
  });

  it.each([
    [
      'failed',
      undefined,
      '/api/types/Volume/instances',
      `gateway: gateway ${GATEWAY} does not answer usefully`,
    ],
    ['refused', 401, '/api/login', `gateway: gateway ${GATEWAY} refuses the user or its password`],
  ] as const)('say when the gateway %s a request with %s', async (outcome, status, route, reason) => {
    const { metrics, unready, scraped } = readyPlugin();
    metrics.recordRequest({ ...answered, outcome, status, route });
    expect(await unready()).toEqual([expect.stringContaining(reason)]);
    expect(await scraped('scaleio_ready', 'check="gateway"')).toBe(0);
    metrics.recordRequest(answered);
    expect(await unready()).toEqual([]);
  });

  it('count a refusal of the array as an answer, and a hung-up request as nothing', async () => {
    const { metrics, watched, unready } = readyPlugin();
    watched.passedMs += 3_600_000;
    metrics.recordRequest({ ...answered, outcome: 'cancelled', status: undefined });
    expect(await unready()).toEqual(['gateway: last answer 3600 s ago']);
    metrics.recordRequest({ ...answered, outcome: 'refused', status: 404 });
    expect(await unready()).toEqual([]);
  });

  it.each([-2, 2])('know how long ago a gateway answered when the clock was set by %d h', async (hours) => {
    const { watched, unready } = readyPlugin();
    watched.setByMs = hours * 3_600_000;
    watched.passedMs += 5000;
    expect(await unready()).toEqual([]);
    watched.passedMs += 3_600_000;
    expect(await unready()).toEqual(['gateway: last answer 3605 s ago']);
  });

  it('say when the journal cannot be written, or the SDC is not known', async () => {
    const { watched, unready } = readyPlugin();
    watched.journalFailure = 'disk full';
    watched.identity = undefined;
    expect(await unready()).toEqual(['sdc: not asked about yet', 'journal: disk full']);
    watched.hostProblem = 'not approved: ask the storage team';
    expect(await unready()).toContain('sdc: not approved: ask the storage team');
    watched.identity = ME;
    expect(await unready()).toContain('sdc: not approved: ask the storage team');
  });
});

describe('the metrics server', () => {
  it('waits for an address that is taken, and serves when it is free', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const { promise: refused, resolve: onRefused } = Promise.withResolvers<string>();
    const { promise: served, resolve: onServed } = Promise.withResolvers<string>();
    const turns = Promise.withResolvers<undefined>();
    const server = createMetricsServer({
      address: `127.0.0.1:${port}`,
      pages: pluginMetrics().pages,
      clock: { elapsed: () => 0, sleep: () => turns.promise.then(() => undefined) },
      log: {
        ...silent,
        error: (_, message) => {
          onRefused(message);
        },
        info: (_, message) => {
          onServed(message);
        },
      },
    });
    expect(await refused).toMatch(/trying again/);
    squatter.close();
    await once(squatter, 'close');
    turns.resolve(undefined);
    await served;
    const idle = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(await response.json()).toEqual({ status: 'ok' });
    for (const socket of idle.slice(0, 30)) if (!socket.destroyed) await once(socket, 'close');
    for (const socket of idle) socket.destroy();
    await server.close();
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });
});
