import {
  ConfigError,
  GatewayAuthError,
  GatewayRejectedError,
  GatewayUnavailableError,
  PluginError,
} from '../../errors.ts';
import type { ArrayIdentity } from '../../array/system.ts';
import type { Log } from '../../runtime/log.ts';
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
import { readSuccess, refusalOf } from './replies.ts';
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
  /** True for answers that are as long as the array is large. */
  readonly isList?: boolean | undefined;
  /** For replies that the gateway needs long to begin, ms. */
  readonly timeoutMs?: number | undefined;
  /** Reads a success. */
  readonly read: (reply: HttpReply) => Promise<T>;
}

export interface ClientOptions {
  readonly endpoints: readonly GatewayEndpoint[];
  readonly retry: RetryPolicy;
  readonly elapsed: () => number;
  readonly log: Log;
  /** Why there is no gateway to ask: every call rejects with it. */
  readonly refusal?: PluginError | undefined;
}

/** Calls end so long after their beginning when no gateway can be reached, ms; programs wait longer, people hardly. */
const UNREACHABLE_FOR_MS = 9000;

type Carried = Pick<Call<unknown>, 'what' | 'repeatable' | 'isList'>;

/** How one call has been going. */
interface Course {
  readonly startedAt: number;
  roundAt: number;
  /** What the gateways made of it last, for who gives up waiting. */
  trouble: string | undefined;
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
  readonly #elapsed: () => number;
  readonly #log: Log;
  readonly #refusal: PluginError | undefined;
  #lastServed: GatewayEndpoint | undefined;
  #identity: ArrayIdentity | undefined;

  constructor(options: ClientOptions) {
    this.#endpoints = options.endpoints;
    this.#retry = options.retry;
    this.#elapsed = options.elapsed;
    this.#log = options.log;
    this.#refusal = options.refusal;
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
    if (this.#identity === undefined)
      await this.#patiently({ what, repeatable: true }, signal, () => Promise.resolve());
    if (this.#identity === undefined)
      throw new GatewayUnavailableError(`cannot ${what}: no gateway has said which array it serves`);
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
    const answer = answerOf(call);
    return this.#patiently(call, signal, (endpoint, grant, attempt) => {
      const { authorization } = grant;
      return endpoint.exchange(
        { method, path, route, authorization, body, attempt, answer, timeoutMs, signal },
        async (reply) => {
          if (reply.status >= 200 && reply.status < 300) return readSuccess(reply, call.read);
          throw await refusalOf(reply, call.what);
        },
      );
    });
  }

  async #patiently<T>(
    call: Carried,
    signal: AbortSignal,
    work: (endpoint: GatewayEndpoint, grant: Grant, attempt: number) => Promise<T>,
  ): Promise<T> {
    if (this.#refusal !== undefined) throw this.#refusal;
    const course: Course = { startedAt: this.#elapsed(), roundAt: this.#elapsed(), trouble: undefined };
    try {
      return await retrying((attempt) => this.#round(call, course, signal, (e, g) => work(e, g, attempt)), {
        policy: this.#retry,
        signal,
        allowance: (error) => this.#allowance(error, course),
        onRetry: (error, attempt) => {
          this.#log.debug({ attempt, error: error.message }, 'gateway call is tried again');
        },
      });
    } catch (error) {
      if (signal.aborted && !(error instanceof PluginError))
        throw cancelled(call.what, signal, course.trouble);
      throw error;
    }
  }

  #allowance(error: Error, course: Course): number {
    if (error instanceof ReplyLostError) return 0;
    if (error instanceof UnclearAnswerError) return this.#retry.whenUnreachable;
    if (error instanceof AllGatewaysFailed)
      return error.busy ? this.#retry.whenBusy : this.#whenUnreachable(course);
    return error instanceof GatewayRejectedError && error.retryable ? this.#retry.whenBusy : 0;
  }

  /** Whoever waits for gateways of which none answers shall hear so while it is of use to him. */
  #whenUnreachable({ startedAt, roundAt }: Course): number {
    const now = this.#elapsed();
    const wouldEndAt = now + (now - roundAt);
    return wouldEndAt - startedAt > UNREACHABLE_FOR_MS ? 0 : this.#retry.whenUnreachable;
  }

  /** Each gateway once, until one serves. */
  async #round<T>(
    call: Carried,
    course: Course,
    signal: AbortSignal,
    work: (endpoint: GatewayEndpoint, grant: Grant) => Promise<T>,
  ): Promise<T> {
    const { what, repeatable } = call;
    const tried: Tried[] = [];
    let notKnown: CallNotKnownError | undefined;
    course.roundAt = this.#elapsed();
    for (const endpoint of inOrderOfHope(this.#endpoints, this.#lastServed)) {
      try {
        const value = await endpoint.serve(signal, (grant) => work(endpoint, grant), answerOf(call));
        this.#serves(endpoint);
        return value;
      } catch (error) {
        if (error instanceof CallNotKnownError) {
          notKnown = error;
          continue;
        }
        if (signal.aborted)
          course.trouble = [...tried.map(toldOf), `${endpoint.name}: no answer so far`].join('; ');
        const failure = this.#passedOver(endpoint, what, error);
        tried.push({ endpoint, failure });
        course.trouble = tried.map(toldOf).join('; ');
        if (failure.mayHaveActed && !repeatable)
          throw new ReplyLostError(summary(what, tried), { cause: failure });
      }
    }
    if (notKnown === undefined) throw allFailed(what, tried);
    throw new CallNotKnownError(`cannot ${what}: ${notKnown.message}`, notKnown);
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

function answerOf({
  isList,
  repeatable,
}: Pick<Carried, 'isList' | 'repeatable'>): 'small' | 'change' | 'list' {
  if (isList === true) return 'list';
  return repeatable ? 'small' : 'change';
}

function toldOf({ endpoint, failure }: Tried): string {
  return `${endpoint.name}: ${failure.reason}`;
}

function summary(what: string, tried: readonly Tried[]): string {
  return `cannot ${what}: no gateway answered usefully (${tried.map(toldOf).join('; ')})`;
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
    `cannot ${what}: gateway ${endpoint.name} refuses the user (${refused.message})`,
    { remedy: advice, context: { httpStatus: refused.status } },
  );
}
