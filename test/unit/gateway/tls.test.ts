import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GatewayUnavailableError } from '../../../src/errors.ts';
import { clientOf, fakeGateway, rejection, soon, SYSTEM_ID } from './fake-gateway.ts';

const pem = (name: string): string =>
  readFileSync(new URL(`../../fixtures/gateway/tls/${name}`, import.meta.url), 'utf8');
const server = (name: string): { cert: string; key: string } => ({
  cert: pem(`${name}.pem`),
  key: pem(`${name}.key`),
});
const CA = pem('ca.pem');

test('a certificate of the given authority is trusted', async () => {
  const fake = await fakeGateway({}, { tls: server('good') });
  expect((await clientOf(fake, { ca: CA }).identity(soon())).systemId).toBe(SYSTEM_ID);
});

test.each([
  [
    'good',
    undefined,
    "certificate's authority is not known; set SCALEIO_CA_FILE to its authority, or SCALEIO_INSECURE=true",
  ],
  [
    'other',
    CA,
    'certificate is for another host name; use that name in SCALEIO_ENDPOINT, or set SCALEIO_INSECURE=true',
  ],
  ['expired', CA, 'certificate has expired; renew it, or set SCALEIO_INSECURE=true'],
])('the %s certificate is refused, with what to do, and nothing is sent', async (name, ca, reason) => {
  const fake = await fakeGateway({}, { tls: server(name) });
  const error = await rejection(clientOf(fake, { ca }).identity(soon()));
  expect(error).toBeInstanceOf(GatewayUnavailableError);
  expect(error.message).toContain(reason);
  expect(fake.seen).toEqual([]);
});

test.each(['good', 'other', 'expired'])(
  'insecure takes the %s certificate without any authority',
  async (name) => {
    const fake = await fakeGateway({}, { tls: server(name) });
    expect((await clientOf(fake, { insecure: true }).identity(soon())).systemId).toBe(SYSTEM_ID);
  },
);

test('https on a port that speaks http, and the other way round, is said in words', async () => {
  const plain = await fakeGateway();
  const wrong = [{ endpoint: plain.endpoint.replace('http:', 'https:') }];
  expect((await rejection(clientOf(wrong).identity(soon()))).message).toContain('does not speak TLS');
  const tls = await fakeGateway({}, { tls: server('good') });
  const other = [{ endpoint: tls.endpoint.replace('https:', 'http:') }];
  const { message } = await rejection(clientOf(other).identity(soon()));
  expect(message).toMatch(/does not speak HTTP|connection cut/);
});

test('authorities that are replaced count from the next connection on', async () => {
  const first = await fakeGateway({}, { tls: server('good') });
  let ca = pem('expired.pem');
  const gateway = clientOf(first, { ca: () => Promise.resolve(ca) });
  expect((await rejection(gateway.identity(soon()))).message).toContain('authority');
  ca = CA;
  // It is left alone for a moment after failures.
  await expect.poll(async () => (await gateway.identity(soon())).systemId).toBe(SYSTEM_ID);
});
