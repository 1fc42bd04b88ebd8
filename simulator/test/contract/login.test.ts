import { describe, expect, test } from 'vitest';
import { newSecret } from '../../../lab/secrets/used.ts';
import { admin, basic, GatewayClient, simulate, versions } from './gateway-client.ts';

const unauthorized = { message: 'Unauthorized', httpStatusCode: 401, errorCode: 0 };

describe.each(versions)('login, version %s', (version) => {
  test('[rexray #469] login answers a quoted token as JSON', async () => {
    const { client } = await simulate({ version });
    const reply = await client.send('GET', '/api/login', {
      headers: { authorization: basic(admin.name, admin.password) },
    });
    expect(reply.status).toBe(200);
    expect(reply.text).toMatch(/^"[A-Za-z0-9+/]+"$/);
    expect(reply.headers.get('content-type')?.toLowerCase()).toBe('application/json;charset=utf-8');
  });

  test('[CloudStack] a token is base64 of user, milliseconds and md5, without padding', async () => {
    const { client } = await simulate({ version });
    const token = await client.login();
    expect(Buffer.from(token, 'base64').toString()).toMatch(/^admin:\d{13}:[0-9a-f]{32}$/);
    expect(token).not.toContain('=');
  });

  test('[csi authorization_failure.json] bad credentials are 401 with errorCode 0', async () => {
    const { client } = await simulate({ version });
    const reply = await client.send('GET', '/api/login', {
      headers: { authorization: basic('admin', 'wrong') },
    });
    expect(reply).toMatchObject({ status: 401, body: unauthorized });
  });

  test.each(['', 'admin', 'anybody'])(
    '[gsio, cinder] a token is taken as password of user "%s"',
    async (user) => {
      const { client } = await simulate({ version });
      client.authorization = basic(user, await client.login());
      expect(await client.get('/api/version')).toMatchObject({ status: 200, body: version });
    },
  );

  test('[gsio] Bearer is taken from 4.0 on, and only then', async () => {
    const { client } = await simulate({ version });
    client.authorization = `Bearer ${await client.login()}`;
    expect((await client.get('/api/version')).status).toBe(version === '4.5' ? 200 : 401);
  });

  test('[PyPowerFlex, lxd] the platform login exists from 4.0 on, and only then', async () => {
    const { client } = await simulate({ version });
    const reply = await client.post('/rest/auth/login', { username: 'admin', password: admin.password });
    expect(reply.status).toBe(version === '4.5' ? 200 : 404);
    if (version !== '4.5') return;
    const { access_token, refresh_token } = reply.body as { access_token: string; refresh_token: string };
    client.authorization = `Bearer ${access_token}`;
    expect((await client.get('/api/types/System/instances')).status).toBe(200);
    expect((await client.post('/rest/auth/logout', { refresh_token })).status).toBe(204);
    expect((await client.get('/api/types/System/instances')).status).toBe(401);
  });

  test('[pysio] a token is dead after logout', async () => {
    const { client } = await simulate({ version });
    expect((await client.get('/api/logout')).status).toBe(200);
    expect(await client.get('/api/version')).toMatchObject({ status: 401, body: unauthorized });
  });

  test('[gsio] the version is a quoted string without a build part', async () => {
    const { client } = await simulate({ version });
    expect((await client.get('/api/version')).text).toBe(`"${version}"`);
  });
});

test('no credentials at all are 401, also for paths that do not exist', async () => {
  const { client } = await simulate();
  client.authorization = '';
  expect((await client.get('/api/types/System/instances')).status).toBe(401);
  expect((await client.get('/api/nonsense')).status).toBe(401);
});

test('[sio-py] the version may be asked with user and password', async () => {
  const { client } = await simulate();
  client.authorization = basic(admin.name, admin.password);
  expect((await client.get('/api/version')).status).toBe(200);
  expect((await client.get('/api/types/System/instances')).status).toBe(401);
});

