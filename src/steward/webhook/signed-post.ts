import { Webhook } from 'standardwebhooks';
import type { WebhookTarget, Webhooks } from '../ports.ts';
import { CancelledError, WebhookError } from '../../errors.ts';

const LONGEST_ANSWER_BYTES = 64 * 1024;
/** Of the key as it is written; 24 to 64 bytes of key is what Standard Webhooks asks for. */
const KEY = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const [SHORTEST_KEY_BYTES, LONGEST_KEY_BYTES] = [24, 64];
const HOW_TO_MAKE_ONE = `make one with: echo "whsec_$(openssl rand -base64 32)"`;

export interface SignedPostParts {
  /** Content of a secret's file. */
  readonly readSecret: (path: string) => Promise<string>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Unique: of a request that bears no id of its caller. */
  readonly newId: () => string;
}

/**
 * Webhooks over HTTP, signed as Standard Webhooks has it (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`), so that any of
 * its libraries refuses what is forged, old or told twice. Redirects are not followed: the signed body would go where nobody declared.
 */
export function createWebhooks({ readSecret, now, newId }: SignedPostParts): Webhooks {
  return {
    post: async (target, payload, signal, id = newId()) => {
      const body = JSON.stringify(payload);
      const signing = await signingFor(target, readSecret);
      const at = new Date(now());
      const limited = AbortSignal.any([signal, AbortSignal.timeout(target.timeoutMs)]);
      try {
        const response = await fetch(target.url, {
          method: 'POST',
          redirect: 'error',
          body,
          signal: limited,
          headers: {
            'content-type': 'application/json',
            'webhook-id': id,
            'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
            'webhook-signature': signing.sign(id, at, body),
          },
        });
        const answer = await limitedText(response, target);
        if (response.ok) return answer;
        throw new WebhookError(`webhook "${hostOf(target)}" answered HTTP ${response.status}`);
      } catch (cause) {
        throw failure(cause, target, signal);
      }
    },
  };
}

async function signingFor(target: WebhookTarget, read: SignedPostParts['readSecret']): Promise<Webhook> {
  const { secretFile } = target;
  const cannot = (why: string, cause?: unknown): WebhookError =>
    new WebhookError(`cannot sign for webhook "${hostOf(target)}": secret file "${secretFile}" ${why}`, {
      cause,
    });
  const written = await read(secretFile).catch((cause: unknown) => {
    throw cannot(`cannot be read (${codeOf(cause)})`, cause);
  });
  const key = written.trim();
  if (key === '') throw cannot('is empty');
  const bytes = Buffer.from(KEY.exec(key)?.[1] ?? '', 'base64').length;
  if (bytes < SHORTEST_KEY_BYTES || bytes > LONGEST_KEY_BYTES) {
    const wanted = `"whsec_" and the base64 of ${SHORTEST_KEY_BYTES} to ${LONGEST_KEY_BYTES} bytes`;
    throw cannot(`holds no key of Standard Webhooks, which is ${wanted}; ${HOW_TO_MAKE_ONE}`);
  }
  return new Webhook(key);
}

async function limitedText(response: Response, target: WebhookTarget): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > LONGEST_ANSWER_BYTES)
      throw new WebhookError(`webhook "${hostOf(target)}" sent an answer that is too long`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function failure(cause: unknown, target: WebhookTarget, signal: AbortSignal): Error {
  if (signal.aborted)
    return new CancelledError(`telling webhook "${hostOf(target)}" was cancelled`, { cause });
  if (cause instanceof WebhookError) return cause;
  const isLate = cause instanceof Error && cause.name === 'TimeoutError';
  const why = isLate
    ? `did not answer within ${target.timeoutMs} ms`
    : `cannot be reached (${codeOf(cause)})`;
  return new WebhookError(`webhook "${hostOf(target)}" ${why}`, { cause });
}

/** Without path and query, which may hold a token. */
function hostOf({ url }: WebhookTarget): string {
  return new URL(url).host;
}

function codeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code;
  return inner instanceof Error ? inner.message : String(inner);
}
