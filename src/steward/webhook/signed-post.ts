import { createHmac } from 'node:crypto';
import type { WebhookTarget, Webhooks } from '../ports.ts';
import { CancelledError, WebhookError } from '../../errors.ts';

const LONGEST_ANSWER_BYTES = 64 * 1024;

export interface SignedPostParts {
  /** Content of a secret's file. */
  readonly readSecret: (path: string) => Promise<string>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Webhooks over HTTP. Header `X-Scaleio-Timestamp` is the time in seconds, `X-Scaleio-Signature` is `v1=` and the hex
 * HMAC-SHA256 of `<timestamp>.<body>`, so a receiver can refuse what is forged and what is old. Redirects are not
 * followed: the signed body would go where nobody declared.
 */
export function createWebhooks({ readSecret, now }: SignedPostParts): Webhooks {
  return {
    post: async (target, payload, signal) => {
      const body = JSON.stringify(payload);
      const key = await secretOf(target, readSecret);
      const timestamp = String(Math.floor(now() / 1000));
      const limited = AbortSignal.any([signal, AbortSignal.timeout(target.timeoutMs)]);
      try {
        const response = await fetch(target.url, {
          method: 'POST',
          redirect: 'error',
          body,
          signal: limited,
          headers: {
            'content-type': 'application/json',
            'x-scaleio-timestamp': timestamp,
            'x-scaleio-signature': sign(key, timestamp, body),
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

/** What the header X-Scaleio-Signature holds. */
export function sign(key: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')}`;
}

async function secretOf(target: WebhookTarget, read: SignedPostParts['readSecret']): Promise<string> {
  try {
    const key = (await read(target.secretFile)).trim();
    if (key !== '') return key;
  } catch (cause) {
    throw new WebhookError(
      `cannot sign for webhook "${hostOf(target)}": secret file "${target.secretFile}" cannot be read (${codeOf(cause)})`,
      { cause },
    );
  }
  throw new WebhookError(
    `cannot sign for webhook "${hostOf(target)}": secret file "${target.secretFile}" is empty`,
  );
}

async function limitedText(response: Response, target: WebhookTarget): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > LONGEST_ANSWER_BYTES)
      throw new WebhookError(`webhook "${hostOf(target)}" answered more than can be meant`);
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
