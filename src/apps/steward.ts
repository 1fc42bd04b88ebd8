import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connectGateway, realmOf } from './array-connection.ts';
import { hostDoors } from './host-doors.ts';
import { roomOnHost } from './room-on-host.ts';
import { stewardApi } from './steward-api.ts';
import { Lifecycle, madeAtStart, partOf, type Part } from './lifecycle.ts';
import { Alerts } from '../steward/capacity/alerts.ts';
import { EventStreams } from '../steward/api/events.ts';
import { AuditTrail } from '../steward/audit.ts';
import { Grower } from '../steward/capacity/grower.ts';
import { TRASH_STANDARD, type Policy } from '../steward/policy.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { AuditRecord, News } from '../steward/ports.ts';
import { DiskProvider } from '../steward/capacity/provider.ts';
import { Steward, type StewardSnapshot } from '../steward/steward.ts';
import { stewardLoop } from '../steward/steward-loop.ts';
import { Cleaner, type CleanerParts } from '../steward/cleanup/cleaner.ts';
import { TrashKeeper, type TrashKeeperParts } from '../steward/cleanup/trash-keeper.ts';
import { graceOf } from '../volumes/trash/erasure.ts';
import type { Settings } from '../config/settings.ts';
import { listenOnPath } from '../docker/protocol/socket.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { systemClock } from '../host/clock.ts';
import { remembering } from '../steward/page/remembered-inventory.ts';
import { createMetricsServer, type MetricsServerOptions } from '../observe/metrics/server.ts';
import { StewardMetrics } from '../observe/metrics/steward-metrics.ts';
import { servePage, type Page, type PageOptions, type PageParts } from '../steward/page/serve-page.ts';
import { createWebhooks } from '../steward/webhook/signed-post.ts';

/** What a steward is given besides settings and policy. */
export interface StewardEdge {
  readonly log: Log;
  /** Lines of the log that were lost since the start. */
  readonly droppedLines: () => number;
  readonly version: string;
  /** Read at each log-in, so that a new password takes effect; undefined: the one of the settings. */
  readonly passwordFile?: string | undefined;
  /** Path of a unix socket for its metrics. */
  readonly socket?: string | undefined;
}

