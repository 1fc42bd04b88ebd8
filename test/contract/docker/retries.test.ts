import { Agent } from 'node:http';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  CancelledError,
  ConfigError,
  GatewayAuthError,
  GatewayRejectedError,
  GatewayUnavailableError,
  AttachError,
} from '../../../src/errors.ts';
import { MobyClient, PluginRefusal, TransportError } from './moby-client.ts';
import { listeningServer, type ListeningServer } from './started-server.ts';

describe('an engine that repeats calls with an empty body', () => {
  let server: ListeningServer;
  let agent: Agent;
  let engine: MobyClient;

  beforeEach(async () => {
    server = await listeningServer();
    agent = new Agent({ keepAlive: true, maxSockets: 2 });
    engine = new MobyClient(server.socketPath, agent);
    await engine.call('/VolumeDriver.Create', { Name: 'db', Opts: null });
  });
  afterEach(async () => {
    agent.destroy();
    await server.close();
  });

  it.each([
    new GatewayUnavailableError('no gateway answered in 10 s'),
    new GatewayAuthError('gateway refused user "docker"'),
    new GatewayRejectedError('gateway refused', { refusal: 'other' }),
    new CancelledError('Get did not finish within 50 s'),
    new AttachError('no SDC', { problem: 'not-installed' }),
    new ConfigError('no endpoint'),
    new Error('a bug'),
  ])('keeps what it knows of a volume when Get cannot tell: %s', async (doubt) => {
    server.driver.fail('get', doubt);
    expect(await engine.lookUp('db')).toBe('unreachable');
    const gets = engine.attempts.filter((attempt) => attempt.path.endsWith('Get'));
    expect(gets.map((attempt) => attempt.bodyLength)).toEqual([14, 0, 0, 0, 0]);
    expect(engine.clockSeconds).toBe(15);
    // The repeated calls came without a name, so the driver was asked once.
    expect(server.driver.calls.filter((call) => call === 'get')).toHaveLength(1);
  });

  it('keeps what it knows when the driver recovers between the attempts', async () => {
    server.driver.fail('get', new GatewayUnavailableError('no gateway answered'));
    const looking = engine.lookUp('db');
    await expect.poll(() => engine.attempts.length).toBeGreaterThan(2);
    server.driver.fail('get', undefined);
    expect(await looking).toBe('unreachable');
    expect(await engine.lookUp('db')).toBe('exists');
  });

  it('learns at once that a volume is not there', async () => {
    expect(await engine.lookUp('other')).toBe('absent');
    expect(engine.clockSeconds).toBe(0);
  });

  it('finds the volume over the connection that is left after a dropped one', async () => {
    server.driver.fail('get', new GatewayUnavailableError('no gateway answered'));
    await engine.lookUp('db');
    server.driver.fail('get', undefined);
    expect(await engine.lookUp('db')).toBe('exists');
  });

  it.each(['Create', 'Remove', 'Mount', 'Unmount', 'Path'])(
    'is refused when %s is repeated, and nothing happens twice',
    async (operation) => {
      const method = operation.toLowerCase() as 'mount';
      const gate = server.driver.hold(method);
      const called = engine.call(`/VolumeDriver.${operation}`, { Name: 'db', ID: 'a' });
      const refused = expect(called).rejects.toThrow(/without a body/);
      await gate.arrived;
      server.app.server.closeAllConnections();
      await refused;
      await expect(called).rejects.toBeInstanceOf(PluginRefusal);
      gate.open();
      expect(server.driver.calls.filter((call) => call === method)).toHaveLength(
        operation === 'Create' ? 2 : 1,
      );
      // The first attempt's client is gone, so nobody holds the volume.
      await expect.poll(() => server.driver.volumes.get('db')?.holders.size ?? 0).toBe(0);
    },
  );

  it('is told of the backend in every other call', async () => {
    server.driver.fail('mount', new GatewayUnavailableError('no gateway answered in 10 s\n(gw1: refused)'));
    const mounting = engine.call('/VolumeDriver.Mount', { Name: 'db', ID: 'a' });
    await expect(mounting).rejects.toThrow('no gateway answered in 10 s (gw1: refused)');
    expect(engine.clockSeconds).toBe(0);
  });

  it('reaches nobody when the plugin is away, and does not forget the volume', async () => {
    await server.app.close();
    server.app.server.closeAllConnections();
    expect(await engine.lookUp('db')).toBe('unreachable');
    await expect(engine.call('/VolumeDriver.Path', { Name: 'db' })).rejects.toBeInstanceOf(TransportError);
  });
});
