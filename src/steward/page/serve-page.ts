import type { StewardSnapshot } from '../steward.ts';
import type { Inventory, StorageArray } from '../../array/storage-array.ts';
import type { Log } from '../../runtime/log.ts';
import { Access } from './access.ts';
import { IoWatch } from './io-watch.ts';
import { poolDetailOf } from './pool-detail.ts';
import { InventoryWatch } from './inventory-watch.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Periodic } from '../../runtime/periodic.ts';
import { hostAndPort, servedAddress } from '../../runtime/served-address.ts';
import { overviewOf, pulseOf, type OverviewSources } from './overview.ts';
import { createPageServer } from './server.ts';
import { Viewers } from './viewers.ts';
import { VolumeDetails, type RoomOf } from './volume-details.ts';

export interface PageParts {
  readonly snapshot: () => StewardSnapshot;
  readonly inventory: Inventory;
  readonly array: Pick<StorageArray, 'volumesOfFamily' | 'usageOfFamilies' | 'ioOf'>;
  readonly roomOf: RoomOf;
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
  /** What each pool did at the last sample; none while the array cannot be read. */
  poolIo(): IoWatch['ofPools'];
  close(): Promise<void>;
}

/** Lets a browser know that the steward is there, and finds viewers that have gone. */
const HEARTBEAT_MS = 5000;

/**
 * Begins to read volumes and hosts, and serves the page. Returns at once: an address that cannot be had (taken, not up yet)
 * is logged and tried again every 10 s, because who looks on must not keep the steward from its work.
 */
export function servePage(parts: PageParts, options: PageOptions): Page {
  const { snapshot, inventory, array, roomOf, clock, log } = parts;
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
  const io = new IoWatch({ array, clock, log, sighting: () => watch.sighting });
  const sources: OverviewSources = { snapshot, watch, io, now: () => clock.now(), prefix, intervalMs };
  const details = new VolumeDetails({ array, sources, io, roomOf, clock });
  const server = createPageServer({
    access: new Access(options.token),
    viewers,
    overview: (query) => overviewOf(sources, query),
    openPool: (id) => poolDetailOf(id, { snapshot: snapshot(), io, clock }),
    openVolume: (id) => details.open(id),
    onViewer: () => {
      watch.wake();
    },
  });
  const { address } = options;
  const listening = servedAddress({
    address,
    listen: async () => ({ url: await server.listen(hostAndPort(address)) }),
    what: 'the page is',
    name: 'the page',
    clock,
    log,
  });
  const heartbeat = heartbeatOf(viewers, parts);
  watch.start();
  io.start();
  listening.start();
  heartbeat.start();
  return {
    poolIo: () => io.ofPools,
    close: async () => {
      const stopped = Promise.all([listening.stop(), heartbeat.stop()]);
      viewers.close();
      await stopped;
      await server.close();
      await Promise.all([watch.stop(), io.stop()]);
    },
  };
}

/** Viewers are told that the steward is there, also while nothing changes. */
function heartbeatOf(viewers: Viewers, { clock, log }: Pick<PageParts, 'clock' | 'log'>): Periodic {
  return new Periodic({
    clock,
    firstMs: HEARTBEAT_MS,
    pauseMs: () => HEARTBEAT_MS,
    turn: () => {
      viewers.pulse();
    },
    onError: (error) => {
      log.error({ error: String(error) }, 'viewers of the page cannot be told that the steward is there');
    },
  });
}
