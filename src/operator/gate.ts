import { isPluginError } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { DoorTokens } from './door-tokens.ts';

/** Wrong tokens of one address in a minute, after which it waits. */
export const WRONG_PER_MINUTE = 10;
const MINUTE_MS = 60_000;
/** Addresses that are remembered; the longest forgotten first. */
const MOST_ADDRESSES = 1000;

type NotLetInStatus = 401 | 421 | 429 | 503;

/** Who is not let in: nothing was read of what he asks. 421: he is at the wrong door. */
export class NotLetIn extends Error {
  readonly status: NotLetInStatus;
  /** The log has said enough of this address. */
  readonly isTold: boolean;

  constructor(status: NotLetInStatus, message: string, isTold = false) {
    super(message);
    this.name = 'NotLetIn';
    this.status = status;
    this.isTold = isTold;
  }
}

/** Lets in who shows a token that holds, and makes who shows wrong ones wait, so that nobody tries many. */
export class Gate {
  readonly #tokens: Pick<DoorTokens, 'has'>;
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #wrong = new Map<string, { readonly sinceMs: number; times: number }>();

  constructor(tokens: Pick<DoorTokens, 'has'>, clock: Pick<Clock, 'elapsed'>) {
    this.#tokens = tokens;
    this.#clock = clock;
  }

  /** Rejects with NotLetIn. `authorization`: that header. */
  async admit(authorization: string | undefined, address: string): Promise<void> {
    if (this.#timesOf(address) >= WRONG_PER_MINUTE)
      throw new NotLetIn(429, 'too many wrong tokens from this address; ask again in a minute', true);
    const offered = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (offered !== undefined && (await this.#isKnown(offered))) return;
    this.#count(address);
    throw new NotLetIn(401, 'this door opens to a token that it knows, and none was shown');
  }

  async #isKnown(offered: string): Promise<boolean> {
    try {
      return await this.#tokens.has(offered);
    } catch (error) {
      if (!isPluginError(error)) throw error;
      throw new NotLetIn(
        503,
        "the tokens file of this door cannot be used now, and the plugin's log says why",
      );
    }
  }

  #timesOf(address: string): number {
    const wrong = this.#wrong.get(address);
    if (wrong === undefined) return 0;
    if (this.#clock.elapsed() - wrong.sinceMs < MINUTE_MS) return wrong.times;
    this.#wrong.delete(address);
    return 0;
  }

  #count(address: string): void {
    const wrong = this.#wrong.get(address) ?? { sinceMs: this.#clock.elapsed(), times: 0 };
    wrong.times += 1;
    this.#wrong.set(address, wrong);
    const [oldest] = this.#wrong.keys();
    if (this.#wrong.size > MOST_ADDRESSES && oldest !== undefined) this.#wrong.delete(oldest);
  }
}
