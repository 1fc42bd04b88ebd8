import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What a half-dead gateway does with a request: nothing, or an answer of a byte a second from its first or from its second line on. */
export type Illness = 'is silent' | 'drips' | 'drips its body';

/** It takes connections and requests, and is of no other use. */
export interface HalfDeadGateway {
  readonly url: string;
  /** Pieces of requests taken since it is ill. */
  readonly asked: () => number;
  readonly fallIll: () => void;
  readonly close: () => Promise<void>;
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n';

/** Answers for ever, a byte each second: each of them in time for whoever measures the silence alone. */
function drip(socket: Socket, illness: Illness): NodeJS.Timeout {
  let left = illness === 'drips' ? HEAD : '';
  if (illness === 'drips its body') socket.write(HEAD);
  return setInterval(() => {
    socket.write(left.slice(0, 1) || '0');
    left = left.slice(1);
  }, 1000);
}

/** Listens on loopback. `servedBy`: the URL of a gateway that answers in its place until it falls ill; else it is ill at once. */
export async function startHalfDeadGateway(illness: Illness, servedBy?: string): Promise<HalfDeadGateway> {
  const sockets = new Set<Socket>();
  let isIll = servedBy === undefined;
  let asked = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let dripping: NodeJS.Timeout | undefined;
    const well = servedBy === undefined || isIll ? undefined : connect(portOf(servedBy), '127.0.0.1');
    well?.on('data', (answer) => {
      if (!isIll) socket.write(answer);
    });
    socket.on('data', (request) => {
      if (isIll) asked += 1;
      if (!isIll) well?.write(request);
      else if (illness !== 'is silent') dripping ??= drip(socket, illness);
    });
    const end = (): void => {
      clearInterval(dripping);
      sockets.delete(socket);
      socket.destroy();
      well?.destroy();
    };
    for (const one of [socket, well]) one?.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    fallIll: () => {
      isIll = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
