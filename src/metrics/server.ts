import Fastify, { type FastifyInstance } from 'fastify';
import type { Clock, Log } from '../volumes/ports.ts';
import { addPages, type Pages } from './pages.ts';

export interface MetricsServerOptions {
  /** IP address or host name, and port: "127.0.0.1:9470", "[::1]:9470". */
  readonly address: string;
  readonly pages: Pages;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
}

export interface MetricsServer {
  close(): Promise<void>;
}

const TRY_AGAIN_MS = 10_000;

/**
 * The pages on a TCP address. Resolves at once: an address that cannot be had (taken, not up yet) is logged and tried
 * again every 10 s, because who watches volumes must not keep them from being served.
 */
export function createMetricsServer(options: MetricsServerOptions): MetricsServer {
  const server = Fastify({ logger: false, forceCloseConnections: true });
  addPages(server, options.pages);
  const closing = new AbortController();
  const listening = listen(server, options, closing.signal);
  return {
    close: async () => {
      closing.abort();
      await listening;
      await server.close();
    },
  };
}

async function listen(
  server: FastifyInstance,
  { address, clock, log }: MetricsServerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { hostname, port } = new URL(`http://${address}`);
  // A URL leaves out the port that its scheme has anyway.
  const where = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
  for (let tries = 1; !signal.aborted; tries += 1) {
    try {
      await server.listen(where);
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
