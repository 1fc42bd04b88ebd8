import { GatewayRejectedError } from '../../errors.ts';
import type { Log } from '../../runtime/log.ts';
import { EndpointHealth, type EndpointAddress } from './endpoints.ts';
import type { Patience } from './answer-limit.ts';
import { CallNotKnownError, EndpointFailure, SessionRefused } from './failures.ts';
import { bodyText, type Http, type HttpReply } from './http.ts';
import { unquoted, type Credentials, type WireRequest } from './login.ts';
import { RequestQueue } from './request-queue.ts';
import { Session, type Grant } from './session.ts';

/** One HTTP request as metrics and logs may tell it: no ids, no names, no secrets. */
export interface RequestReport {
  readonly endpoint: string;
  readonly method: 'GET' | 'POST';
  /** The path with `{id}` for ids. */
  readonly route: string;
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  readonly ms: number;
  /** 1 for the first try of a call. */
  readonly attempt: number;
  /** refused: answered, but not with what was asked for. failed: no usable answer. */
  readonly outcome: 'ok' | 'refused' | 'failed' | 'cancelled';
}

/** Whose work a request to the gateway is. */
export interface RequestOwners {
  /** The id that requests bear; undefined for work that has none. */
  current(): string | undefined;
  /** Runs work that no single caller owns under an id of its own, which begins with what it is. */
  apart<T>(what: string, work: () => Promise<T>): Promise<T>;
}

export interface GatewayEndpointOptions {
  readonly address: EndpointAddress;
  readonly http: Http;
  readonly credentials: Credentials;
  readonly elapsed: () => number;
  readonly requestTimeoutMs: number;
  /** For the whole of a small answer. */
  readonly smallAnswerMs: number;
  readonly maxConcurrent: number;
  readonly observer: (report: RequestReport) => void;
  readonly owners: RequestOwners;
  readonly log: Log;
  readonly verify: (endpoint: GatewayEndpoint, grant: Grant, signal: AbortSignal) => Promise<void>;
}

/** Calls that are given up before a gateway can be blamed for it, ms. */
const TOO_SOON_TO_TELL_MS = 1000;

/** One gateway: its address, our login there, what runs and waits, and how it has been doing. */
export class GatewayEndpoint {
  readonly name: string;
  readonly health: EndpointHealth;
  readonly queue: RequestQueue;
  readonly session: Session;
  readonly #options: GatewayEndpointOptions;

  constructor(options: GatewayEndpointOptions) {
    this.#options = options;
    this.name = options.address.name;
    this.health = new EndpointHealth(options.elapsed);
    this.queue = new RequestQueue(options.maxConcurrent);
    this.session = new Session({
      exchange: (request, read) => this.exchange(request, read),
      credentials: options.credentials,
      elapsed: options.elapsed,
      // One log-in serves everybody who waits for it.
      apart: (work) => options.owners.apart('login', work),
      verify: (grant, signal) => options.verify(this, grant, signal),
      loginTimeoutMs: 2 * options.smallAnswerMs,
    });
  }

  /** Sends one request and reads its reply; reports it to the observer when it is over. */
  async exchange<T>(request: WireRequest, read: (reply: HttpReply) => Promise<T>): Promise<T> {
    const { http, address, elapsed, observer, owners } = this.#options;
    const startedAt = elapsed();
    let status: number | undefined;
    const report = (outcome: RequestReport['outcome']): void => {
      const { method, route, attempt } = request;
      const ms = Math.round(elapsed() - startedAt);
      observer({ endpoint: this.name, method, route, status, ms, attempt, outcome });
    };
    try {
      const reply = await http.send({
        origin: address.origin,
        path: `${address.prefix}${request.path}`,
        method: request.method,
        headers: headersOf(request, owners.current()),
        body: request.body,
        patience: this.#patienceFor(request),
        signal: request.signal,
      });
      status = reply.status;
      const value = await read(reply);
      report('ok');
      return value;
    } catch (error) {
      const unanswered = error instanceof EndpointFailure && (status === undefined || status < 400);
      report(request.signal.aborted ? 'cancelled' : unanswered ? 'failed' : 'refused');
      throw error;
    }
  }

