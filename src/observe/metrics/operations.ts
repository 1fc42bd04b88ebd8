import { Counter, Histogram, type Registry } from 'prom-client';
import { isPluginError } from '../../errors.ts';
import type { VolumeDriver } from '../../docker/volume-driver.ts';
import type { TakeoverMetrics } from './takeovers.ts';

const OPERATIONS = ['create', 'remove', 'mount', 'unmount', 'path', 'get', 'list'] as const;
type Operation = (typeof OPERATIONS)[number] & keyof VolumeDriver;

/** From an answer out of memory to the deadline of a Mount. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100];

/** Counts and times what engines ask for. */
export class OperationMetrics {
  readonly #total: Counter<'operation' | 'outcome'>;
  readonly #seconds: Histogram<'operation'>;
  readonly #takeovers: TakeoverMetrics;
  readonly #elapsedMs: () => number;

  constructor(registry: Registry, takeovers: TakeoverMetrics, elapsedMs: () => number) {
    this.#takeovers = takeovers;
    this.#elapsedMs = elapsedMs;
    this.#total = new Counter({
      name: 'scaleio_operations_total',
      help: "Calls of the volume driver by outcome: ok, the failure's code in lower case, or bug",
      labelNames: ['operation', 'outcome'],
      registers: [registry],
    });
    this.#seconds = new Histogram({
      name: 'scaleio_operation_duration_seconds',
      help: 'Duration of calls of the volume driver, whatever their outcome',
      labelNames: ['operation'],
      buckets: SECONDS,
      registers: [registry],
    });
    for (const operation of OPERATIONS) {
      this.#total.inc({ operation, outcome: 'ok' }, 0);
      this.#seconds.zero({ operation });
    }
    // What an alert watches must be there before it happens: the first increase is not seen otherwise.
    this.#total.inc({ operation: 'mount', outcome: 'volume_in_use' }, 0);
  }

  /** The same driver, observed. */
  observe(driver: VolumeDriver): VolumeDriver {
    return {
      create: (...call) => this.#watch('create', () => driver.create(...call)),
      remove: (...call) => this.#watch('remove', () => driver.remove(...call)),
      mount: (...call) => this.#watch('mount', () => this.#mount(driver, call)),
      unmount: (...call) => this.#watch('unmount', () => driver.unmount(...call)),
      path: (...call) => this.#watch('path', () => driver.path(...call)),
      get: (...call) => this.#watch('get', () => driver.get(...call)),
      list: (...call) => this.#watch('list', () => driver.list(...call)),
    };
  }

  #mount(driver: VolumeDriver, call: Parameters<VolumeDriver['mount']>): Promise<string> {
    const startedMs = this.#elapsedMs();
    return this.#takeovers.watch(
      () => driver.mount(...call),
      () => (this.#elapsedMs() - startedMs) / 1000,
    );
  }

  async #watch<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    const startedMs = this.#elapsedMs();
    let outcome = 'bug';
    try {
      const value = await work();
      outcome = 'ok';
      return value;
    } catch (error) {
      if (isPluginError(error)) outcome = error.code.toLowerCase();
      throw error;
    } finally {
      this.#total.inc({ operation, outcome });
      this.#seconds.observe({ operation }, (this.#elapsedMs() - startedMs) / 1000);
    }
  }
}
