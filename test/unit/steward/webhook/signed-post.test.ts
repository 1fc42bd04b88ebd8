import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CancelledError, WebhookError } from '../../../../src/errors.ts';
import { createWebhooks } from '../../../../src/steward/webhook/signed-post.ts';
import { newSecret } from '../../../secrets/used.ts';

const KEY = newSecret('webhook key');
const HIDDEN = newSecret('token in a URL');

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function receiver(answer: { status?: number; body?: string; headers?: object; silent?: true } = {}) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ headers: request.headers, body });
      if (answer.silent === true) return;
      response.writeHead(answer.status ?? 200, { ...answer.headers });
      response.end(answer.body ?? 'thanks');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=${HIDDEN}`;
  return { received, url };
}

const webhooks = (secret: () => Promise<string> = () => Promise.resolve(`${KEY}\n`)) =>
  createWebhooks({ readSecret: secret, now: () => 1_767_225_600_999 });
const never = new AbortController().signal;
const target = (url: string, timeoutMs = 5000) => ({ url, secretFile: '/run/secrets/key', timeoutMs });

test('the body is signed together with the time, and the answer handed back', async () => {
  const { received, url } = await receiver();
  expect(await webhooks().post(target(url), { level: 'warn' }, never)).toBe('thanks');
  const signature = createHmac('sha256', KEY).update('1767225600.{"level":"warn"}').digest('hex');
  expect(received).toMatchObject([
    {
      body: '{"level":"warn"}',
      headers: {
        'content-type': 'application/json',
        'x-scaleio-timestamp': '1767225600',
        'x-scaleio-signature': `v1=${signature}`,
      },
    },
  ]);
});

describe('it is a WebhookError that says why, without the URL’s secrets', () => {
  const failing = async (url: string, hooks = webhooks(), timeoutMs?: number): Promise<string> => {
    const error = await hooks.post(target(url, timeoutMs), {}, never).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(WebhookError);
    const { message } = error as WebhookError;
    expect(message).not.toContain(HIDDEN);
    return message;
  };

  test('a status that is no success', async () => {
    expect(await failing((await receiver({ status: 503 })).url)).toContain('HTTP 503');
  });

  test('a redirect, which is not followed', async () => {
    const elsewhere = await receiver();
    const { url } = await receiver({ status: 307, headers: { location: elsewhere.url } });
    await failing(url);
    expect(elsewhere.received).toEqual([]);
  });

  test('no answer in time', async () => {
    expect(await failing((await receiver({ silent: true })).url, webhooks(), 50)).toContain('within 50 ms');
  });

  test('nobody there', async () => {
    expect(await failing(`http://127.0.0.1:1/?token=${HIDDEN}`)).toContain('cannot be reached');
  });

  test('an answer without end', async () => {
    expect(await failing((await receiver({ body: 'x'.repeat(100_000) })).url)).toContain(
      'more than can be meant',
    );
  });

  test('a secret that is missing or empty', async () => {
    const { received, url } = await receiver();
    const missing = webhooks(() => Promise.reject(Object.assign(new Error('no'), { code: 'ENOENT' })));
    expect(await failing(url, missing)).toContain('"/run/secrets/key" cannot be read (ENOENT)');
    expect(
      await failing(
        url,
        webhooks(() => Promise.resolve('\n')),
      ),
    ).toContain('is empty');
    expect(received).toEqual([]);
  });
});

test('the caller’s own signal cancels', async () => {
  const { url } = await receiver({ silent: true });
  const post = webhooks().post(target(url), {}, AbortSignal.timeout(30));
  await expect(post).rejects.toBeInstanceOf(CancelledError);
});
