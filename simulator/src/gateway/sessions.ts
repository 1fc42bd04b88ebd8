import { createHash, randomUUID } from 'node:crypto';
import { publishSecret } from './secrets-channel.ts';

export interface User {
  readonly name: string;
  readonly password: string;
  readonly role: string;
}

export interface SessionOptions {
  readonly users: readonly User[];
  readonly lifeMs: number;
  readonly idleMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds since some moment; only ever grows. */
  readonly elapsed: () => number;
}

interface Session {
  readonly user: User;
  readonly createdAt: number;
  usedAt: number;
}

/**
 * Tokens of all gateways together. A token lives 8 hours from its creation and dies after 10 minutes without use
 * [CloudStack, citing Dell's REST guide]; any number of them are valid at once.
 */
export class Sessions {
  readonly #options: SessionOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(options: SessionOptions) {
    this.#options = options;
    for (const { password } of options.users) publishSecret('password', password);
  }

  /** The user with this name and password. */
  user(name: string, password: string): User | undefined {
    return this.#options.users.find((user) => user.name === name && user.password === password);
  }

  /** A new token: base64, without padding, of `user:milliseconds:md5` [CloudStack test]. */
  login(user: User): string {
    const now = Math.floor(this.#options.now());
    const digest = createHash('md5').update(randomUUID()).digest('hex');
    const token = Buffer.from(`${user.name}:${now}:${digest}`).toString('base64').replace(/=+$/, '');
    publishSecret('session token', token);
    const at = this.#options.elapsed();
    this.#sessions.set(token, { user, createdAt: at, usedAt: at });
    return token;
  }

  /** Whose token it is, undefined when it is none or has died. Using it keeps it alive. */
  use(token: string): User | undefined {
    const session = this.#sessions.get(token);
    if (session === undefined) return undefined;
    const now = this.#options.elapsed();
    if (now - session.createdAt > this.#options.lifeMs || now - session.usedAt > this.#options.idleMs) {
      this.#sessions.delete(token);
      return undefined;
    }
    session.usedAt = now;
    return session.user;
  }

  /** Tokens that have not died and nobody has logged out. */
  get count(): number {
    return this.#sessions.size;
  }

  logout(token: string): void {
    this.#sessions.delete(token);
  }

  /** Ends all sessions and says how many there were. */
  revokeAll(): number {
    const count = this.#sessions.size;
    this.#sessions.clear();
    return count;
  }
}

/** A parsed Authorization header. */
export type Credentials =
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string };

/** Reads an Authorization header; undefined when there is none that can be read. */
export function credentialsOf(header: string | undefined): Credentials | undefined {
  const match = /^(basic|bearer)\s+(\S+)\s*$/i.exec(header ?? '');
  const [, scheme, value] = match ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', token: value };
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  return { scheme: 'basic', user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}
