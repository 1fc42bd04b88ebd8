import * as z from 'zod';
import { GatewayAuthError } from '../../errors.ts';
import { EndpointFailure, SessionRefused } from './failures.ts';
import { bodyText, type HttpReply } from './http.ts';
import { oneLine, refusalOf } from './replies.ts';
import { number, understand } from './fields.ts';

/** The answer to a log-in of the 4.x platform. */
const accessToken = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().nullish(),
  expires_in: number.nullish(),
});

/** One request to one gateway; `read` gets any reply, also a refusing one. */
export type Exchange = <T>(request: WireRequest, read: (reply: HttpReply) => Promise<T>) => Promise<T>;

export interface WireRequest {
  readonly method: 'GET' | 'POST';
  /** From /api or /rest on. */
  readonly path: string;
  /** The path without ids, for metrics. */
  readonly route: string;
  readonly authorization?: string | undefined;
  readonly body?: string | undefined;
  readonly attempt: number;
  /**
   * small (when left out): the whole of it within seconds. change: likewise, once the answer has begun; until then the array may
   * have work to do. list: as long as it is long.
   */
  readonly answer?: 'small' | 'change' | 'list' | undefined;
  /** Longer than the usual limit for the first byte, for long lists. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

export interface Credentials {
  readonly username: string;
  /** Asked at each login, so that a changed secret file takes effect. */
  readonly password: () => Promise<string>;
}

export interface Token {
  readonly value: string;
  /** Only known for tokens of the 4.x platform. */
  readonly lifetimeMs: number | undefined;
  /** legacy: /api/login; platform: /rest/auth/login of 4.x. */
  readonly from: 'legacy' | 'platform';
  /** What ends the platform's session together with the token. */
  readonly refresh?: string | undefined;
}

/** Basic with the token as password and no user, as [goscaleio] and [rexray] send it. */
export function basic(user: string, secret: string): string {
  return `Basic ${Buffer.from(`${user}:${secret}`, 'utf8').toString('base64')}`;
}

/** Token and version travel as JSON strings; some gateways leave the quotes out. */
export function unquoted(text: string): string {
  return text.trim().replace(/^"(.*)"$/s, '$1');
}

function isSuccess(reply: HttpReply): boolean {
  return reply.status >= 200 && reply.status < 300 && !/html/i.test(reply.contentType);
}

const LOG_IN = 'log in';

function refused(username: string, said: string): GatewayAuthError {
  return new GatewayAuthError(
    `cannot log in: the gateway refuses user "${oneLine(username)}" (${oneLine(said)})`,
    { remedy: 'check SCALEIO_USERNAME and SCALEIO_PASSWORD' },
  );
}

/** The refusal of a login, with nothing changed at the array whatever it is. */
async function loginRefusal(reply: HttpReply, username: string): Promise<Error> {
  const error = await refusalOf(reply, LOG_IN);
  if (error instanceof SessionRefused) return refused(username, error.message);
  return error;
}

async function legacyLogin(
  exchange: Exchange,
  authorization: string,
  on: LoginContext,
): Promise<Token | undefined> {
  const request = { method: 'GET', path: '/api/login', route: '/api/login', authorization, ...on } as const;
  return exchange(request, async (reply) => {
    if (isSuccess(reply)) {
      const value = unquoted(await bodyText(reply));
      return value === '' ? undefined : { value, lifetimeMs: undefined, from: 'legacy' };
    }
    const error = await loginRefusal(reply, on.username);
    // A platform without the old login answers with a page, a redirect or 404: the new login may be there.
    const maybeElsewhere = reply.status < 500 && error instanceof EndpointFailure && reply.status !== 428;
    if (maybeElsewhere || reply.status === 404) return undefined;
    throw error;
  });
}

async function platformLogin(exchange: Exchange, password: string, on: LoginContext): Promise<Token> {
  const route = '/rest/auth/login';
  const body = JSON.stringify({ username: on.username, password });
  return exchange({ method: 'POST', path: route, route, body, ...on }, async (reply) => {
    if (!isSuccess(reply)) {
      const error = await loginRefusal(reply, on.username);
      if (reply.status !== 404) throw error;
      throw new EndpointFailure('is not a gateway (no login at /api/login nor /rest/auth/login)', {
        mayHaveActed: false,
      });
    }
    const text = await bodyText(reply);
    const grant = understand(accessToken, text === '' ? null : parsed(text));
    const lifetimeMs = grant.expires_in == null ? undefined : grant.expires_in * 1000;
    const refresh = grant.refresh_token ?? undefined;
    return { value: grant.access_token, lifetimeMs, from: 'platform', refresh };
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EndpointFailure('answers the login with something that is not JSON', { mayHaveActed: false });
  }
}

interface LoginContext {
  readonly username: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/**
 * Gets a token, at /api/login (2.x and 3.x, and still 4.x: [goscaleio], [cinder]), else at 4.x's own /rest/auth/login.
 * Rejects with GatewayAuthError or EndpointFailure.
 */
export async function logIn(
  exchange: Exchange,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Token> {
  const on: LoginContext = { username: credentials.username, attempt: 1, signal };
  const password = await credentials.password();
  const token = await legacyLogin(exchange, basic(credentials.username, password), on);
  return token ?? (await platformLogin(exchange, password, on));
}

/**
 * The API version, major.minor, and how the token is to be presented: Basic before 4.0, Bearer from 4.0 on. The
 * question itself goes with Basic for a token of /api/login, since the version is not known yet ([goscaleio]).
 */
export async function askVersion(
  exchange: Exchange,
  token: Token,
  signal: AbortSignal,
): Promise<{ version: string; authorization: string }> {
  const bearer = `Bearer ${token.value}`;
  const presented = token.from === 'platform' ? bearer : basic('', token.value);
  const ask = (authorization: string): Promise<string | undefined> =>
    exchange(
      { method: 'GET', path: '/api/version', route: '/api/version', authorization, attempt: 1, signal },
      async (reply) => {
        if (isSuccess(reply)) return unquoted(await bodyText(reply));
        const error = await refusalOf(reply, 'ask for the version');
        if (error instanceof SessionRefused) return undefined;
        throw error;
      },
    );
  const text = (await ask(presented)) ?? (presented === bearer ? undefined : await ask(bearer));
  const version = /^\d+\.\d+/.exec(text ?? '')?.[0];
  if (version === undefined) {
    const said = text === undefined ? 'it refuses the token it just gave' : `"${oneLine(text)}"`;
    throw new EndpointFailure(`does not say its version: ${said}`, { mayHaveActed: false });
  }
  return { version, authorization: Number.parseInt(version, 10) >= 4 ? bearer : presented };
}

/**
 * Gives the session back, of which an array has only so many: at /rest/auth/logout where the platform of 4.x gave it
 * ([PyPowerFlex]), else at /api/logout. `authorization`: as requests bear it. Rejects with EndpointFailure or the signal's reason;
 * what a gateway answers is the end of it in any case.
 */
export async function logOut(
  exchange: Exchange,
  { token, authorization }: { readonly token: Token; readonly authorization: string },
  signal: AbortSignal,
): Promise<void> {
  const common = { authorization, attempt: 1, signal };
  const read = async (reply: HttpReply): Promise<void> => {
    await bodyText(reply);
  };
  if (token.from === 'legacy') {
    const route = '/api/logout';
    await exchange({ method: 'GET', path: route, route, ...common }, read);
    return;
  }
  const route = '/rest/auth/logout';
  const body = JSON.stringify(token.refresh === undefined ? {} : { refresh_token: token.refresh });
  await exchange({ method: 'POST', path: route, route, body, ...common }, read);
}
