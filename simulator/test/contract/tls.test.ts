import 'reflect-metadata';
import { X509Certificate as ReadCertificate } from '@peculiar/x509';
import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { ensureCertificate } from '../../src/certificates.ts';
import { startSimulator } from '../../src/simulator.ts';
import { admin, basic } from './gateway-client.ts';

async function secure() {
  const sim = await startSimulator({ users: [admin], gateways: [{ tls: true }] });
  onTestFinished(() => sim.close());
  const { port } = new URL(sim.urls[0] ?? '');
  return { sim, port: Number(port), ca: await readFile(sim.caFile ?? '', 'utf8') };
}

test('HTTPS is verified by the CA that is written out, for the address and for localhost', async () => {
  const { sim, port, ca } = await secure();
  expect(sim.urls[0]).toMatch(/^https:/);
  for (const host of ['127.0.0.1', 'localhost']) {
    const headers = { authorization: basic(admin.name, admin.password) };
    const sent = request({ host, port, path: '/api/login', ca, headers, family: 4 });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    expect(await text(response)).toMatch(/^"/);
  }
});

test('without the CA it is not trusted', async () => {
  const { port } = await secure();
  const sent = request({ host: '127.0.0.1', port, path: '/api/login' });
  sent.end();
  await expect(once(sent, 'response')).rejects.toThrow(/self-signed|unable to/);
});

test.each(['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384'])(
  '[rexray tls/common.go] TLS 1.2 with %s, as old Go clients speak it',
  async (ciphers) => {
    const { port, ca } = await secure();
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca,
      maxVersion: 'TLSv1.2',
      ciphers,
      ecdhCurve: 'P-256',
    });
    await once(socket, 'secureConnect');
    expect([socket.getProtocol(), socket.getCipher().name]).toEqual(['TLSv1.2', ciphers]);
    socket.destroy();
  },
);

test('the authority stays when the hosts change, and a server certificate is made anew for them', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'tls-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const first = await ensureCertificate(dir, ['10.0.0.1'], Date.now);
  const ca = await readFile(first.caFile, 'utf8');
  const again = await ensureCertificate(dir, ['10.0.0.1'], Date.now);
  expect(again).toEqual(first);
  const other = await ensureCertificate(dir, ['10.0.0.1', 'array.example'], Date.now);
  expect(await readFile(other.caFile, 'utf8')).toBe(ca);
  const certificate = new X509Certificate(other.cert);
  expect(certificate.verify(new X509Certificate(ca).publicKey)).toBe(true);
  expect(certificate.subjectAltName).toContain('DNS:array.example');
  expect(certificate.subjectAltName).toContain('IP Address:10.0.0.1');
  // Key identifiers of subject and issuer, without which OpenSSL's strict mode (Python from 3.13) refuses it.
  const extensions = (pem: string) => new ReadCertificate(pem).extensions.map(({ type }) => type);
  expect(extensions(ca)).toContain('2.5.29.14');
  expect(extensions(other.cert)).toEqual(expect.arrayContaining(['2.5.29.14', '2.5.29.35']));
  expect((await stat(path.join(dir, 'tls/ca.key'))).mode & 0o777).toBe(0o600);
});

test('what a crash left of an authority, a certificate without a key, is made anew', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'tls-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await mkdir(path.join(dir, 'tls'));
  await writeFile(path.join(dir, 'tls/ca.pem'), 'half');
  const { cert, caFile } = await ensureCertificate(dir, [], Date.now);
  const authority = new X509Certificate(await readFile(caFile));
  expect(new X509Certificate(cert).verify(authority.publicKey)).toBe(true);
});
