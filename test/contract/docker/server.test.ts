import { connect } from 'node:net';
import { once } from 'node:events';
import { newSecret } from '../../../lab/secrets/used.ts';

import { afterEach, describe, expect, it } from 'vitest';

import { VolumeNotFoundError } from '../../../src/errors.ts';
import { listeningServer, type ListeningServer } from './started-server.ts';
import { socketClient } from './target.ts';

const QUICK = { longMs: 60, shortMs: 30, graceMs: 20 };

describe('the protocol server', () => {
  let server: ListeningServer;
  afterEach(() => server.close());

  const post = async (path: string, body: object) => {
    const client = socketClient(server.socketPath);
    const outcome = await client.request({ path, body: JSON.stringify(body) });
    client.end();
    return outcome;
  };

  it('stops a driver at its deadline, and answers when the driver has stopped', async () => {
    server = await listeningServer({ deadlines: { ...QUICK, graceMs: 10_000 } });
    server.driver.mount = (_name, _id, call) =>
      new Promise((_, reject) => {
        call.signal.addEventListener('abort', () => {
          reject(call.signal.reason as Error);
        });
      });
    const outcome = await post('/VolumeDriver.Mount', { Name: 'db', ID: 'a' });
    expect(outcome).toMatchObject({
      status: 500,
      text: '{"Err":"Mount did not finish within 0.06 s; try again"}',
    });
  });

  it('answers without a driver that does not stop, and treats its client as gone', async () => {
    server = await listeningServer({ deadlines: QUICK });
    await post('/VolumeDriver.Create', { Name: 'db' });
    const gate = server.driver.hold('mount');
    const outcome = await post('/VolumeDriver.Mount', { Name: 'db', ID: 'a' });
    expect(outcome).toMatchObject({ status: 500 });
    gate.open();
    await expect.poll(() => server.driver.calls).toEqual(['create', 'mount']);
    expect(server.driver.volumes.get('db')?.holders).toEqual(new Set());
  });

  it('does not answer a Get whose driver does not stop', async () => {
    server = await listeningServer({ deadlines: QUICK });
    const gate = server.driver.hold('get');
    expect(await post('/VolumeDriver.Get', { Name: 'db' })).toEqual({ kind: 'dropped' });
    gate.open();
  });

  it('says where to look for a bug, and nothing of the bug', async () => {
    server = await listeningServer();
    server.driver.fail('remove', new TypeError(`cannot read password ${newSecret('password')}`));
    const outcome = await post('/VolumeDriver.Remove', { Name: 'db' });
    expect(outcome).toMatchObject({
      status: 500,
      text: '{"Err":"internal error, see the plugin\'s log for request request-1"}',
    });
    expect(server.log).toHaveLength(1);
    expect(server.log[0]).toMatchObject({ level: 'error', facts: { requestId: 'request-1', volume: 'db' } });
    expect(server.log[0]?.facts['err']).toBeInstanceOf(TypeError);
    expect(outcome).toMatchObject({ headers: { 'x-request-id': 'request-1' } });
  });

  it('logs one line for each call: what, on what, how it ended and how long it took', async () => {
    server = await listeningServer();
    await post('/VolumeDriver.Create', { Name: 'db' });
    await post('/VolumeDriver.Get', { Name: 'other' });
    server.driver.fail('mount', new VolumeNotFoundError('gone', { context: { volume: 'db' } }));
    await post('/VolumeDriver.Mount', { Name: 'db', ID: 'a' });
    expect(
      server.log.map(({ level, message, facts }) => [level, message, facts['outcome'], facts['volume']]),
    ).toEqual([
      ['info', 'Create done', 'done', 'db'],
      ['debug', 'Get failed', 'failed', 'other'],
      ['warn', 'Mount failed', 'failed', 'db'],
    ]);
    expect(server.log[2]?.facts).toMatchObject({ code: 'VOLUME_NOT_FOUND', reason: 'gone', mountId: 'a' });
    server.log.forEach(({ facts }) => {
      expect(facts['ms']).toBeTypeOf('number');
    });
  });

  it('breaks the connection of a running call rather than answer it with the refusal of another', async () => {
    server = await listeningServer();
    await post('/VolumeDriver.Create', { Name: 'db' });
    const gate = server.driver.hold('get');
    const socket = connect(server.socketPath);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('error', () => undefined);
    socket.write('POST /VolumeDriver.Get HTTP/1.1\r\nContent-Length: 13\r\n\r\n{"Name":"db"}');
    await gate.arrived;
    socket.write('this is not HTTP\r\n\r\n');
    await once(socket, 'close');
    gate.open();
    expect(Buffer.concat(received).toString()).toBe('');
  });

  it.each([
    'this is not HTTP\r\n\r\n',
    'CONNECT a:1 HTTP/1.1\r\n\r\n',
    `POST / HTTP/1.1\r\nX: ${'x'.repeat(99_999)}\r\n\r\n`,
  ])('refuses what is not a readable request as it refuses everything else: %.20s', async (text) => {
    server = await listeningServer();
    const socket = connect(server.socketPath);
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1.1 500 [^]*\r\n\r\n\{"Err":"[^"]+"\}$/);
  });
});