test('[CloudStack] a token dies after 10 minutes without use', async () => {
  let now = Date.now();
  const { client } = await simulate({ now: () => now });
  now += 599_000;
  expect((await client.get('/api/version')).status).toBe(200);
  now += 599_000;
  expect((await client.get('/api/version')).status).toBe(200);
  now += 601_000;
  expect((await client.get('/api/version')).status).toBe(401);
});

test.each([-12, 12])('a token lives as long as it does when the clock is set by %d h', async (hours) => {
  let now = Date.now();
  const { client } = await simulate({ now: () => now, elapsed: () => performance.now() });
  expect((await client.get('/api/version')).status).toBe(200);
  now += hours * 3_600_000;
  expect((await client.get('/api/version')).status).toBe(200);
});

test('[CloudStack] a token dies 8 hours after its creation, however much it is used', async () => {
  let now = Date.now();
  const { client } = await simulate({ now: () => now });
  for (let minutes = 9; minutes < 8 * 60; minutes += 9) {
    now += 9 * 60_000;
    expect((await client.get('/api/version')).status).toBe(200);
  }
  now += 9 * 60_000;
  expect((await client.get('/api/version')).status).toBe(401);
});

test('several tokens are valid at once, also at another gateway of the same array', async () => {
  const { sim, client } = await simulate({ gateways: [{}, {}] });
  const other = new GatewayClient(sim.urls[1] ?? '');
  other.authorization = client.authorization;
  await other.login();
  expect((await client.get('/api/version')).status).toBe(200);
  other.authorization = client.authorization;
  expect((await other.get('/api/version')).status).toBe(200);
});

test('[ansible-powerflex #49] a POST without a JSON content type is 400', async () => {
  const { client } = await simulate();
  const reply = await client.send('POST', '/api/types/Volume/instances', {
    headers: { 'content-type': 'text/plain' },
    body: {},
  });
  const message = 'Request header Content-Type should be application/json';
  expect(reply).toMatchObject({ status: 400, body: { message, httpStatusCode: 400, errorCode: 0 } });
  expect((await client.send('POST', '/api/types/Volume/instances')).status).toBe(400);
});

test.each(['application/json;version=3.6', 'application/json; version=2.0', '*/*', 'application/json'])(
  '[gsio, pysio, cinder] Accept and Content-Type "%s" are taken',
  async (type) => {
    const { client } = await simulate();
    const headers = { accept: type, 'content-type': 'application/json;version=3.6' };
    expect((await client.send('GET', '/api/version', { headers })).status).toBe(200);
    const body = { name: 'none' };
    const reply = await client.send('POST', '/api/types/Volume/instances/action/queryIdByKey', {
      headers,
      body,
    });
    expect(reply).toMatchObject({ status: 500, body: { errorCode: 3 } });
  },
);

test('[siort] an Accept that excludes JSON is 406', async () => {
  const { client } = await simulate();
  expect((await client.send('GET', '/api/version', { headers: { accept: 'text/csv' } })).status).toBe(406);
});

test("[gsio] from 4.0 the ingress may answer HTML for what is not the MDM's", async () => {
  const { client } = await simulate({ version: '4.5', htmlErrors: true });
  const [volume] = await Promise.all([client.get('/api/instances/Volume::0000000000000001')]);
  expect(volume).toMatchObject({ status: 500, body: { errorCode: 79 } });
  client.authorization = '';
  const reply = await client.get('/api/version');
  expect(reply.status).toBe(401);
  expect(reply.headers.get('content-type')).toContain('html');
  expect(reply.text).toContain('401 Unauthorized');
});

test('[siort SIOuser] a Monitor may look but not change', async () => {
  const password = newSecret('password');
  const { client } = await simulate({ users: [admin, { name: 'eye', password, role: 'Monitor' }] });
  await client.login('eye', password);
  expect((await client.get('/api/types/Volume/instances')).status).toBe(200);
  const query = await client.post('/api/types/StoragePool/instances/action/queryBySelectedIds', { ids: [] });
  expect(query.status).toBe(200);
  expect(await client.post('/api/types/Volume/instances', {})).toMatchObject({
    status: 500,
    body: { errorCode: 168 },
  });
});
