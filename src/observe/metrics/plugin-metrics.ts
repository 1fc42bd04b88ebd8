import type { Registry } from 'prom-client';
import type { OwnIdentity } from '../../volumes/identity.ts';
import type { FenceLog, HostReadiness } from '../../volumes/ports.ts';
import type { Reconciler } from '../../volumes/upkeep/reconcile.ts';
import type { TrimTotals } from '../../volumes/upkeep/trim-loop.ts';
import { countFences, type CountedFenceLog } from './fence-counts.ts';
import { GatewayContact } from './gateway-contact.ts';
import { GatewayMetrics, type GatewayRequest, type GatewayState } from './gateway-requests.ts';
import { watchJournal, type WatchedJournal, journalCheck } from './journal-state.ts';
import type { VolumeDriver } from '../../docker/volume-driver.ts';
import { OperationMetrics } from './operations.ts';
import type { MetricsClock } from './metrics-clock.ts';
import type { Pages } from './pages.ts';
import { Readiness } from './readiness.ts';
import { settingsCheck } from './settings-check.ts';
import { ReconcilingMetrics } from './reconciling.ts';
import { createRegistry } from './registry.ts';
import { sdcCheck } from './sdc-check.ts';
import { TakeoverMetrics } from './takeovers.ts';
import { watchTrimming } from './trimming.ts';
import { type VolumeUsage, watchVolumeUsage } from './volume-usage.ts';

export interface PluginMetricsOptions {
  readonly version: string;
  /** Lines of the log that were lost since the start. */
  readonly droppedLines: () => number;
  readonly clock: MetricsClock;
  /** Between rounds of the reconciler, which is the least that is asked of a gateway. */
  readonly reconcileIntervalMs: number;
}

/** Parts of the running plugin that are only looked at. */
export interface WatchedParts {
  readonly gateways: () => readonly GatewayState[];
  readonly journal: WatchedJournal;
  readonly usage: VolumeUsage;
  readonly identity: Pick<OwnIdentity, 'last'>;
  readonly readiness: Pick<HostReadiness, 'problem'>;
  /** Undefined where this host does not trim. */
  readonly trimTotals: () => TrimTotals | undefined;
  /** Why nothing can be asked of the array; undefined where the settings are right. */
  readonly mistakes?: string | undefined;
}

/**
 * Everything that the plugin measures of itself. The parts do not know: each observe… hands back the same part, counted,
 * and gateway requests are reported.
 */
export class PluginMetrics {
  readonly #registry: Registry;
  readonly #takeovers: TakeoverMetrics;
  readonly #operations: OperationMetrics;
  readonly #gateway: GatewayMetrics;
  readonly #contact: GatewayContact;
  readonly #reconciling: ReconcilingMetrics;

  constructor({ version, droppedLines, clock, reconcileIntervalMs }: PluginMetricsOptions) {
    const registry = createRegistry({ component: 'plugin', version, droppedLines });
    this.#registry = registry;
    this.#takeovers = new TakeoverMetrics(registry);
    this.#operations = new OperationMetrics(registry, this.#takeovers, () => clock.elapsed());
    this.#gateway = new GatewayMetrics(registry, this.#takeovers);
    // Three rounds, of which each may take a minute.
    const latelyMs = 3 * (reconcileIntervalMs + 60_000);
    this.#contact = new GatewayContact(registry, { clock, latelyMs });
    this.#reconciling = new ReconcilingMetrics(registry, { clock, intervalMs: reconcileIntervalMs });
  }

  observeDriver(driver: VolumeDriver): VolumeDriver {
    return this.#operations.observe(driver);
  }

  observeFences(fences: CountedFenceLog): FenceLog {
    return countFences(this.#registry, fences, this.#takeovers);
  }

  observeReconciler(reconciler: Pick<Reconciler, 'run'>): Pick<Reconciler, 'run'> {
    return this.#reconciling.observe(reconciler);
  }

  /** To be called in the context of the work that the request was for. */
  recordRequest(request: GatewayRequest): void {
    this.#gateway.record(request);
    this.#contact.record(request);
  }

  /** What is shown; to be called once. */
  pages(parts: WatchedParts): Pages {
    const registry = this.#registry;
    this.#gateway.watch(parts.gateways);
    watchJournal(registry, parts.journal);
    watchVolumeUsage(registry, parts.usage);
    watchTrimming(registry, parts.trimTotals);
    const checks = [
      settingsCheck(parts.mistakes),
      this.#contact,
      sdcCheck(parts),
      journalCheck(parts.journal),
    ];
    return { registry, readiness: new Readiness(registry, checks) };
  }

  /** What is shown in place of `pages` where there are no parts to look at. */
  pagesWithout(reason: string): Pages {
    const registry = this.#registry;
    return { registry, readiness: new Readiness(registry, [settingsCheck(reason)]) };
  }
}
