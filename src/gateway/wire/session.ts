import { GatewayAuthError } from '../../errors.ts';
import { abandonable, EndpointFailure, SessionRefused } from './failures.ts';
import { askVersion, basic, logIn, logOut, type Credentials, type Exchange, type Token } from './login.ts';

/** Leave to make requests. */
export interface Grant {
  readonly authorization: string;
  /** major.minor */
  readonly version: string;
}

export interface SessionOptions {
  readonly exchange: Exchange;
  readonly credentials: Credentials;
  readonly elapsed: () => number;
  /** Runs a log-in or log-out as work that no single caller owns. */
  readonly apart: <T>(work: () => Promise<T>) => Promise<T>;
  /** Called once after the first login with a grant, to see whose gateway this is. Its rejection is the login's. */
  readonly verify: (grant: Grant, signal: AbortSignal) => Promise<void>;
  /** For one login as a whole, ms. */
  readonly loginTimeoutMs: number;
}

const MINUTE_MS = 60_000;
/** A token lives 8 h and dies after 10 min without use ([CloudStack], after the vendor's REST guide); less a margin. */
const LIFETIME_MS = 8 * 60 * MINUTE_MS - 5 * MINUTE_MS;
const IDLE_MS = 9 * MINUTE_MS;
/** A refused password is not tried again at once: some directories lock the account. */
const REFUSED_FOR_MS = 5000;
/** Longest a session that is given back is waited for, ms. */
const LOGOUT_MS = 1000;

interface Held {
  readonly grant: Grant;
  readonly token: Token;
  readonly until: number;
  usedAt: number;
}

/** Our login at one gateway. Token and password never leave it but in requests (rule 11). */
export class Session {
  readonly #options: SessionOptions;
  readonly #closing = new AbortController();
  readonly #goodbyes = new Set<Promise<void>>();
  #held: Held | undefined;
  #pending: Promise<Grant> | undefined;
  #known: { version: string; bearer: boolean } | undefined;
  #verified = false;
  #refusal: { error: GatewayAuthError; at: number } | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * A grant that should still be good; logs in when there is none, once however many wait. Rejects with
   * GatewayAuthError, EndpointFailure (nothing was sent for the caller), or the signal's reason.
   */
  async open(signal: AbortSignal): Promise<Grant> {
    signal.throwIfAborted();
    const now = this.#options.elapsed();
    const held = this.#held;
    if (held !== undefined && now < held.until && now < held.usedAt + IDLE_MS) {
      held.usedAt = now;
      return held.grant;
    }
    if (this.#refusal !== undefined && now < this.#refusal.at + REFUSED_FOR_MS) throw this.#refusal.error;
    this.#pending ??= this.#options
      .apart(() => this.#renew())
      .finally(() => {
        this.#pending = undefined;
      });
    return abandonable(this.#pending, signal);
  }

  /** The gateway did not take this grant: the next open() logs in, unless somebody has done so meanwhile. */
  refuse(grant: Grant): void {
    if (this.#held?.grant !== grant) return;
    const { token } = this.#held;
    this.#held = undefined;
    // The token is dead, but the platform keeps the session behind it for half an hour.
    if (token.from === 'platform') this.#giveBack(token, grant.authorization);
    // The gateway may have been upgraded to the other kind of token.
    this.#known = undefined;
  }

  /** Logs out wherever it is logged in, as far as the gateway answers within the signal. Never rejects. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closing.abort();
    // A log-in under way may have got its token already; it gives it back itself.
    if (this.#pending !== undefined) await Promise.allSettled([abandonable(this.#pending, signal)]);
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#giveBack(held.token, held.grant.authorization);
    await Promise.allSettled([...this.#goodbyes].map((goodbye) => abandonable(goodbye, signal)));
  }

  /** Rule 18: whoever leaves sessions behind, one every five minutes, finds the array's limit for them one day. */
  #giveBack(token: Token, authorization: string): void {
    const { apart, exchange } = this.#options;
    const goodbye = apart(() => logOut(exchange, { token, authorization }, AbortSignal.timeout(LOGOUT_MS)))
      // It ends by itself in half an hour.
      .catch(() => undefined)
      .finally(() => this.#goodbyes.delete(goodbye));
    this.#goodbyes.add(goodbye);
  }

  async #renew(): Promise<Grant> {
    const limit = AbortSignal.timeout(this.#options.loginTimeoutMs);
    const signal = AbortSignal.any([limit, this.#closing.signal]);
    try {
      const held = await this.#logIn(signal);
      const before = this.#held;
      this.#held = held;
      this.#refusal = undefined;
      if (before !== undefined) this.#giveBack(before.token, before.grant.authorization);
      return held.grant;
    } catch (error) {
      throw this.#blame(error, limit.aborted);
    }
  }

  async #logIn(signal: AbortSignal): Promise<Held> {
    const { exchange, credentials, elapsed } = this.#options;
    const startedAt = elapsed();
    const token = await logIn(exchange, credentials, signal);
    try {
      const grant = await this.#grantFor(token, signal);
      if (!this.#verified) await this.#options.verify(grant, signal);
      signal.throwIfAborted();
      this.#verified = true;
      const lifetime = token.lifetimeMs === undefined ? LIFETIME_MS : token.lifetimeMs * 0.9;
      return { grant, token, until: startedAt + Math.min(lifetime, LIFETIME_MS), usedAt: startedAt };
    } catch (error) {
      this.#giveBack(token, token.from === 'platform' ? `Bearer ${token.value}` : basic('', token.value));
      throw error;
    }
  }

  async #grantFor(token: Token, signal: AbortSignal): Promise<Grant> {
    const known = this.#known;
    const grant: Grant =
      known === undefined
        ? await askVersion(this.#options.exchange, token, signal)
        : {
            version: known.version,
            authorization: known.bearer ? `Bearer ${token.value}` : basic('', token.value),
          };
    this.#known = { version: grant.version, bearer: grant.authorization.startsWith('Bearer ') };
    return grant;
  }

  /** Whatever went wrong in a login, the caller's own request was not sent. */
  #blame(error: unknown, timedOut: boolean): unknown {
    if (error instanceof GatewayAuthError) {
      this.#refusal = { error, at: this.#options.elapsed() };
      return error;
    }
    const unsent = { mayHaveActed: false, cause: error };
    if (error instanceof EndpointFailure)
      return new EndpointFailure(error.reason, { ...unsent, kind: error.kind });
    if (error instanceof SessionRefused) return new EndpointFailure('refuses the token it just gave', unsent);
    if (timedOut) return new EndpointFailure('login got no answer in time', unsent);
    if (this.#closing.signal.aborted) return new EndpointFailure('the plugin is closing', unsent);
    return error;
  }
}
