import { connect } from 'node:net';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { afterEach, describe, expect, it } from 'vitest';

import { listeningServer, type ListeningServer } from './started-server.ts';
import { socketClient } from './target.ts';

const VOLUMES = 100_000;

describe('load that engines make', () => {
  let server: ListeningServer;
  afterEach(() => server.close());

  it(`lists ${VOLUMES} volumes without holding up other calls for more than 50 ms`, async () => {
    server = await listeningServer();
    const client = socketClient(server.socketPath);
    const volumes = Array.from({ length: VOLUMES }, (_, index) => ({
      name: `volume-${index}`,
      mountpoint: '',
    }));
    server.driver.list = () => Promise.resolve(volumes);
    await client.request({ path: '/VolumeDriver.List' });
    // The best of three, because other programs of the machine can hold up the event loop as well.
    const delaysMs: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      expect(await listLength(server.socketPath)).toBeGreaterThan(VOLUMES * 30);
      delay.disable();
      delaysMs.push(delay.max / 1e6);
    }
    client.end();
    expect(Math.min(...delaysMs)).toBeLessThan(50);
  });

  it('answers 1000 Gets at once over as many connections, as when an engine starts', async () => {
    server = await listeningServer();
    const client = socketClient(server.socketPath, 1000);
    await client.request({ path: '/VolumeDriver.Create', body: '{"Name":"db"}' });
    const get = () => client.request({ path: '/VolumeDriver.Get', body: '{"Name":"db"}' });
    const outcomes = await Promise.all(Array.from({ length: 1000 }, get));
    expect(outcomes.filter((outcome) => outcome.kind === 'answer' && outcome.status === 200)).toHaveLength(
      1000,
    );
    client.end();
  });

  it('tolerates connections without a request, as of the probe when a plugin is enabled, and cut ones', async () => {
    server = await listeningServer();
    const cuts = [
      '',
      'POST /Vol',
      'POST /VolumeDriver.Mount HTTP/1.1\r\nContent-Length: 15\r\n\r\n',
      'POST / HTTP/1.1\r\n',
    ];
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const socket = connect(server.socketPath);
        await once(socket, 'connect');
        socket.end(cuts[index % cuts.length] ?? '');
        socket.resume();
        await once(socket, 'close');
      }),
    );
    const client = socketClient(server.socketPath);
    expect(await client.request({ path: '/Plugin.Activate' })).toMatchObject({ kind: 'answer', status: 200 });
    expect(server.driver.calls).toEqual([]);
    expect(server.log.filter((line) => line.level === 'error')).toEqual([]);
    client.end();
  });

  it('keeps connections longer than engines do, for any number of requests', async () => {
    server = await listeningServer();
    expect(server.app.server.keepAliveTimeout).toBeGreaterThanOrEqual(65_000);
    expect(server.app.server.headersTimeout).toBeGreaterThan(server.app.server.keepAliveTimeout);
    expect(server.app.server.maxRequestsPerSocket).toBe(0);
    expect(server.app.server.requestTimeout).toBe(0);
  });
});

/** Bytes of the answer to List, read without making strings of them, so that only the server's work is measured. */
async function listLength(socketPath: string): Promise<number> {
  const socket = connect(socketPath);
  socket.write('POST /VolumeDriver.List HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  let length = 0;
  socket.on('data', (chunk: Buffer) => (length += chunk.length));
  await once(socket, 'close');
  return length;
}
