import { Gauge, type Registry } from 'prom-client';
import type { GatewayRequest } from './gateway-requests.ts';
import type { MetricsClock } from './metrics-clock.ts';
import type { Finding, ReadinessCheck } from './readiness.ts';

/** When the gateways were last of use, from the requests that were made anyway. */
export class GatewayContact implements ReadinessCheck {
  readonly name = 'gateway';
  readonly #clock: MetricsClock;
  readonly #latelyMs: number;
  #succeeded: { readonly wallMs: number; readonly atMs: number } | undefined;
  #trouble: string | undefined;

  /** `latelyMs`: a success this long ago still counts; more than the reconciler's interval, which asks that often. */
  constructor(registry: Registry, times: { readonly clock: MetricsClock; readonly latelyMs: number }) {
    this.#clock = times.clock;
    this.#latelyMs = times.latelyMs;
    const succeeded = (): number => (this.#succeeded?.wallMs ?? 0) / 1000;
    new Gauge({
      name: 'scaleio_gateway_last_success_timestamp_seconds',
      help: 'When a gateway last answered what was asked of it; 0: not since the start',
      registers: [registry],
      collect() {
        this.set(succeeded());
      },
    });
  }

  record({ endpoint, route, status, outcome }: GatewayRequest): void {
    if (outcome === 'cancelled') return;
    const isRefusedAccess = status === 401 || status === 403;
    if (outcome === 'ok') {
      this.#noteSuccess();
      this.#trouble = undefined;
    } else if (outcome === 'failed') {
      this.#trouble = `gateway ${endpoint} does not answer usefully (${route})`;
    } else if (isRefusedAccess && route.endsWith('/login')) {
      this.#trouble = `gateway ${endpoint} refuses the user or its password (status ${status})`;
    } else if (!isRefusedAccess && status !== undefined && status < 500) {
      // An answer, if not the one that was wished for: the gateway is there.
      this.#noteSuccess();
    }
  }

  #noteSuccess(): void {
    this.#succeeded = { wallMs: this.#clock.now(), atMs: this.#clock.elapsed() };
  }

  look(): Finding {
    if (this.#trouble !== undefined) return { ready: false, reason: this.#trouble };
    if (this.#succeeded === undefined) return { ready: false, reason: 'no gateway has answered yet' };
    const agoMs = this.#clock.elapsed() - this.#succeeded.atMs;
    const reason = `last answer ${Math.round(agoMs / 1000)} s ago`;
    return { ready: agoMs <= this.#latelyMs, reason };
  }
}
