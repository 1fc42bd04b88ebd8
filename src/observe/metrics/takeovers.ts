import { AsyncLocalStorage } from 'node:async_hooks';
import { Histogram, type Registry } from 'prom-client';

interface Tally {
  hasTaken: boolean;
  requests: number;
}

/** What a takeover costs, seen from Docker: only Mounts that took their volume from another host, and succeeded. */
export class TakeoverMetrics {
  readonly #mounts = new AsyncLocalStorage<Tally>();
  readonly #seconds: Histogram;
  readonly #requests: Histogram;

  constructor(registry: Registry) {
    this.#seconds = new Histogram({
      name: 'scaleio_takeover_duration_seconds',
      help: 'Time from Mount arriving to Mount answered, of Mounts that took the volume from another host',
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30, 60, 100],
      registers: [registry],
    });
    this.#requests = new Histogram({
      name: 'scaleio_takeover_gateway_requests',
      help: 'Gateway requests of a Mount that took the volume from another host',
      buckets: [6, 8, 10, 15, 20, 30, 50, 100, 200],
      registers: [registry],
    });
  }

  /** Counts what the Mount does, until it is answered. */
  async watch<T>(mount: () => Promise<T>, elapsedSeconds: () => number): Promise<T> {
    const tally: Tally = { hasTaken: false, requests: 0 };
    const value = await this.#mounts.run(tally, mount);
    if (tally.hasTaken) {
      this.#seconds.observe(elapsedSeconds());
      this.#requests.observe(tally.requests);
    }
    return value;
  }

  /** The Mount that is running now has taken its volume from another host. */
  hasTaken(): void {
    const tally = this.#mounts.getStore();
    if (tally !== undefined) tally.hasTaken = true;
  }

  /** The Mount that is running now, if it is one, has had a gateway request. */
  hasRequested(): void {
    const tally = this.#mounts.getStore();
    if (tally !== undefined) tally.requests += 1;
  }
}
