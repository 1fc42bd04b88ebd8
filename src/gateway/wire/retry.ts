import pRetry from 'p-retry';

/** How patient a call is; the caller's signal bounds it all. */
export interface RetryPolicy {
  /** Before the first repetition, ms; it doubles from there and is stretched by chance up to twice. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Repetitions when no gateway could be reached. */
  readonly whenUnreachable: number;
  /** Repetitions when the array says that it is busy or changing its MDM. */
  readonly whenBusy: number;
  /** Repetitions of a change that was looked for and has not happened. */
  readonly whenLost: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  minDelayMs: 200,
  maxDelayMs: 4000,
  whenUnreachable: 3,
  whenBusy: 12,
  whenLost: 4,
};

/**
 * Runs until it resolves, rejects with an error whose allowance is used up, or the signal fires (then it rejects
 * with the signal's reason). `allowance` says how many repetitions an error deserves; 0 for none.
 */
export function retrying<T>(
  run: (attempt: number) => Promise<T>,
  options: {
    readonly policy: RetryPolicy;
    readonly signal: AbortSignal;
    readonly allowance: (error: Error) => number;
    readonly onRetry?: (error: Error, attempt: number) => void;
  },
): Promise<T> {
  const { policy, signal, allowance, onRetry } = options;
  return pRetry(run, {
    retries: Math.max(policy.whenUnreachable, policy.whenBusy, policy.whenLost),
    minTimeout: policy.minDelayMs,
    maxTimeout: policy.maxDelayMs,
    randomize: true,
    signal,
    shouldRetry: ({ error, retriesConsumed, attemptNumber }) => {
      if (retriesConsumed >= allowance(error)) return false;
      onRetry?.(error, attemptNumber);
      return true;
    },
  });
}
