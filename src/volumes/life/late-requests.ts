import { CancelledError, GatewayUnavailableError } from '../../errors.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { HostVolume } from '../ports.ts';

/** True for failures after which nobody can say whether a request that was sent has been, or will be, carried out. */
export function mayStillHappen(cause: unknown): boolean {
  return cause instanceof GatewayUnavailableError || cause instanceof CancelledError;
}

/**
 * Since when requests without an answer have been waited for. Counted from when this run of the plugin first saw each, because
 * the time that passed before a start is not known.
 */
export class LateRequests {
  readonly #host: Pick<VolumeHost, 'clock' | 'policy'>;
  readonly #firstSeenMs = new Map<string, number>();

  constructor(host: Pick<VolumeHost, 'clock' | 'policy'>) {
    this.#host = host;
  }

  /** The journal's entries at the beginning of a round: waiting begins for those that are new, and ends for those that are gone. */
  observe(entries: readonly HostVolume[]): void {
    const waiting = new Set(
      entries.filter(({ attachment }) => attachment === 'intended').map(({ name }) => name),
    );
    for (const name of this.#firstSeenMs.keys()) if (!waiting.has(name)) this.#firstSeenMs.delete(name);
    const now = this.#host.clock.elapsed();
    for (const name of waiting) if (!this.#firstSeenMs.has(name)) this.#firstSeenMs.set(name, now);
  }

  /** True once a look that begins now is later than any execution can be. */
  isOver(name: string): boolean {
    const since = this.#firstSeenMs.get(name);
    return since !== undefined && this.#host.clock.elapsed() - since >= this.#host.policy.lateMs;
  }
}
