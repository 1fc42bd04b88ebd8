import { CancelledError } from '../errors.ts';

/**
 * The error for work that ended because its signal fired: the signal's own CancelledError where it carries one (it
 * knows whether a deadline passed or the client left), else one that names the work.
 */
export function cancelled(work: string, signal: AbortSignal): CancelledError {
  if (signal.reason instanceof CancelledError) return signal.reason;
  return new CancelledError(`${work} was cancelled; try again`, { cause: signal.reason });
}
