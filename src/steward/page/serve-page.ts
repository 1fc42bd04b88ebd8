import type { FastifyInstance } from 'fastify';
import type { StewardSnapshot } from '../steward.ts';
import type { Inventory } from '../../array/storage-array.ts';
import type { Log } from '../../runtime/log.ts';
import { Access } from './access.ts';
import { InventoryWatch } from './inventory-watch.ts';
import type { Clock } from '../../runtime/clock.ts';
import { overviewOf, pulseOf, type OverviewSources } from './overview.ts';
import { createPageServer } from './server.ts';
import { Viewers } from './viewers.ts';

export interface PageParts {
  readonly snapshot: () => StewardSnapshot;
  readonly inventory: Inventory;
  readonly clock: Pick<Clock, 'now' | 'elapsed' | 'sleep'>;
  readonly log: Log;
}

export interface PageOptions {
  /** IP address or host name, and port: "127.0.0.1:9480", "[::1]:9480". */
  readonly address: string;
  /** Undefined: everybody may read who can reach the address, which is then one of the loopback. */
  readonly token: string | undefined;
  readonly prefix: string;
  /** Between two readings while nobody looks, ms. */
  readonly intervalMs: number;
}

/** The page while it is served. */
export interface Page {
  close(): Promise<void>;
}

const TRY_AGAIN_MS = 10_000;
/** Lets a browser know that the steward is there, and finds viewers that have gone. */
const HEARTBEAT_MS = 5000;

/**
 * Begins to read volumes and hosts, and serves the page. Returns at once: an address that cannot be had (taken, not up yet)
 * is logged and tried again every 10 s, because who looks on must not keep the steward from its work.
 */
export function servePage(parts: PageParts, options: PageOptions): Page {
  const { snapshot, inventory, clock, log } = parts;
  const { prefix, intervalMs } = options;
  const viewers = new Viewers({ pulse: () => pulseOf(sources), elapsed: () => clock.elapsed() });
  const watch = new InventoryWatch(
    {
      inventory,
      clock,
      log,
      isWatched: () => viewers.count > 0,
      onReading: () => {
        viewers.pulse();
      },
    },
    { prefix, intervalMs },
  );
  const sources: OverviewSources = { snapshot, watch, now: () => clock.now(), prefix, intervalMs };
  const server = createPageServer({
    access: new Access(options.token),
    viewers,
    overview: (query) => overviewOf(sources, query),
    onViewer: () => {
      watch.wake();
    },
  });
  const closing = new AbortController();
  const { signal } = closing;
  watch.start();
  const running = Promise.all([listen(server, options, parts, signal), beat(viewers, clock, signal)]);
  return {
    close: async () => {
      closing.abort();
      viewers.close();
      await running;
      await server.close();
      await watch.stop();
    },
  };
}

async function listen(
  server: FastifyInstance,
  { address }: PageOptions,
  { clock, log }: PageParts,
  signal: AbortSignal,
): Promise<void> {
  const { hostname, port } = new URL(`http://${address}`);
  // A URL leaves out the port that its scheme has anyway.
  const where = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
  for (let tries = 1; !signal.aborted; tries += 1) {
    try {
      const url = await server.listen(where);
      log.info({ url }, 'the page is served');
      return;
    } catch (error) {
      log[tries === 1 ? 'error' : 'debug'](
        { address, error: String(error) },
        'the page cannot be served there; trying again every 10 s',
      );
    }
    await pause(clock, TRY_AGAIN_MS, signal);
  }
}

async function beat(viewers: Viewers, clock: Pick<Clock, 'sleep'>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(clock, HEARTBEAT_MS, signal);
    viewers.pulse();
  }
}

async function pause(clock: Pick<Clock, 'sleep'>, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
