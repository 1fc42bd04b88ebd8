import { ConfigError } from '../../errors.ts';
import type { EndpointFailure } from './failures.ts';

/** Where a gateway's REST API lives: `origin` for connecting, `prefix` for a path in front of /api, if any. */
export interface EndpointAddress {
  readonly origin: string;
  readonly prefix: string;
  /** As messages show it. */
  readonly name: string;
}

/**
 * Reads what users write: with or without scheme (https then), trailing slash, and the /api that [rexray] wants.
 * Throws ConfigError; the message never repeats credentials that stood in the address.
 */
export function parseEndpoint(text: string): EndpointAddress {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text.trim()) ? text.trim() : `https://${text.trim()}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    throw new ConfigError(
      `gateway address of host "${url.host}" contains a user or password; use SCALEIO_USERNAME and SCALEIO_PASSWORD`,
    );
  }
  const usable = url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  if (!usable) {
    throw new ConfigError(`gateway address "${text}" is not usable; write it like https://gateway.example`);
  }
  const prefix = url.pathname
    .replace(/\/+$/, '')
    .replace(/\/api$/, '')
    .replace(/\/+$/, '');
  return { origin: url.origin, prefix, name: `${url.origin}${prefix}` };
}

/** Failures in a row after which a gateway is left alone for a while: one alone may be a hiccup. */
const FAILURES_UNTIL_REST = 2;
const SHORTEST_REST_MS = 200;
const LONGEST_REST_MS = 5000;

/**
 * What experience says about one gateway. One that fails is left alone for twice as long as failing takes: hardly at
 * all when connections are refused, longer when every try costs a time limit.
 */
export class EndpointHealth {
  readonly #elapsed: () => number;
  #failures = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #restUntil = Number.NEGATIVE_INFINITY;
  #last: EndpointFailure | undefined;

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  get healthy(): boolean {
    return this.#failures === 0;
  }

  get failures(): number {
    return this.#failures;
  }

  get lastReason(): string | undefined {
    return this.#last?.reason;
  }

  /** The failure for which it is left alone just now; undefined when it may be tried. */
  get restingAfter(): EndpointFailure | undefined {
    return this.#elapsed() < this.#restUntil ? this.#last : undefined;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#restUntil = Number.NEGATIVE_INFINITY;
    this.#last = undefined;
  }

  /** To be told of a failed try and when it began; `rests` false: it is tried later than others, but not left alone. */
  failed(failure: EndpointFailure, beganAt: number, { rests = true } = {}): void {
    const now = this.#elapsed();
    // Tries that ran side by side met one and the same trouble.
    if (beganAt >= this.#failedAt) this.#failures += 1;
    this.#failedAt = now;
    this.#last = failure;
    if (!rests || this.#failures < FAILURES_UNTIL_REST) return;
    const rest = Math.min(Math.max(2 * (now - beganAt), SHORTEST_REST_MS), LONGEST_REST_MS);
    this.#restUntil = now + rest;
  }
}

/**
 * Order in which to try: the one that served last, then the other healthy ones as configured, then those with the
 * fewest failures.
 */
export function inOrderOfHope<E extends { readonly health: EndpointHealth }>(
  endpoints: readonly E[],
  lastServed: E | undefined,
): E[] {
  const rank = (endpoint: E): number => endpoint.health.failures * 2 + (endpoint === lastServed ? 0 : 1);
  return endpoints.toSorted((a, b) => rank(a) - rank(b));
}
