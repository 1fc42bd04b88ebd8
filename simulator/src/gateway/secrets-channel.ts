import { channel } from 'node:diagnostics_channel';
import { STANDARD_PASSWORD } from './standard-password.ts';

/** Name of the diagnostics channel of `publishSecret`. */
export const SECRETS_CHANNEL = 'docker-volume-scaleio:simulator-secrets';

const secrets = channel(SECRETS_CHANNEL);

/**
 * Tells whoever listens in this process of a password that is accepted or a token that was issued, as `{ what, secret }`:
 * tests look for them in logs, where none may stand. Nobody listens unless tests do. The standard password is no secret:
 * the manual names it, and the program prints it.
 */
export function publishSecret(what: 'password' | 'session token', secret: string): void {
  if (secret !== STANDARD_PASSWORD) secrets.publish({ what, secret });
}
