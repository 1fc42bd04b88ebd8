import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:tls';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
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
