import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Patience } from '../../../src/gateway/wire/answer-limit.ts';
import { createHttp } from '../../../src/gateway/wire/http.ts';
import { rejection } from './fake-gateway.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/gateway/tls/${name}`, import.meta.url), 'utf8');
const certificate = { cert: fixture('good.pem'), key: fixture('good.key') };
const LONG_MS = 600_000;
const patience = { silenceMs: LONG_MS, wholeMs: undefined, startMs: LONG_MS };

/** Takes connections and says nothing. */
async function muteServer(): Promise<{ port: number; met: () => number; close: () => Promise<unknown> }> {
  let met = 0;
  const server = createServer((socket) => {
    met += 1;
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const closed = once(server, 'close');
  onTestFinished(() => {
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    met: () => met,
    close: () => {
      server.close();
      return closed;
    },
  };
}

test.each(['http', 'https'])(
  'closing ends what waits for an answer or for its connection, over %s',
  async (protocol) => {
    const { port, met } = await muteServer();
    const http = createHttp({ ca: undefined, insecure: true, connectTimeoutMs: LONG_MS });
    const request = get(`${protocol}://127.0.0.1:${port}`);
    const waiting = [rejection(http.send(request)), rejection(http.send(request))];
    await expect.poll(met).toBe(2);
    http.close();
    for (const error of await Promise.all(waiting)) expect(error.message).toBe('the plugin is closing');
    expect((await rejection(http.send(request))).message).toBe('the plugin is closing');
    expect(met()).toBe(2);
  },
);

const get = (origin: string, more: Partial<Patience> = {}) =>
  ({
    origin,
    path: '/',
    method: 'GET',
    headers: {},
    patience: { ...patience, ...more },
    signal: AbortSignal.timeout(LONG_MS),
  }) as const;

test('who no longer wants an answer hears so while the connection is still being made', async () => {
  const { port, met } = await muteServer();
  const http = createHttp({ ca: undefined, insecure: true, connectTimeoutMs: LONG_MS });
  const wanted = new AbortController();
  const asked = rejection(http.send({ ...get(`https://127.0.0.1:${port}`), signal: wanted.signal }));
  await expect.poll(met).toBe(1);
  wanted.abort(new Error('enough'));
  expect((await asked).message).toBe('enough');
});

test('a gateway that takes the request and says nothing is given up after the time for a silence', async () => {
  const { port } = await muteServer();
  const http = createHttp({ ca: undefined, insecure: false, connectTimeoutMs: LONG_MS });
  onTestFinished(() => {
    http.close();
  });
  const asked = http.send(get(`http://127.0.0.1:${port}`, { silenceMs: 50 }));
  expect(await rejection(asked)).toMatchObject({ message: 'no answer in time', mayHaveActed: true });
});

test.each(['http', 'https'])(
  'of a port where nobody listens it is known that nothing was sent, over %s',
  async (protocol) => {
    const { port, close } = await muteServer();
    await close();
    const http = createHttp({ ca: undefined, insecure: true, connectTimeoutMs: LONG_MS });
    const refused = await rejection(http.send(get(`${protocol}://127.0.0.1:${port}`)));
    expect(refused).toMatchObject({ message: 'connection refused', mayHaveActed: false });
  },
);

test('the same is known where the connection is not made in its time', async () => {
  const { port } = await muteServer();
  const http = createHttp({ ca: undefined, insecure: true, connectTimeoutMs: 50 });
  const late = await rejection(http.send(get(`https://127.0.0.1:${port}`)));
  expect(late).toMatchObject({ message: 'no connection in time', mayHaveActed: false });
});

test('a gateway behind others that share its address hears which one is meant', async () => {
  const meant: string[] = [];
  const server = createTlsServer({
    ...certificate,
    SNICallback: (name, done) => {
      meant.push(name);
      done(null);
    },
  });
  server.on('request', (_request, response) => response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const http = createHttp({ ca: undefined, insecure: true, connectTimeoutMs: LONG_MS });
  onTestFinished(() => {
    http.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  expect((await http.send(get(`https://localhost:${port}`))).status).toBe(200);
  expect(meant).toEqual(['localhost']);
});
