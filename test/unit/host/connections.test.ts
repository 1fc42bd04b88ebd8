import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { makeRoom } from '../../../src/host/connections.ts';

/** On a machine with much else to do. */
const PATIENT = { timeout: 20_000 };

/** A server that lets a test answer, with room for two connections. */
async function serving() {
  const answers: ServerResponse[] = [];
  const server = createServer((_request, response) => answers.push(response));
  makeRoom(server, 2);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const open = async (): Promise<Socket> => {
    const accepted = once(server, 'connection');
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    await Promise.all([once(socket, 'connect'), accepted]);
    return socket;
  };
  const ask = async (socket: Socket): Promise<ServerResponse> => {
    const before = answers.length;
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await vi.waitFor(() => {
      expect(answers.length).toBe(before + 1);
    }, PATIENT);
    const answer = answers.at(-1);
    if (answer === undefined) throw new Error('no request came');
    return answer;
  };
  return { open, ask };
}

it('lets a new connection take the place of the one that has asked for nothing longest', async () => {
  const { open, ask } = await serving();
  const [first, second] = [await open(), await open()];
  const gone = once(first, 'close');
  const third = await open();
  await gone;
  (await ask(second)).end();
  (await ask(third)).end();
});

it('counts as idle from its last answer on, and spares who waits for an answer', async () => {
  const { open, ask } = await serving();
  const [first, second] = [await open(), await open()];
  const waiting = await ask(first);
  const gone = once(second, 'close');
  const third = await open();
  await gone;
  waiting.end();
  await once(first, 'data');
  const alsoGone = once(third, 'close');
  (await ask(first)).end();
  await once(first, 'data');
  await open();
  await alsoGone;
});

it('refuses a new one only while all others wait for an answer', async () => {
  const { open, ask } = await serving();
  const [first, second] = [await open(), await open()];
  const waiting = [await ask(first), await ask(second)];
  const third = await open();
  await once(third, 'close');
  for (const answer of waiting) answer.end();
  await once(first, 'data');
  await once(second, 'data');
  await ask(await open());
});
