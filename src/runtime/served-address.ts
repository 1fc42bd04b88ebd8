import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { Periodic } from './periodic.ts';

const TRY_AGAIN_MS = 10_000;

interface ServedAddress {
  /** As it is written in the settings. */
  readonly address: string;
  /** Rejects when the address cannot be had; answers what the log shows of it. */
  readonly listen: () => Promise<object>;
  /** What is served there, as a sentence begins: "metrics are", "the page is". */
  readonly what: string;
  /** The same for the refusal: "metrics", "the page". */
  readonly name: string;
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  readonly log: Log;
}

/**
 * Listens, not started yet: an address that cannot be had (taken, not up yet) is logged once and tried again every 10 s, because who
 * looks on must not keep the work from being done.
 */
export function servedAddress({ address, listen, what, name, clock, log }: ServedAddress): Periodic {
  let isServed = false;
  let refusals = 0;
  return new Periodic({
    clock,
    turn: async () => {
      const facts = await listen();
      isServed = true;
      log.info(facts, `${what} served`);
    },
    pauseMs: () => (isServed ? undefined : TRY_AGAIN_MS),
    onError: (error) => {
      refusals += 1;
      log[refusals === 1 ? 'error' : 'debug'](
        { address, error: String(error) },
        `${name} cannot be served there; trying again every 10 s`,
      );
    },
  });
}

/** "127.0.0.1:9470" or "[::1]:9470" as servers take it. Throws TypeError when it is neither. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(`http://${address}`);
  // A URL leaves out the port that its scheme has anyway.
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
}
