import { describe, expect, test, vi } from 'vitest';
import { GatewayClient, guidA, refused, simulate, type Json } from './gateway-client.ts';

/** On a machine with much else to do. */
const PATIENT = { timeout: 20_000 };

async function controlled(options: Parameters<typeof simulate>[0] = {}) {
  const { sim, client } = await simulate({ faults: true, ...options });
  const control = new GatewayClient(sim.mdmUrl);
  return { sim, client, control };
}

test('the controls are there only when asked for', async () => {
  const { sim, client } = await simulate();
  expect((await client.get('/simulator/state')).status).toBe(404);
  expect((await fetch(`${sim.mdmUrl}/simulator/state`)).status).toBe(404);
});

test('the requests to the gateways are counted, with status and time', async () => {
  const { sim, client, control } = await controlled();
  await control.send('DELETE', '/simulator/requests');
  await client.get('/api/types/Volume/instances');
  await client.get('/api/instances/Volume::01');
  await fetch(`${sim.urls[0] ?? ''}/api/version`, { headers: { 'x-request-id': 'reconcile-1' } });
  expect((await control.get('/simulator/requests')).body).toMatchObject([
    { method: 'GET', path: '/api/types/Volume/instances', status: 200, gateway: 0 },
    { path: '/api/instances/Volume::01', status: 500 },
    { path: '/api/version', requestId: 'reconcile-1' },
  ]);
});

describe('rules', () => {
  test('an error by path, so many times, after so many', async () => {
    const { client, control } = await controlled();
    const busy = { message: 'The system is busy. Retry later', httpStatusCode: 500, errorCode: 164 };
    await control.post('/simulator/rules', {
      kind: 'error',
      path: 'types/Volume',
      count: 1,
      after: 1,
      status: 500,
      body: busy,
    });
    const statuses: number[] = [];
    for (let count = 0; count < 3; count += 1)
      statuses.push((await client.get('/api/types/Volume/instances')).status);
    expect(statuses).toEqual([200, 500, 200]);
  });

  test('an HTML error as of an ingress', async () => {
    const { client, control } = await controlled();
    await control.post('/simulator/rules', {
      kind: 'error',
      method: 'GET',
      status: 502,
      body: '<html>Bad Gateway</html>',
    });
    const reply = await client.get('/api/version');
    expect(reply).toMatchObject({ status: 502, text: '<html>Bad Gateway</html>' });
    expect(reply.headers.get('content-type')).toContain('text/html');
    await control.send('DELETE', '/simulator/faults');
    expect((await client.get('/api/version')).status).toBe(200);
  });

  test('a lost reply: done, but nobody is told', async () => {
    const { sim, client, control } = await controlled();
    await control.post('/simulator/rules', { kind: 'reply-lost', method: 'POST', count: 1 });
    await expect(client.createVolume({ name: 'db' })).rejects.toThrow();
    expect(await client.list('Volume')).toMatchObject([{ name: 'db' }]);
    expect(sim.requests.all().find(({ method }) => method === 'POST')).toMatchObject({ status: 0 });
  });

  test('a connection cut before: nothing is done', async () => {
    const { client, control } = await controlled();
    await control.post('/simulator/rules', { kind: 'cut', method: 'POST', count: 1 });
    await expect(client.createVolume({ name: 'db' })).rejects.toThrow();
    expect(await client.list('Volume')).toEqual([]);
  });

  test('a rule can be taken back', async () => {
    const { client, control } = await controlled();
    const { id } = (await control.post('/simulator/rules', { kind: 'error' })).body as { id: number };
    expect((await client.get('/api/version')).status).toBe(500);
    await control.send('DELETE', `/simulator/rules/${id}`);
    expect((await client.get('/api/version')).status).toBe(200);
  });

  test('wrong settings are refused', async () => {
    const { control } = await controlled();
    expect((await control.post('/simulator/rules', { kind: 'explode' })).status).toBe(400);
    expect((await control.post('/simulator/rules', { kind: 'error', path: '(' })).status).toBe(400);
  });
});

test('latency', async () => {
  const { client, control } = await controlled();
  await control.post('/simulator/latency', { fixedMs: 60, jitterMs: 10 });
  const started = performance.now();
  await client.get('/api/version');
  expect(performance.now() - started).toBeGreaterThanOrEqual(59);
});

