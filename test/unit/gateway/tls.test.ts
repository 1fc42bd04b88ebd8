import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
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
  // Node hangs up; others answer in TLS.
  expect(message).toMatch(/does not speak HTTP|connection cut/);
});

/** A server of a fixed answer, whatever it is asked. */
async function answering(answer: Buffer): Promise<{ endpoint: string }> {
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.end(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}` };
}

test('http on a port that speaks https is said in words: the alert of OpenSSL', async () => {
  const alert = Buffer.from('15030100020246', 'hex');
  const error = await rejection(clientOf([await answering(alert)]).identity(soon()));
  expect(error.message).toContain('does not speak HTTP, probably HTTPS: write https:// in SCALEIO_ENDPOINT');
});

test.each([
  [
    'nginx',
    '400 Bad Request',
    'Content-Type: text/html\r\n',
    '<html>The plain HTTP request was sent to HTTPS port</html>',
  ],
  [
    'Tomcat',
    '400 ',
    'Content-Type: text/plain;charset=ISO-8859-1\r\n',
    'This combination of host and port requires TLS.',
  ],
  ['Go', '400 Bad Request', '', 'Client sent an HTTP request to an HTTPS server.'],
])('http on a port that speaks https is said in words: the 400 of %s', async (_who, status, type, body) => {
  const answer = Buffer.from(`HTTP/1.1 ${status}\r\n${type}Connection: close\r\n\r\n${body}`);
  const error = await rejection(clientOf([await answering(answer)]).identity(soon()));
  expect(error).toBeInstanceOf(GatewayUnavailableError);
  expect(error.message).toContain(
    'HTTP status 400 from something that is not a gateway; probably HTTPS: write https://',
  );
});

test('a gateway that speaks only TLS 1.1 is refused, with what to do, and nothing is sent', async () => {
  // OpenSSL signs with MD5 and SHA-1, as TLS 1.1 wants, only at its lowest level.
  const only = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const fake = await fakeGateway({}, { tls: { ...server('good'), ...only } });
  const error = await rejection(clientOf(fake, { ca: CA }).identity(soon()));
  expect(error.message).toContain(
    'speaks only TLS 1.1 or older, which is refused; turn on TLS 1.2 at the gateway',
  );
  expect(fake.seen).toEqual([]);
});

test('authorities that are replaced count from the next connection on', async () => {
  const first = await fakeGateway({}, { tls: server('good') });
  let ca = pem('expired.pem');
  const gateway = clientOf(first, { ca: () => Promise.resolve(ca) });
  expect((await rejection(gateway.identity(soon()))).message).toContain('authority');
  ca = CA;
  // It is left alone for a moment after failures.
  await expect
    .poll(async () => (await gateway.identity(soon())).systemId, { timeout: 10_000 })
    .toBe(SYSTEM_ID);
});
