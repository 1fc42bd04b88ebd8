import {
  ConfigError,
  GatewayAuthError,
  GatewayRejectedError,
  GatewayUnavailableError,
  PluginError,
} from '../errors.ts';
import type { ArrayIdentity, Log } from '../volumes/ports.ts';
import { inOrderOfHope } from './endpoints.ts';
import {
  CallNotKnownError,
  cancelled,
  EndpointFailure,
  ReplyLostError,
  SessionRefused,
  UnclearAnswerError,
} from './failures.ts';
import type { GatewayEndpoint } from './gateway-endpoint.ts';
import type { HttpReply } from './http.ts';
import { refusalOf } from './replies.ts';
import { retrying, type RetryPolicy } from './retry.ts';
import type { Grant } from './session.ts';

/** One request to the array through whichever gateway serves. */
export interface Call<T> {
  /** As it follows "cannot ": 'map volume "x"'. */
  readonly what: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** The path with `{id}` for ids. */
  readonly route: string;
  readonly body?: unknown;
  /** True when doing it twice is as good as once. Else an answer that got lost rejects with ReplyLostError. */
  readonly repeatable: boolean;
  /** For replies that the gateway needs long to begin, ms. */
  readonly timeoutMs?: number | undefined;
  /** Reads a success. */
  readonly read: (reply: HttpReply) => Promise<T>;
}

export interface ClientOptions {
  readonly endpoints: readonly GatewayEndpoint[];
  readonly retry: RetryPolicy;
  readonly log: Log;
}

interface Tried {
  readonly endpoint: GatewayEndpoint;
  readonly failure: EndpointFailure;
}

/**
 * Carries calls to the gateways: order of trying, log-in, retries, and errors that name what was tried. Nothing goes on
 * after the caller's signal (rule 8).
 */
export class GatewayClient {
  readonly #endpoints: readonly GatewayEndpoint[];
  readonly #retry: RetryPolicy;
  readonly #log: Log;
  #lastServed: GatewayEndpoint | undefined;
  #identity: ArrayIdentity | undefined;

  constructor(options: ClientOptions) {
    this.#endpoints = options.endpoints;
    this.#retry = options.retry;
    this.#log = options.log;
  }

  get retryPolicy(): RetryPolicy {
    return this.#retry;
  }

  /** Set by whoever verifies a gateway's session. */
  set identity(identity: ArrayIdentity) {
    this.#identity = identity;
  }

  /** Whose gateway this is; costs a log-in when there was none yet. */
  async identify(signal: AbortSignal): Promise<ArrayIdentity> {
    const what = 'identify the array';
    if (this.#identity === undefined) await this.#patiently(what, true, signal, () => Promise.resolve());
    if (this.#identity === undefined)
      throw new GatewayUnavailableError(`cannot ${what}: no gateway names it`);
    return this.#identity;
  }

  /**
   * What `read` makes of the reply. Rejects with GatewayRejectedError, CapacityError, GatewayAuthError,
   * GatewayUnavailableError (ReplyLostError when it may have happened), ConfigError (all gateways belong to another
   * array), CancelledError.
   */
  async call<T>(call: Call<T>, signal: AbortSignal): Promise<T> {
    const body = call.method === 'POST' ? JSON.stringify(call.body ?? {}) : undefined;
    const { method, path, route, timeoutMs } = call;
    return this.#patiently(call.what, call.repeatable, signal, (endpoint, grant, attempt) => {
      const { authorization } = grant;
      return endpoint.exchange(
        { method, path, route, authorization, body, attempt, timeoutMs, signal },
        async (reply) => {
          if (reply.status >= 200 && reply.status < 300) return readSuccess(reply, call.read);
          throw await refusalOf(reply, call.what);
        },
      );
    });
  }

