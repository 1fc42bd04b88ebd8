import { addAbortListener } from 'node:events';
import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

export interface ConnectOptions {
  /** PEM content, asked for at each connection; when given, only these authorities are trusted. Never rejects. */
  readonly ca: (() => Promise<string>) | undefined;
  /** True: any certificate is taken. Only when the user said so in so many words. */
  readonly insecure: boolean;
  /** For TCP and TLS together. */
  readonly connectTimeoutMs: number;
}

/** No connection within its time. */
export class ConnectTimeoutError extends Error {
  override name = 'ConnectTimeoutError';
}

/** The connections of one protocol, kept for later requests. */
export type Connections = HttpAgent;

/** As Node hands it to an agent; `host` and `port` are always there then. */
type Target = ConnectionOptions & { readonly host?: string; readonly port?: number | string };

/** Tomcat closes idle connections after 20 s; nearer to that, more requests meet a connection being closed. */
const IDLE_MS = 10_000;

interface Phase {
  /**
   * Told of each error of the connecting phase before the request that waits for the connection is: in that phase nothing was sent.
   */
  readonly failed: (error: Error) => void;
  /** Ends the making of connections, of which an agent that is destroyed knows nothing yet. */
  readonly closing: AbortSignal;
}

/**
 * Connections to gateways of one protocol, as many as there are requests at a time: whoever sends them holds the limit, and Node's own counts
 * no connection that is still being made.
 */
export function openConnections(
  protocol: 'http:' | 'https:',
  options: ConnectOptions,
  { failed, closing }: Phase,
): Connections {
  const { connectTimeoutMs } = options;
  const kept: AgentOptions = { keepAlive: true, timeout: IDLE_MS };
  const agent = protocol === 'https:' ? new HttpsAgent(kept) : new HttpAgent(kept);
  const begin = protocol === 'https:' ? tlsWith(options) : plain;
  const connectIn = async (target: Target): Promise<Duplex> => {
    try {
      return await established(await begin(target), connectTimeoutMs, closing);
    } catch (cause) {
      // OpenSSL throws at once at authorities that it cannot make anything of.
      const error = cause instanceof Error ? cause : new Error(String(cause));
      failed(error);
      throw error;
    }
  };
  agent.createConnection = (target, callback) => {
    connectIn(target as Target).then(
      (socket) => callback?.(null, socket),
      // Node's types want a socket here as well; Node itself takes none.
      (error: unknown) => (callback as ((error: unknown) => void) | undefined)?.(error),
    );
    return undefined;
  };
  return agent;
}

interface Begun {
  readonly socket: Socket;
  readonly ready: 'connect' | 'secureConnect';
}

function plain({ host, port }: Target): Begun {
  return { socket: connectTcp({ host, port: Number(port) }), ready: 'connect' };
}

/** With the authorities as they are at that moment; no session is taken up again, so none that other authorities let in. */
function tlsWith({ ca, insecure }: ConnectOptions): (target: Target) => Promise<Begun> {
  return async ({ host, port, servername }) => {
    const trusted = await ca?.();
    const socket = connectTls({
      host,
      port: Number(port),
      servername,
      rejectUnauthorized: !insecure,
      ALPNProtocols: ['http/1.1'],
      ...(trusted === undefined ? {} : { ca: trusted }),
    });
    return { socket, ready: 'secureConnect' };
  };
}

function established({ socket, ready }: Begun, limitMs: number, closing: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const closed = addAbortListener(closing, () => {
      socket.destroy(new Error('closed'));
    });
    const limit = setTimeout(() => {
      socket.destroy(new ConnectTimeoutError(`no connection within ${limitMs} ms`));
    }, limitMs);
    const settle = (): void => {
      clearTimeout(limit);
      closed[Symbol.dispose]();
      socket.off('error', refused).off(ready, connected);
    };
    const connected = (): void => {
      settle();
      socket.setNoDelay(true).setKeepAlive(true, 60_000);
      resolve(socket);
    };
    const refused = (error: Error): void => {
      settle();
      // Another one may follow, which nobody waits for any more.
      socket.on('error', () => undefined);
      reject(error);
    };
    socket.once(ready, connected).once('error', refused);
  });
}
