import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { TakeoverMetrics } from './takeovers.ts';

/** One HTTP request to a gateway, as the gateway client reports it. */
export interface GatewayRequest {
  readonly endpoint: string;
  readonly method: string;
  /** The path with `{id}` for ids. */
  readonly route: string;
  readonly status: number | undefined;
  readonly ms: number;
  readonly attempt: number;
  readonly outcome: 'ok' | 'refused' | 'failed' | 'cancelled';
}

/** One gateway as its client sees it now. */
export interface GatewayState {
  readonly endpoint: string;
  readonly inFlight: number;
  readonly queued: number;
  readonly healthy: boolean;
}

const LOGIN_ROUTES = ['/api/login', '/rest/auth/login'];
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100];

/** Counts and times what is asked of the gateways. */
export class GatewayMetrics {
  readonly #registry: Registry;
  readonly #takeovers: Pick<TakeoverMetrics, 'hasRequested'>;
  readonly #total: Counter<'gateway' | 'method' | 'route' | 'code' | 'outcome'>;
  readonly #seconds: Histogram<'route'>;
  readonly #retries: Counter<'route'>;
  readonly #logins: Counter<'gateway' | 'outcome'>;

  constructor(registry: Registry, takeovers: Pick<TakeoverMetrics, 'hasRequested'>) {
    this.#registry = registry;
    this.#takeovers = takeovers;
    const registers = [registry];
    this.#total = new Counter({
      name: 'scaleio_gateway_requests_total',
      help: 'HTTP requests to a gateway by route, status code (none: no answer) and outcome: ok, refused, failed, cancelled',
      labelNames: ['gateway', 'method', 'route', 'code', 'outcome'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'scaleio_gateway_request_duration_seconds',
      help: 'Duration of requests to a gateway, until the reply was read',
      labelNames: ['route'],
      buckets: SECONDS,
      registers,
    });
    this.#retries = new Counter({
      name: 'scaleio_gateway_retries_total',
      help: 'Requests to a gateway that repeat an earlier one',
      labelNames: ['route'],
      registers,
    });
    this.#logins = new Counter({
      name: 'scaleio_gateway_logins_total',
      help: 'Log-ins at a gateway by outcome: ok, refused, failed',
      labelNames: ['gateway', 'outcome'],
      registers,
    });
  }

  /** To be called in the context of the work that the request was for. */
  record({ endpoint, method, route, status, ms, attempt, outcome }: GatewayRequest): void {
    const code = status === undefined ? 'none' : String(status);
    this.#total.inc({ gateway: endpoint, method, route, code, outcome });
    this.#seconds.observe({ route }, ms / 1000);
    if (attempt > 1) this.#retries.inc({ route });
    this.#takeovers.hasRequested();
    // A platform that has only the other login answers with a page or 404, which is no log-in.
    const isElsewhere = outcome === 'ok' && status !== undefined && status >= 300;
    if (!LOGIN_ROUTES.includes(route) || isElsewhere) return;
    this.#logins.inc({ gateway: endpoint, outcome: outcome === 'cancelled' ? 'failed' : outcome });
  }

  /** Adds the gauges that are read from the client itself; to be called once. */
  watch(states: () => readonly GatewayState[]): void {
    for (const { endpoint: gateway } of states())
      for (const outcome of ['ok', 'refused', 'failed']) this.#logins.inc({ gateway, outcome }, 0);
    this.#gauge(
      'up',
      '1 when the gateway answered the last request to it, or was not asked yet, else 0',
      states,
      (state) => (state.healthy ? 1 : 0),
    );
    this.#gauge(
      'requests_in_flight',
      'Requests that a gateway is answering now',
      states,
      (state) => state.inFlight,
    );
    this.#gauge(
      'requests_queued',
      'Requests that wait for their turn at a gateway',
      states,
      (state) => state.queued,
    );
  }

  #gauge(
    name: string,
    help: string,
    states: () => readonly GatewayState[],
    valueOf: (state: GatewayState) => number,
  ): void {
    new Gauge({
      name: `scaleio_gateway_${name}`,
      help,
      labelNames: ['gateway'],
      registers: [this.#registry],
      collect() {
        for (const state of states()) this.set({ gateway: state.endpoint }, valueOf(state));
      },
    });
  }
}