test.each([
  ['as documented, with no body', {}],
  ['as curl sends it', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '{}' }],
])('the controls take what is asked of the gateway %s', async (_, init) => {
  const { sim, client } = await simulate({ faults: true });
  const reply = await fetch(`${client.url}/simulator/tokens/revoke`, { method: 'POST', ...init });
  expect(await reply.json()).toEqual({ revoked: 1 });
  expect((await client.get('/api/version')).status).toBe(401);
  expect(sim.sessions.count).toBe(0);
  await client.login();
  const volumes = `${client.url}/api/types/Volume/instances`;
  const authorization = client.authorization;
  expect((await fetch(volumes, { method: 'POST', headers: { authorization } })).status).toBe(400);
});

test('tokens can be revoked', async () => {
  const { client, control } = await controlled();
  expect((await control.post('/simulator/tokens/revoke')).body).toEqual({ revoked: 1 });
  expect((await client.get('/api/version')).status).toBe(401);
  await client.login();
  expect((await client.get('/api/version')).status).toBe(200);
});

test('one gateway goes down and comes up again at the same address, the other serves on', async () => {
  const { sim, client, control } = await controlled({ gateways: [{}, {}] });
  const second = new GatewayClient(sim.urls[1] ?? '');
  second.authorization = client.authorization;
  await control.post('/simulator/gateways', { gateway: 0, up: false });
  await vi.waitFor(async () => {
    await expect(client.get('/api/version')).rejects.toThrow();
  }, PATIENT);
  expect((await second.get('/api/version')).status).toBe(200);
  await control.post('/simulator/gateways', { gateway: 0, up: true });
  expect((await client.get('/api/version')).status).toBe(200);
});

test('[siolib] while the MDMs change over, the gateways answer "Communication error"', async () => {
  let now = Date.now();
  const { client, control } = await controlled({ now: () => now });
  await control.post('/simulator/failover', { seconds: 5 });
  expect(await client.get('/api/version')).toMatchObject(refused(69, 'Communication error'));
  now += 5001;
  expect((await client.get('/api/version')).status).toBe(200);
});

test('devices that never arrive, late, or wrong, are told to the SDCs', async () => {
  const { sim, client, control } = await controlled();
  const sdc = await sim.connectSdc({ guid: guidA });
  const id = await client.createVolume();
  await client.act('Volume', id, 'addMappedSdc', { guid: guidA });
  await control.post('/simulator/devices', { fault: 250 });
  expect(sdc.volumes()).toMatchObject([{ deviceFault: 250 }]);
  await control.post('/simulator/devices', { volumeId: id, fault: 'never' });
  expect(sdc.volumes()).toMatchObject([{ deviceFault: 'never' }]);
  await control.post('/simulator/devices', { volumeId: id, fault: null });
  await control.post('/simulator/devices', { fault: null });
  expect(sdc.volumes()[0]).not.toHaveProperty('deviceFault');
});

test('[codes] a pool filled past its critical threshold refuses volumes and snapshots', async () => {
  const { client, control } = await controlled();
  const [pool] = await client.list('StoragePool');
  const id = await client.createVolume();
  await control.post('/simulator/pools', { poolId: pool?.['id'], fillPercent: 95 });
  const body = { storagePoolId: pool?.['id'], volumeSizeInGb: 8, volumeType: 'ThinProvisioned' };
  const message = 'Storage Pool reached critical capacity utilization. Unable to create new thin volumes';
  expect((await client.post('/api/types/Volume/instances', body)).body).toMatchObject({ message });
  const snapshot = await client.post('/api/instances/System/action/snapshotVolumes', {
    snapshotDefs: [{ volumeId: id }],
  });
  expect(snapshot).toMatchObject(refused(191));
  expect((await client.list('StoragePool'))[0]).toMatchObject({ capacityUsageState: 'Critical' });
  await control.post('/simulator/pools', { poolId: pool?.['id'], fillPercent: 0 });
  expect((await client.post('/api/types/Volume/instances', body)).status).toBe(200);
});

test('an SDC falls silent and comes back; seeding; the state tells', async () => {
  const { sim, client, control } = await controlled();
  await sim.connectSdc({ guid: guidA });
  await control.post('/simulator/sdcs', { guid: guidA, silent: true });
  expect((await client.list('Sdc'))[0]).toMatchObject({ mdmConnectionState: 'Disconnected' });
  expect((await control.post('/simulator/seed', { count: 25, prefix: 'many-' })).body).toMatchObject({
    count: 25,
  });
  const state = (await control.get('/simulator/state')).body as Json;
  expect(state).toMatchObject({ volumes: 25, sdcs: [{ guid: guidA, connected: false, silent: true }] });
  expect((await control.post('/simulator/compact')).status).toBe(200);
});
