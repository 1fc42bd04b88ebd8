import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What of a request decides whether it is let in. */
export interface Credentials {
  readonly host: string | undefined;
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  /** Sec-Fetch-Site, by which browsers say whose page asks. */
  readonly fetchSite: string | undefined;
  /** Sec-Fetch-Mode. */
  readonly fetchMode: string | undefined;
}

/** `foreign`: made by another site's page, or under another site's name. `unknown`: without the token. */
export type Verdict = 'welcome' | 'foreign' | 'unknown';

const COOKIE = 'scaleio_page';

/**
 * Who may read the page. Without a token only who asks for this machine by a name of its own: a page on the web that has its
 * name lead to 127.0.0.1 asks under that name (DNS rebinding). With a token whoever has it, or the cookie that it was
 * exchanged for. Neither is ever compared byte by byte.
 */
export class Access {
  readonly #token: string | undefined;

  constructor(token: string | undefined) {
    this.#token = token;
  }

  judge(credentials: Credentials): Verdict {
    const { host, authorization, cookie } = credentials;
    if (this.#token === undefined) return isLoopback(host) && isOwn(credentials) ? 'welcome' : 'foreign';
    const bearer = /^bearer (.+)$/i.exec(authorization ?? '')?.[1];
    if (bearer !== undefined) return this.isToken(bearer) ? 'welcome' : 'unknown';
    const key = cookieNamed(COOKIE, cookie);
    if (key === undefined || !isEqual(key, keyOf(this.#token))) return 'unknown';
    return isOwn(credentials) ? 'welcome' : 'foreign';
  }

  isToken(text: string): boolean {
    return this.#token !== undefined && isEqual(text, this.#token);
  }

  /** Set-Cookie for who has shown the token. The cookie does not hold the token, because other ports of the host get it. */
  cookie(): string {
    return `${COOKIE}=${keyOf(this.#token ?? '')}; Path=/; HttpOnly; SameSite=Strict`;
  }
}

/** True for host names and addresses, with or without a port, that only lead to the machine that asks. */
export function isLoopback(host: string | undefined): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host ?? '');
}

/** Programs other than browsers send nothing. Who follows a link from elsewhere sees the page, and the other page does not. */
function isOwn({ fetchSite, fetchMode }: Credentials): boolean {
  return ['same-origin', 'none', undefined].includes(fetchSite) || fetchMode === 'navigate';
}

function cookieNamed(name: string, header: string | undefined): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([key]) => key === name)?.[1];
}

function keyOf(token: string): string {
  return createHmac('sha256', token).update('cookie of the page').digest('hex');
}

/** Hashes have one length, whatever is compared. */
function isEqual(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
