import type { Registry } from 'prom-client';
import type { VolumeIo } from '../../array/copies.ts';
import type { AuditRecord, News, Webhooks } from '../../steward/ports.ts';
import type { Steward, StewardSnapshot } from '../../steward/steward.ts';
import { GatewayContact } from './gateway-contact.ts';
import { GatewayMetrics, type GatewayRequest, type GatewayState } from './gateway-requests.ts';
import type { MetricsClock } from './metrics-clock.ts';
import type { Pages } from './pages.ts';
import { watchPoolIo } from './pool-io.ts';
import { watchPools } from './pools.ts';
import { Readiness } from './readiness.ts';
import { createRegistry } from './registry.ts';
import { StewardDoings } from './steward-doings.ts';
import { arrayCheck, watchSight } from './steward-sight.ts';

export interface StewardMetricsOptions {
  readonly version: string;
  /** Lines of the log that were lost since the start. */
  readonly droppedLines: () => number;
  readonly clock: MetricsClock;
  /** Between two rounds. */
  readonly intervalMs: number;
}

/** Parts of the running steward that are only looked at. */
export interface WatchedSteward {
  readonly gateways: () => readonly GatewayState[];
  readonly snapshot: () => StewardSnapshot;
  /** By pool, at the last sample; undefined: nobody samples it. */
  readonly poolIo?: () => ReadonlyMap<string, VolumeIo>;
}

/** Everything that the steward measures: the array's pools as it sees them, and what it does itself. */
export class StewardMetrics {
  readonly #registry: Registry;
  readonly #gateway: GatewayMetrics;
  readonly #contact: GatewayContact;
  readonly #doings: StewardDoings;
  readonly #intervalMs: number;
  /** Three rounds, of which each may take a minute. */
  readonly #latelyMs: number;

  constructor({ version, droppedLines, clock, intervalMs }: StewardMetricsOptions) {
    const registry = createRegistry({ component: 'steward', version, droppedLines });
    this.#registry = registry;
    this.#intervalMs = intervalMs;
    this.#latelyMs = 3 * (intervalMs + 60_000);
    this.#gateway = new GatewayMetrics(registry, { hasRequested: () => undefined });
    this.#contact = new GatewayContact(registry, { clock, latelyMs: this.#latelyMs });
    this.#doings = new StewardDoings(registry);
  }

  recordRequest(request: GatewayRequest): void {
    this.#gateway.record(request);
    this.#contact.record(request);
  }

  recordAction(record: AuditRecord): void {
    this.#doings.record(record);
  }

  recordNews(news: News): void {
    this.#doings.recordNews(news);
  }

  observeWebhooks(webhooks: Webhooks): Webhooks {
    return this.#doings.observeWebhooks(webhooks);
  }

  observeRounds(steward: Pick<Steward, 'round' | 'snapshot'>): Pick<Steward, 'round'> {
    return this.#doings.observeRounds(steward);
  }

  /** What is shown; to be called once. */
  pages({ gateways, snapshot, poolIo = () => new Map() }: WatchedSteward): Pages {
    const registry = this.#registry;
    this.#gateway.watch(gateways);
    watchPools(registry, snapshot);
    watchPoolIo(registry, snapshot, poolIo);
    watchSight(registry, snapshot, { intervalMs: this.#intervalMs });
    const checks = [this.#contact, arrayCheck(snapshot, this.#latelyMs)];
    return { registry, readiness: new Readiness(registry, checks) };
  }
}
