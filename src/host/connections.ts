import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/**
 * Holds a server to so many connections at once: a new one above that takes the place of the one that has been without a request
 * longest, so that connections which ask for nothing keep nobody out. Where all have a request under way, the new one is
 * refused. To be called before the server listens.
 */
export function makeRoom(server: Server, most: number): void {
  /** Without a request under way, the longest first. */
  const idle = new Set<Socket>();
  const open = new Set<Socket>();
  const underWay = new WeakMap<Socket, number>();
  const count = (socket: Socket, by: 1 | -1): void => {
    const requests = (underWay.get(socket) ?? 0) + by;
    underWay.set(socket, requests);
    if (requests > 0) idle.delete(socket);
    else if (open.has(socket)) idle.add(socket);
  };
  // What requests come over with TLS; a handshake that does not end has a limit of its own.
  const begins = server instanceof TlsServer ? 'secureConnection' : 'connection';
  server.on(begins, (socket: Socket) => {
    if (open.size >= most) {
      const [longest] = idle;
      if (longest === undefined) {
        socket.destroy();
        return;
      }
      longest.destroy();
      forget(longest);
    }
    open.add(socket);
    idle.add(socket);
    socket.once('close', () => {
      forget(socket);
    });
  });
  const forget = (socket: Socket): void => {
    open.delete(socket);
    idle.delete(socket);
  };
  server.prependListener('request', ({ socket }, response) => {
    count(socket, 1);
    response.once('close', () => {
      count(socket, -1);
    });
  });
}
