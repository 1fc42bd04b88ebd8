import {
  AttachError,
  GatewayAuthError,
  GatewayRejectedError,
  GatewayUnavailableError,
  type Refusal,
} from '../errors.ts';
import type { HostReadiness } from './ports.ts';

/** Runs a call; where it fails because this host has not joined the storage, the error says how far it is. */
export async function explained<T>(readiness: HostReadiness, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isAboutHost(cause)) throw cause;
    const problem = readiness.problem();
    readiness.doubt();
    throw problem === undefined ? cause : withProblem(cause, problem);
  }
}

/** Refusals that this host's standing with the array explains. */
const ABOUT_HOST: ReadonlySet<Refusal> = new Set(['host-unknown', 'host-not-approved']);

type AboutHost = AttachError | GatewayAuthError | GatewayRejectedError | GatewayUnavailableError;

/** Failures that this host's standing with the array can be the reason of. */
export function isAboutHost(cause: unknown): cause is AboutHost {
  return (
    cause instanceof AttachError ||
    cause instanceof GatewayAuthError ||
    cause instanceof GatewayUnavailableError ||
    (cause instanceof GatewayRejectedError && ABOUT_HOST.has(cause.refusal))
  );
}

function withProblem(cause: AboutHost, problem: string): AboutHost {
  const message = `${cause.message}; ${problem}`;
  const details = { cause, context: cause.context };
  if (cause instanceof AttachError) return new AttachError(message, { ...details, problem: cause.problem });
  if (cause instanceof GatewayAuthError) return new GatewayAuthError(message, details);
  if (cause instanceof GatewayUnavailableError) return new GatewayUnavailableError(message, details);
  const { refusal, retryable } = cause;
  return new GatewayRejectedError(message, { ...details, refusal, retryable });
}
