import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import path from 'node:path';

/** A password, key or token that a test works with. */
export interface UsedSecret {
  /** In words, such as "session token". */
  readonly what: string;
  readonly secret: string;
}

/** Shorter ones could stand in other text by chance. */
const SHORTEST = 8;

/** Where run-tests.ts collects what is secret in its run; undefined when tests are run in another way. */
export function secretsDirectory(): string | undefined {
  return process.env['TEST_SECRETS'];
}

/** Has the run of all tests look for this secret in everything it leaves. Throws for one that is too short for that. */
export function usesSecret({ what, secret }: UsedSecret): string {
  if (secret.length < SHORTEST)
    throw new Error(`a test uses a ${what} of ${secret.length} characters: take newSecret() for it`);
  const directory = secretsDirectory();
  if (directory !== undefined) {
    const file = path.join(directory, `${process.pid}.jsonl`);
    appendFileSync(file, `${JSON.stringify({ what, secret })}\n`, { mode: 0o600 });
  }
  return secret;
}

/** A key as Standard Webhooks has them; it is looked for as it is written, and by its bytes. */
export function newWebhookKey(): string {
  const bytes = newSecret('webhook key');
  return usesSecret({ what: 'webhook key', secret: `whsec_${Buffer.from(bytes).toString('base64')}` });
}

/** A secret that nothing else reads like, and that no source file holds; it ends in `more`, for odd characters. */
export function newSecret(what: string, more = ''): string {
  return usesSecret({ what, secret: `Se${randomBytes(12).toString('hex')}${more}` });
}