/** A steward in front of the array of the settings; nothing is asked yet. */
export interface StewardApp {
  readonly steward: Steward;
  /** Begins the rounds, and serves page and metrics where the settings say so. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Builds the steward's graph; its metrics are served on `socket` and on the settings' address, where these are given. Rejects
 * when the CA file cannot be read, or with ConfigError.
 */
export async function buildSteward(
  settings: Settings,
  policy: Policy,
  { log, droppedLines, version, passwordFile, socket }: StewardEdge,
): Promise<StewardApp> {
  const clock: Clock = systemClock;
  const metrics = new StewardMetrics({ version, clock, droppedLines, intervalMs: policy.interval });
  const gateway = await connectGateway(settings, log, {
    passwordFile,
    observer: (report) => {
      log.debug(report, 'gateway request ended');
      metrics.recordRequest(report);
    },
  });
  const webhooks = metrics.observeWebhooks(
    createWebhooks({
      readSecret: (path) => readFile(path, 'utf8'),
      now: () => clock.now(),
      newId: randomUUID,
    }),
  );
  const events = new EventStreams({ elapsed: () => clock.elapsed(), run: clock.now().toString(36) });
  const { onRecord, onNews } = countedBy(metrics, events);
  const audit = new AuditTrail({ clock, log, onRecord });
  const alerts = new Alerts({ webhooks, clock, log, audit, onNews }, policy.webhooks);
  const array = gateway.capacity;
  const inventory = remembering(gateway.inventory);
  const grower = new Grower(
    { array, provider: new DiskProvider(webhooks), clock, audit },
    { act: policy.act, intervalMs: policy.interval },
  );
  const cleaner = cleanerOf({ settings, policy }, { gateway, inventory, clock, audit, log });
  const trash = trashKeeperOf({ settings, policy }, { array: gateway, clock, audit, log });
  const steward = new Steward({ array, clock, log, alerts, audit, grower, cleaner, trash }, policy);
  const loop = stewardLoop({ steward: metrics.observeRounds(steward), clock, log }, policy.interval);
  const snapshot = (): StewardSnapshot => steward.snapshot();
  const hosts = await hostDoors(policy.hosts, { realm: realmOf(gateway, settings), clock, log });
  const pageParts = { snapshot, inventory, array: gateway, roomOf: roomOnHost(hosts), clock, log };
  const { poolIo, ...page } = pageOf(pageParts, pageOptionsOf(settings, policy));
  const pages = metrics.pages({ gateways: () => gateway.stats(), snapshot, poolIo });
  const apiParts = { gateway, steward, audit, events, clock, log, version, poolIo, hosts };
  const lifecycle = new Lifecycle(
    [
      { name: 'the connection to the array', stop: () => gateway.close() },
      { name: 'telling webhooks', stop: () => alerts.stop() },
      partOf('the rounds', loop),
      ...page.parts,
      ...(await stewardApi({ settings, policy }, apiParts)),
      ...metricsOn(socket, settings.metricsAddress, { pages, clock, log }),
    ],
    { clock, log },
  );
  return { steward, start: () => lifecycle.start(), close: () => lifecycle.stop() };
}

/** No part, and no I/O known, where the settings say off. */
function pageOf(
  parts: PageParts,
  options: PageOptions | undefined,
): { readonly parts: Part[]; readonly poolIo: Page['poolIo'] } {
  let page: Page | undefined;
  const poolIo: Page['poolIo'] = () => page?.poolIo() ?? new Map();
  if (options === undefined) return { parts: [], poolIo };
  const serve = (): Page => {
    page = servePage(parts, options);
    return page;
  };
  return { parts: [madeAtStart('the page', serve)], poolIo };
}

/** Counted, and told to who listens. */
function countedBy(
  metrics: StewardMetrics,
  events: EventStreams,
): {
  readonly onRecord: (record: AuditRecord) => void;
  readonly onNews: (news: News) => void;
} {
  return {
    onRecord: (record) => {
      metrics.recordAction(record);
      events.tell({ event: 'audit', ...record });
    },
    onNews: (news) => {
      metrics.recordNews(news);
      events.tell({ event: 'news', ...news });
    },
  };
}

/** Undefined where the policy has no section for it. */
function cleanerOf(
  { settings, policy }: { readonly settings: Settings; readonly policy: Policy },
  { gateway, ...parts }: Omit<CleanerParts, 'array'> & { readonly gateway: Gateway },
): Cleaner | undefined {
  const { act, cleanup } = policy;
  if (cleanup === undefined) return undefined;
  return new Cleaner({ array: gateway, ...parts }, { ...cleanup, act, prefix: settings.prefix });
}

/** Erases where the policy has a section for it, and reads what it holds in any case. */
function trashKeeperOf(
  { settings, policy }: { readonly settings: Settings; readonly policy: Policy },
  parts: TrashKeeperParts,
): TrashKeeper {
  const { act, trash } = policy;
  const { prefix, removeGraceMs } = settings;
  const erases = trash !== undefined;
  const rules = { ...(trash ?? TRASH_STANDARD), erases, act, prefix, graceMs: graceOf(removeGraceMs) };
  return new TrashKeeper(parts, rules);
}

/** On a socket, on an address, on both or on neither. */
function metricsOn(
  socket: string | undefined,
  address: string | undefined,
  serving: Omit<MetricsServerOptions, 'address'>,
): Part[] {
  const served = (options: MetricsServerOptions): Part =>
    madeAtStart(`the metrics on "${options.address}"`, () => createMetricsServer(options));
  const there = address === undefined ? [] : [served({ ...serving, address })];
  return socket === undefined
    ? there
    : [served({ ...serving, address: socket, listen: listenOnPath }), ...there];
}

function pageOptionsOf(settings: Settings, { interval: intervalMs }: Policy): PageOptions | undefined {
  const { pageAddress: address, pageToken, prefix } = settings;
  return address === undefined ? undefined : { address, token: pageToken?.reveal(), prefix, intervalMs };
}
