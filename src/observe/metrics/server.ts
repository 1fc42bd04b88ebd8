import type { Server } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import { makeRoom } from '../../host/connections.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { addPages, type Pages } from './pages.ts';

export interface MetricsServerOptions {
  /** IP address or host name, and port: "127.0.0.1:9470", "[::1]:9470"; or what `listen` makes of it. */
  readonly address: string;
  /** How to listen there; default: TCP. Rejects when it cannot be had. */
  readonly listen?: (server: Server, address: string) => Promise<void>;
  readonly pages: Pages;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
}

export interface MetricsServer {
  close(): Promise<void>;
}

const TRY_AGAIN_MS = 10_000;
const MOST_CONNECTIONS = 64;
const SLOW_REQUEST_MS = 10_000;
const CHECK_MS = 1000;

/**
 * The pages on an address of their own. Resolves at once: one that cannot be had (taken, not up yet) is logged and tried
 * again every 10 s, because who watches must not keep the work from being done.
 */
export function createMetricsServer(options: MetricsServerOptions): MetricsServer {
  const server = Fastify({
    logger: false,
    forceCloseConnections: true,
    requestTimeout: SLOW_REQUEST_MS,
    http: { headersTimeout: SLOW_REQUEST_MS, connectionsCheckingInterval: CHECK_MS },
  });
  makeRoom(server.server, MOST_CONNECTIONS);
  addPages(server, options.pages);
  const closing = new AbortController();
  const listening = listen(server, options, closing.signal);
  return {
    close: async () => {
      closing.abort();
      await listening;
      server.server.closeAllConnections();
      await server.close();
    },
  };
}

async function listen(
  server: FastifyInstance,
  { address, listen: listenThere, clock, log }: MetricsServerOptions,
  signal: AbortSignal,
): Promise<void> {
  await server.ready();
  for (let tries = 1; !signal.aborted; tries += 1) {
    try {
      if (listenThere === undefined) await server.listen(hostAndPort(address));
      else await listenThere(server.server, address);
      log.info({ address }, 'metrics are served');
      return;
    } catch (error) {
      log[tries === 1 ? 'error' : 'debug'](
        { address, error: String(error) },
        'metrics cannot be served there; trying again every 10 s',
      );
    }
    await clock.sleep(TRY_AGAIN_MS, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(`http://${address}`);
  // A URL leaves out the port that its scheme has anyway.
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
}
