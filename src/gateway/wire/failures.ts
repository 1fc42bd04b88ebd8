import {
  CancelledError,
  GatewayRejectedError,
  GatewayUnavailableError,
  type ErrorDetails,
  type Refusal,
} from '../../errors.ts';

/**
 * Why one gateway could not serve one request. Never leaves this folder but as a cause: what leaves names all
 * gateways that were tried.
 */
export class EndpointFailure extends Error {
  /** For the operator, with what to do where that is known; no secrets. */
  readonly reason: string;
  /** False only when the request certainly never reached the gateway. */
  readonly mayHaveActed: boolean;
  /**
   * busy: the gateway is well, but it or its MDM cannot serve right now. unreadable: an answer in JSON that lacks what
   * we need, or is about something else. not-found: HTTP 404 from whom we cannot tell: a gateway that does not know the call,
   * or something that is no gateway.
   */
  readonly kind: 'unreachable' | 'busy' | 'unreadable' | 'wrong-system' | 'not-found';

  constructor(
    reason: string,
    details: { mayHaveActed: boolean; kind?: EndpointFailure['kind']; cause?: unknown },
  ) {
    super(reason, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'EndpointFailure';
    this.reason = reason;
    this.mayHaveActed = details.mayHaveActed;
    this.kind = details.kind ?? 'unreachable';
  }
}

/** An answer in HTML is that of something else, with whatever status. */
export const WEB_PAGE = 'answers with a web page, so it is not a gateway';

/** The gateway does not accept our token (any longer), so it has done nothing. */
export class SessionRefused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'SessionRefused';
    this.status = status;
  }
}

/** Every gateway answered, and none of them to the question: what was asked about is neither there nor absent, it is unknown. */
export class UnclearAnswerError extends GatewayUnavailableError {}

/**
 * A refusal with the number that the MDM gave it, 0 for the gateway's own checks. The number is read in this folder and
 * in objects/ only: who calls the array goes by the `refusal`.
 */
export class ArrayRefusal extends GatewayRejectedError {
  readonly arrayCode: number;
  readonly httpStatus: number;

  constructor(
    message: string,
    details: ErrorDetails & {
      readonly arrayCode: number;
      readonly httpStatus: number;
      readonly refusal: Refusal;
      readonly retryable?: boolean;
    },
  ) {
    super(message, details);
    this.name = 'GatewayRejectedError';
    this.arrayCode = details.arrayCode;
    this.httpStatus = details.httpStatus;
  }
}

/** The gateway serves, but does not know this call: another version than those that we know. Nothing was done. */
export class CallNotKnownError extends ArrayRefusal {
  constructor(message: string, cause: unknown) {
    super(message, { refusal: 'call-unknown', arrayCode: 0, httpStatus: 404, cause });
  }
}

/** A change was sent and nobody can tell from the replies whether it happened: look before doing it again. */
export class ReplyLostError extends GatewayUnavailableError {}

/** The rejection of a call whose signal has fired; `trouble`: what the gateways had said until then. */
export function cancelled(what: string, signal: AbortSignal, trouble?: string): CancelledError {
  const reason: unknown = signal.reason;
  if (reason instanceof CancelledError && trouble === undefined) return reason;
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError';
  const own = reason instanceof CancelledError ? reason.message.replace(/; try again$/, '') : undefined;
  const why = own ?? (timedOut ? 'it took too long' : 'it was cancelled');
  const said = trouble === undefined ? '' : ` (${trouble})`;
  return new CancelledError(`cannot ${what}: ${why}${said}; try again`, { cause: reason });
}

/**
 * Rejects at the signal instead of waiting on; the promise itself goes on for whoever else waits for it.
 */
export function abandonable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', leave);
    });
  });
}