  async #patiently<T>(
    what: string,
    repeatable: boolean,
    signal: AbortSignal,
    work: (endpoint: GatewayEndpoint, grant: Grant, attempt: number) => Promise<T>,
  ): Promise<T> {
    try {
      return await retrying(
        (attempt) => this.#round(what, repeatable, signal, (e, g) => work(e, g, attempt)),
        {
          policy: this.#retry,
          signal,
          allowance: (error) => this.#allowance(error),
          onRetry: (error, attempt) => {
            this.#log.debug({ attempt, error: error.message }, 'gateway call is tried again');
          },
        },
      );
    } catch (error) {
      if (signal.aborted && !(error instanceof PluginError)) throw cancelled(what, signal);
      throw error;
    }
  }

  #allowance(error: Error): number {
    if (error instanceof ReplyLostError) return 0;
    if (error instanceof UnclearAnswerError) return this.#retry.whenUnreachable;
    if (error instanceof AllGatewaysFailed)
      return error.busy ? this.#retry.whenBusy : this.#retry.whenUnreachable;
    return error instanceof GatewayRejectedError && error.retryable ? this.#retry.whenBusy : 0;
  }

  /** Each gateway once, until one serves. */
  async #round<T>(
    what: string,
    repeatable: boolean,
    signal: AbortSignal,
    work: (endpoint: GatewayEndpoint, grant: Grant) => Promise<T>,
  ): Promise<T> {
    const tried: Tried[] = [];
    let notKnown: CallNotKnownError | undefined;
    for (const endpoint of inOrderOfHope(this.#endpoints, this.#lastServed)) {
      try {
        const value = await endpoint.serve(signal, (grant) => work(endpoint, grant));
        this.#serves(endpoint);
        return value;
      } catch (error) {
        if (error instanceof CallNotKnownError) {
          notKnown = error;
          continue;
        }
        const failure = this.#passedOver(endpoint, what, error);
        tried.push({ endpoint, failure });
        if (failure.mayHaveActed && !repeatable)
          throw new ReplyLostError(summary(what, tried), { cause: failure });
      }
    }
    if (notKnown === undefined) throw allFailed(what, tried);
    const { message, arrayCode, httpStatus } = notKnown;
    throw new CallNotKnownError(`cannot ${what}: ${message}`, { arrayCode, httpStatus, cause: notKnown });
  }

  /** The failure, when another gateway may not have it; anything else is thrown. */
  #passedOver(endpoint: GatewayEndpoint, what: string, error: unknown): EndpointFailure {
    if (error instanceof EndpointFailure) return error;
    if (error instanceof SessionRefused) throw forbidden(what, endpoint, error);
    if (error instanceof GatewayRejectedError) this.#serves(endpoint);
    throw error;
  }

  #serves(endpoint: GatewayEndpoint): void {
    if (this.#lastServed === endpoint) return;
    if (this.#lastServed !== undefined)
      this.#log.info({ gateway: endpoint.name }, 'another gateway serves now');
    this.#lastServed = endpoint;
  }
}

/** No gateway served in one round. */
class AllGatewaysFailed extends GatewayUnavailableError {
  readonly busy: boolean;

  constructor(message: string, tried: readonly Tried[]) {
    super(message, { cause: tried[0]?.failure });
    this.name = 'GatewayUnavailableError';
    this.busy = tried.some(({ failure }) => failure.kind === 'busy');
  }
}

function summary(what: string, tried: readonly Tried[]): string {
  const reasons = tried.map(({ endpoint, failure }) => `${endpoint.name}: ${failure.reason}`);
  return `cannot ${what}: no gateway answered usefully (${reasons.join('; ')})`;
}

function allFailed(what: string, tried: readonly Tried[]): PluginError {
  const message = summary(what, tried);
  const allUnclear = tried.length > 0 && tried.every(({ failure }) => failure.kind === 'unreadable');
  if (allUnclear) return new UnclearAnswerError(message, { cause: tried[0]?.failure });
  const allWrong = tried.length > 0 && tried.every(({ failure }) => failure.kind === 'wrong-system');
  return allWrong ? new ConfigError(message) : new AllGatewaysFailed(message, tried);
}

function forbidden(what: string, endpoint: GatewayEndpoint, refused: SessionRefused): GatewayAuthError {
  const advice =
    refused.status === 403
      ? "check the user's role, and that the gateway's REST API is enabled"
      : 'check SCALEIO_USERNAME, SCALEIO_PASSWORD and the role of the user';
  return new GatewayAuthError(
    `cannot ${what}: gateway ${endpoint.name} refuses us (${refused.message}); ${advice}`,
    { context: { httpStatus: refused.status } },
  );
}

/** A page in place of JSON, or JSON that is cut or wrong, is a failure of this gateway, not an answer. */
async function readSuccess<T>(reply: HttpReply, read: (reply: HttpReply) => Promise<T>): Promise<T> {
  if (/html/i.test(reply.contentType)) {
    throw new EndpointFailure('answers with a web page, so it is not a gateway', { mayHaveActed: true });
  }
  try {
    return await read(reply);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new EndpointFailure('answer is no JSON', { mayHaveActed: true });
  }
}
