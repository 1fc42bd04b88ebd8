import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CancelledError, WebhookError } from '../../../../src/errors.ts';
import { createWebhooks } from '../../../../src/steward/webhook/signed-post.ts';
import { newSecret, newWebhookKey } from '../../../../lab/secrets/used.ts';

const KEY = newWebhookKey();
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
  createWebhooks({ readSecret: secret, now: () => Date.now(), newId: () => `id-${(ids += 1)}` });
let ids = 0;
/** What the receiver's library makes of it. Throws WebhookVerificationError. */
const verified = ({ headers, body }: Received, key = KEY): unknown =>
  new Webhook(key).verify(body, headers as Record<string, string>);
const never = new AbortController().signal;
const target = (url: string, timeoutMs = 5000) => ({ url, secretFile: '/run/secrets/key', timeoutMs });

test('the body is signed together with the time, and the answer handed back', async () => {
  const { received, url } = await receiver();
  expect(await webhooks().post(target(url), { level: 'warn' }, never)).toBe('thanks');
  expect(received.map(({ headers }) => headers['content-type'])).toEqual(['application/json']);
  expect(received.map((one) => verified(one))).toEqual([{ level: 'warn' }]);
});

test('nothing but what was sent, in its time and under its id, passes the receiver’s library', async () => {
  const { received, url } = await receiver();
  await webhooks().post(target(url), { level: 'warn' }, never);
  const [sent] = received;
  if (sent === undefined) throw new Error('nothing came');
  const { headers, body } = sent;
  const later = String(Number(headers['webhook-timestamp']) + 1);
  const forged: [string, () => unknown][] = [
    ['another body', () => verified({ headers, body: body.replace('warn', 'ok') })],
    ['another time', () => verified({ headers: { ...headers, 'webhook-timestamp': later }, body })],
    ['another id', () => verified({ headers: { ...headers, 'webhook-id': 'another' }, body })],
    ['another key', () => verified(sent, newWebhookKey())],
  ];
  for (const [what, verifying] of forged) expect(verifying, what).toThrow(WebhookVerificationError);
});

test('what is old passes no more', async () => {
  const { received, url } = await receiver();
  const readSecret = (): Promise<string> => Promise.resolve(KEY);
  const now = (): number => Date.now() - 6 * 60_000;
  await createWebhooks({ readSecret, now, newId: () => 'old' }).post(target(url), {}, never);
  expect(() => received.map((one) => verified(one))).toThrow('too old');
});

test('a message bears the id of its caller, or one of its own', async () => {
  const { received, url } = await receiver();
  const hooks = webhooks();
  await hooks.post(target(url), {}, never, 'msg_1');
  await hooks.post(target(url), {}, never, 'msg_1');
  await hooks.post(target(url), {}, never);
  await hooks.post(target(url), {}, never);
  const [first, again, one, other] = received.map(({ headers }) => headers['webhook-id']);
  expect([first, again]).toEqual(['msg_1', 'msg_1']);
  expect(one).toMatch(/^id-/);
  expect(other).not.toBe(one);
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
      'an answer that is too long',
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

  test.each([
    ['plain text', 'a key of before'],
    ['base64 alone', KEY.replace('whsec_', '')],
    ['a short key', `whsec_${Buffer.from('x'.repeat(23)).toString('base64')}`],
    ['a long key', `whsec_${Buffer.from('x'.repeat(65)).toString('base64')}`],
    ['half of it', 'whsec_!!!'],
  ])('a secret that is no key: %s', async (_, key) => {
    const { received, url } = await receiver();
    const said = await failing(
      url,
      webhooks(() => Promise.resolve(key)),
    );
    expect(said).toContain('holds no key of Standard Webhooks');
    expect(said).toContain('openssl rand -base64 32');
    expect(said).not.toContain(key);
    expect(received).toEqual([]);
  });
});

test('the caller’s own signal cancels', async () => {
  const { url } = await receiver({ silent: true });
  const post = webhooks().post(target(url), {}, AbortSignal.timeout(30));
  await expect(post).rejects.toBeInstanceOf(CancelledError);
});
