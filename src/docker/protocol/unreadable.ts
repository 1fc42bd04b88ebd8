import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

import { CONTENT_TYPE, failed } from './responses.ts';

/**
 * Makes the server answer what is not readable as an HTTP request like every other failure: with status 500 and a
 * JSON text. A connection on which a call is still running is closed instead, because its client would take
 * the refusal for that call's answer.
 */
export function answerUnreadableRequests(server: Server): void {
  const busy = new WeakMap<Duplex, number>();
  const count = (socket: Duplex, by: number) => busy.set(socket, (busy.get(socket) ?? 0) + by);
  server.prependListener('request', ({ socket }, response) => {
    count(socket, 1);
    response.once('close', () => count(socket, -1));
  });
  server.removeAllListeners('clientError');
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const isIdle = (busy.get(socket) ?? 0) === 0;
    const isTooSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (isIdle && socket.writable && !isTooSlow && error.code !== 'ECONNRESET') refuse(socket);
    else socket.destroy();
  });
  server.on('connect', (_, socket) => {
    refuse(socket);
  });
  server.on('checkExpectation', (request, response) => {
    server.emit('request', request, response);
  });
}

function refuse(socket: Duplex): void {
  const body = failed('this is not an HTTP request that can be read');
  const head = [
    'HTTP/1.1 500 Internal Server Error',
    `Content-Type: ${CONTENT_TYPE}`,
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
}
