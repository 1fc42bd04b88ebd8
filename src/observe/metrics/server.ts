import type { Server } from 'node:http';
import Fastify from 'fastify';
import { makeRoom } from '../../host/connections.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { hostAndPort, servedAddress } from '../../runtime/served-address.ts';
import { addPages, type Pages } from './pages.ts';

export interface MetricsServerOptions {
  /** IP address or host name, and port: "127.0.0.1:9470", "[::1]:9470"; or what `listen` makes of it. */
  readonly address: string;
  /** How to listen there; default: TCP. Rejects when it cannot be had. */
  readonly listen?: (server: Server, address: string) => Promise<void>;
  readonly pages: Pages;
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  readonly log: Log;
}

export interface MetricsServer {
  close(): Promise<void>;
}

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
  const { address, listen, clock, log } = options;
  const listening = servedAddress({
    address,
    listen: async () => {
      await server.ready();
      if (listen === undefined) await server.listen(hostAndPort(address));
      else await listen(server.server, address);
      return { address };
    },
    what: 'metrics are',
    name: 'metrics',
    clock,
    log,
  });
  listening.start();
  return {
    close: async () => {
      await listening.stop();
      server.server.closeAllConnections();
      await server.close();
    },
  };
}