  #patienceFor({ answer = 'small', timeoutMs }: WireRequest): Patience {
    const { requestTimeoutMs, smallAnswerMs: smallMs } = this.#options;
    return {
      silenceMs: timeoutMs ?? requestTimeoutMs,
      wholeMs: answer === 'small' ? smallMs : undefined,
      startMs: smallMs,
    };
  }

  /**
   * Works with a grant, when there is room; once more with a new one when the gateway does not take the first. Rejects
   * with EndpointFailure, having sent nothing, while this gateway rests after failures.
   */
  serve<T>(
    signal: AbortSignal,
    work: (grant: Grant) => Promise<T>,
    answer: WireRequest['answer'] = 'small',
  ): Promise<T> {
    this.#assertAwake();
    return this.queue.run(signal, async () => {
      // Those that waited learn from those that went before.
      this.#assertAwake();
      const beganAt = this.#options.elapsed();
      try {
        const value = await this.#withGrant(signal, work);
        this.health.succeeded();
        return value;
      } catch (error) {
        this.#learnFrom(signal.aborted ? this.#lateness(beganAt) : error, beganAt, answer);
        throw error;
      }
    });
  }

  async #withGrant<T>(signal: AbortSignal, work: (grant: Grant) => Promise<T>): Promise<T> {
    const grant = await this.session.open(signal);
    try {
      return await work(grant);
    } catch (error) {
      if (
        error instanceof EndpointFailure &&
        error.kind === 'not-found' &&
        (await this.#serves(grant, signal))
      )
        throw new CallNotKnownError(`gateway ${this.name} does not know this call (HTTP 404)`, error);
      if (!(error instanceof SessionRefused)) throw error;
      this.session.refuse(grant);
      const fresh = await this.session.open(signal);
      return work(fresh);
    }
  }

  /** Whether another call succeeds here now, so that this is a gateway and in order. */
  async #serves({ authorization }: Grant, signal: AbortSignal): Promise<boolean> {
    const route = '/api/version';
    const request = { method: 'GET', path: route, route, authorization, attempt: 1, signal } as const;
    try {
      return await this.exchange(request, async (reply) => {
        const text = unquoted(await bodyText(reply));
        return reply.status >= 200 && reply.status < 300 && /^\d+\.\d+/.test(text);
      });
    } catch (error) {
      if (error instanceof EndpointFailure) return false;
      throw error;
    }
  }

  #assertAwake(): void {
    const failure = this.health.restingAfter;
    if (failure === undefined) return;
    const { reason, kind } = failure;
    throw new EndpointFailure(`${reason}, a moment ago`, { mayHaveActed: false, kind, cause: failure });
  }

  /** A call whose time ran out here: whoever asks next had better ask another. Undefined when it was hardly begun. */
  #lateness(beganAt: number): EndpointFailure | undefined {
    const ms = this.#options.elapsed() - beganAt;
    if (ms < TOO_SOON_TO_TELL_MS) return undefined;
    return new EndpointFailure(`no answer within ${(ms / 1000).toFixed(1)} s`, { mayHaveActed: true });
  }

  #learnFrom(error: unknown, beganAt: number, answer: WireRequest['answer']): void {
    if (error instanceof GatewayRejectedError) this.health.succeeded();
    if (!(error instanceof EndpointFailure) || error.kind === 'busy' || error.kind === 'unreadable') return;
    if (this.health.healthy) {
      this.#options.log.warn({ gateway: this.name, reason: error.reason }, 'gateway does not serve');
    }
    // A long list may take its time: a reason to try another first, none to leave this one alone.
    this.health.failed(error, beganAt, { rests: answer !== 'list' });
  }
}

function headersOf(request: WireRequest, owner: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'user-agent': 'docker-volume-scaleio',
  };
  if (request.authorization !== undefined) headers['authorization'] = request.authorization;
  if (owner !== undefined) headers['x-request-id'] = owner;
  // A POST without it is refused with 400 ([ansible-powerflex] on 3.6).
  if (request.method === 'POST') headers['content-type'] = 'application/json';
  return headers;
}
