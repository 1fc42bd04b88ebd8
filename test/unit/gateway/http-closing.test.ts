import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createHttp } from '../../../src/gateway/wire/http.ts';
import { rejection } from './fake-gateway.ts';

const LONG_MS = 600_000;
const patience = { silenceMs: LONG_MS, wholeMs: undefined, startMs: LONG_MS };

/** Takes connections and says nothing. */
async function muteServer(): Promise<{ port: number; met: () => number }> {
  let met = 0;
  const server = createServer((socket) => {
    met += 1;
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, met: () => met };
}

test.each(['http', 'https'])(
  'closing ends what waits for an answer or for its connection, over %s',
  async (protocol) => {
    const { port, met } = await muteServer();
    const http = createHttp({ ca: undefined, insecure: true, connectTimeoutMs: LONG_MS });
    const request = {
      origin: `${protocol}://127.0.0.1:${port}`,
      path: '/',
      method: 'GET',
      headers: {},
      patience,
      signal: AbortSignal.timeout(LONG_MS),
    } as const;
    const waiting = [rejection(http.send(request)), rejection(http.send(request))];
    await expect.poll(met).toBe(2);
    http.close();
    for (const error of await Promise.all(waiting)) expect(error.message).toBe('the plugin is closing');
    expect((await rejection(http.send(request))).message).toBe('the plugin is closing');
    expect(met()).toBe(2);
  },
);

test('who no longer wants an answer hears so while the connection is still being made', async () => {
  const { port, met } = await muteServer();
  const http = createHttp({ ca: undefined, insecure: true, connectTimeoutMs: LONG_MS });
  const wanted = new AbortController();
  const asked = rejection(
    http.send({
      origin: `https://127.0.0.1:${port}`,
      path: '/',
      method: 'GET',
      headers: {},
      patience,
      signal: wanted.signal,
    }),
  );
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
  const asked = http.send({
    origin: `http://127.0.0.1:${port}`,
    path: '/',
    method: 'GET',
    headers: {},
    patience: { ...patience, silenceMs: 50 },
    signal: AbortSignal.timeout(LONG_MS),
  });
  expect(await rejection(asked)).toMatchObject({ message: 'no answer in time', mayHaveActed: true });
});
