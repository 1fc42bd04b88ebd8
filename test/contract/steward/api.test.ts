import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fillPool } from 'scaleio-simulator/operations';
import { GIB, soon } from '../gateway/simulated.ts';
import { apiScene, TOKENS, type Problem } from './api-scene.ts';

const ROOT = '/api/v1';

describe('volumes', () => {
  it('are listed by name, page by page, and shown with who has them', async () => {
    const { ask, create, gateway, one } = await apiScene();
    const orders = await create('orders');
    await create('stock');
    await create('billing');
    await gateway.attachVolume({ volumeId: orders, hostId: one, readOnly: false }, soon());
    const first = await ask('viewer', `GET ${ROOT}/volumes?limit=2`);
    expect(first.body).toMatchObject({
      volumes: [{ name: 'billing' }, { name: 'orders' }],
      total: 3,
      next: 'orders',
    });
    expect((await ask('viewer', `GET ${ROOT}/volumes?limit=2&after=orders`)).body).toMatchObject({
      volumes: [{ name: 'stock' }],
      next: null,
    });
    expect((await ask('viewer', `GET ${ROOT}/volumes/orders`)).body).toMatchObject({
      name: 'orders',
      id: orders,
      sizeKiB: 16 * GIB,
      isReadOnly: false,
      holders: [{ hostId: one, address: '10.0.0.1', limitIops: 0 }],
      io: { read: { iops: 0, kibPerSecond: 0, latencyMicroseconds: null }, write: { iops: 0 } },
    });
  });

  it('that are not there are so by the name that was asked for', async () => {
    const { ask } = await apiScene();
    expect(await ask('viewer', `GET ${ROOT}/volumes/none`)).toMatchObject({
      status: 404,
      body: { code: 'VOLUME_NOT_FOUND', detail: 'the array has no volume "none"' },
    });
  });

  it('grow at the array, in the words of the command', async () => {
    const { ask, create, gateway, app } = await apiScene();
    const id = await create('orders');
    const grown = await ask('orders', `POST ${ROOT}/volumes/orders/grow`, { size: '20GiB' });
    expect(grown).toMatchObject({
      status: 200,
      body: { beforeKiB: 16 * GIB, sizeKiB: 24 * GIB, holder: null, filesystem: 'mount', why: null },
    });
    expect((await gateway.getVolume(id, soon()))?.sizeKiB).toBe(24 * GIB);
    const smaller = await ask('orders', `POST ${ROOT}/volumes/orders/grow`, { size: '8GiB' });
    expect(smaller).toMatchObject({
      status: 400,
      body: {
        code: 'INVALID_REQUEST',
        detail: expect.stringContaining('growing volume "orders" failed: it has 24 GiB') as string,
      },
    });
    expect(app.steward.snapshot().audit).toMatchObject([
      { action: 'grow-volume', target: '"orders"', by: 'orders', outcome: 'done', why: '16 GiB to 24 GiB' },
      { action: 'grow-volume', by: 'orders', outcome: 'failed', why: (smaller.body as Problem).detail },
    ]);
  });

  it('are limited at once where a host has them', async () => {
    const { ask, create, gateway, one } = await apiScene();
    const id = await create('orders');
    await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
    const wish = { iops: 5000, bandwidth: '200MiB' };
    expect((await ask('orders', `POST ${ROOT}/volumes/orders/limit`, wish)).body).toMatchObject({
      iops: 5000,
      bandwidthKiBps: 200 * 1024,
      keptBy: 'holder',
    });
    expect((await gateway.getVolume(id, soon()))?.attachments).toMatchObject([
      { limitIops: 5000, limitBandwidthKiBps: 200 * 1024 },
    ]);
  });

  it('that nobody has need a host to be limited', async () => {
    const { ask, create } = await apiScene();
    await create('orders');
    expect(await ask('orders', `POST ${ROOT}/volumes/orders/limit`, { iops: 500 })).toMatchObject({
      status: 409,
      body: {
        code: 'HOST_NEEDED',
        detail: expect.stringContaining('a host has to mount it for a moment') as string,
      },
    });
  });

  it('get another name while nobody has them', async () => {
    const { ask, create, gateway } = await apiScene();
    const id = await create('orders');
    expect(
      (await ask('orders', `POST ${ROOT}/volumes/orders/rename`, { to: 'orders-2' })).body,
    ).toMatchObject({
      name: 'orders-2',
      volumeId: id,
    });
    expect((await gateway.getVolume(id, soon()))?.name).toBe('docker-orders-2');
  });

  it.each([
    ['made', 'POST /volumes', { name: 'orders-2', from: 'orders' }],
    ['restored', 'POST /volumes/orders/restore', { snapshot: 'a' }],
  ])('are not %s without a host', async (what, call, body) => {
    const { ask, create, calls } = await apiScene();
    await create('orders');
    calls();
    expect(await ask('orders', call.replace(' ', ` ${ROOT}`), body)).toMatchObject({
      status: 409,
      body: {
        code: 'HOST_NEEDED',
        detail: expect.stringContaining(`was not ${what}: a host has to`) as string,
      },
    });
    expect(calls().filter((request) => request.startsWith('POST'))).toEqual([]);
  });

  it('are removed into the trash, listed there, and brought back', async () => {
    const { ask, create, gateway, calls } = await apiScene();
    const id = await create('orders');
    calls();
    expect((await ask('orders', `DELETE ${ROOT}/volumes/orders`)).status).toBe(204);
    expect((await gateway.getVolume(id, soon()))?.name).toMatch(/^~rm\..*\.orders$/);
    expect((await ask('orders', `DELETE ${ROOT}/volumes/orders`)).status).toBe(204);
    expect((await ask('orders', `GET ${ROOT}/trash`)).body).toMatchObject({
      volumes: [{ id, name: 'orders', isBeingErased: false }],
    });
    expect(await ask('orders', `POST ${ROOT}/trash/orders/undelete`, { as: 'orders-again' })).toMatchObject({
      status: 200,
      body: { name: 'orders-again', volumeId: id },
    });
    expect((await gateway.getVolume(id, soon()))?.name).toBe('docker-orders-again');
  });

  it('that a host has are not removed, and the answer says which', async () => {
    const { ask, create, gateway, one } = await apiScene();
    const id = await create('orders');
    await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
    expect(await ask('orders', `DELETE ${ROOT}/volumes/orders`)).toMatchObject({
      status: 409,
      body: { code: 'VOLUME_IN_USE', detail: expect.stringContaining('10.0.0.1') as string },
    });
    expect((await gateway.getVolume(id, soon()))?.name).toBe('docker-orders');
  });

  it.each([
    ['in a dry run', { policy: { act: false } }],
    ['without leave to erase', { policy: { trash: undefined } }],
    ['without a grace', { env: { SCALEIO_REMOVE_GRACE: '0' } }],
  ])('are not removed %s, because nobody would erase them', async (_, options) => {
    const { ask, create, gateway } = await apiScene(options);
    const id = await create('orders');
    expect(await ask('orders', `DELETE ${ROOT}/volumes/orders`)).toMatchObject({
      status: 409,
      body: { code: 'HOST_NEEDED' },
    });
    expect((await gateway.getVolume(id, soon()))?.name).toBe('docker-orders');
  });
});

it('takes snapshots, lists and removes them', async () => {
  const { ask, create } = await apiScene();
  await create('orders');
  await create('orders-log');
  const wish = { volumes: ['orders', 'orders-log'], name: 'before', expire: '7d' };
  expect((await ask('orders', `POST ${ROOT}/snapshots`, wish)).body).toMatchObject([
    { volume: 'orders', snapshot: 'before', consistency: 'idle' },
    { volume: 'orders-log', snapshot: 'before', consistency: 'idle' },
  ]);
  expect(await ask('orders', `POST ${ROOT}/snapshots`, wish)).toMatchObject({
    status: 409,
    body: { code: 'VOLUME_CONFLICT', detail: expect.stringContaining('has a snapshot "before"') as string },
  });
  expect((await ask('orders', `GET ${ROOT}/volumes/orders/snapshots`)).body).toMatchObject({
    snapshots: [{ snapshot: 'before', consistency: 'crash-consistent', isInUse: false }],
  });
  expect((await ask('orders', `DELETE ${ROOT}/volumes/orders/snapshots/before`)).status).toBe(204);
  expect((await ask('orders', `GET ${ROOT}/volumes/orders/snapshots`)).body).toMatchObject({ snapshots: [] });
});

it('takes no snapshot that was to be frozen while a host has the volume, and says which', async () => {
  const { ask, create, gateway, one } = await apiScene();
  const id = await create('orders');
  await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
  const wish = { volumes: ['orders'], name: 'a', frozen: true };
  expect(await ask('orders', `POST ${ROOT}/snapshots`, wish)).toMatchObject({
    status: 409,
    body: { code: 'HOST_NEEDED', detail: expect.stringContaining('in use on host') as string },
  });
  expect((await ask('orders', `POST ${ROOT}/snapshots`, wish)).body).toMatchObject({
    detail: expect.stringContaining('10.0.0.1') as string,
  });
  expect((await ask('orders', `POST ${ROOT}/snapshots`, { ...wish, frozen: false })).body).toMatchObject([
    { snapshot: 'a', consistency: 'crash-consistent' },
  ]);
});

describe('pools', () => {
  const spare = { sds: 'pd1-sds1', path: '/dev/disk/by-id/spare-1' };
  const grow = { above: 90, cooldown: '1s', maxDevices: 9, devices: [spare] };

  it('are shown with level and forecast, and get a declared disk when it is asked for', async () => {
    const { ask, app, simulator } = await apiScene({ policy: { pools: [{ pool: 'sp1', grow }] } });
    const { pools } = simulator.array.cluster.state;
    await fillPool(simulator.array, [...pools.values()][0]?.id ?? '', 50);
    await app.steward.round(soon());
    expect((await ask('viewer', `GET ${ROOT}/pools`)).body).toMatchObject({
      reachable: true,
      pools: [
        {
          name: 'sp1',
          domain: 'pd1',
          level: 'ok',
          devices: 3,
          trash: { volumes: 0 },
          rebuild: null,
          rebalance: null,
          io: null,
        },
      ],
    });
    await expect
      .poll(async () => (await ask('admin', `POST ${ROOT}/pools/sp1/disks`)).status, { timeout: 20_000 })
      .toBe(200);
    const devices = [...simulator.array.cluster.state.devices.values()].map((device) => device.path);
    expect(devices).toContain(spare.path);
    const again = await ask('admin', `POST ${ROOT}/pools/sp1/disks`);
    expect(again).toMatchObject({ status: 409, body: { code: 'NOT_NOW' } });
    expect(app.steward.snapshot().audit.filter(({ outcome }) => outcome === 'done')).toMatchObject([
      { action: 'add-disk', target: 'to pool "sp1"', by: 'admin' },
    ]);
  });

  it('get none in a dry run, and none by a token that may not', async () => {
    const { ask, simulator, app } = await apiScene({
      policy: { act: false, pools: [{ pool: 'sp1', grow }] },
    });
    await app.steward.round(soon());
    expect(await ask('admin', `POST ${ROOT}/pools/sp1/disks`)).toMatchObject({
      status: 409,
      body: { code: 'NOT_NOW', detail: expect.stringContaining('dry run') as string },
    });
    expect(await ask('orders', `POST ${ROOT}/pools/sp1/disks`)).toMatchObject({
      status: 403,
      body: { code: 'POOL_NOT_ALLOWED' },
    });
    expect(simulator.array.cluster.state.devices.size).toBe(3);
  });
});

it('tells who listens what is asked for, as it happens', async () => {
  const { ask, create, url } = await apiScene();
  await create('orders');
  await create('stock');
  const response = await fetch(`${url}${ROOT}/events`, {
    headers: { authorization: `Bearer ${TOKENS.orders}` },
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  await ask('admin', `POST ${ROOT}/volumes/stock/grow`, { size: '24GiB' });
  await ask('orders', `POST ${ROOT}/volumes/orders/grow`, { size: '24GiB' });
  let heard = '';
  while (!heard.includes('event: audit')) heard += (await reader?.read())?.value ?? '';
  await reader?.cancel();
  expect(heard).toContain('"target":"\\"orders\\""');
  expect(heard).not.toContain('stock');
});

it('says which hosts the array knows', async () => {
  const { ask, one } = await apiScene();
  const { hosts } = (await ask('viewer', `GET ${ROOT}/hosts`)).body as { hosts: object[] };
  expect(hosts).toContainEqual(
    expect.objectContaining({ id: one, address: '10.0.0.1', state: 'connected', kind: 'sdc' }),
  );
});

it('passes on that the array is away, as a failure that may pass', async () => {
  const { ask, simulator } = await apiScene();
  await simulator.gateways[0]?.down();
  expect(await ask('viewer', `GET ${ROOT}/volumes/orders`)).toMatchObject({
    status: 503,
    body: { code: 'GATEWAY_UNAVAILABLE', retryable: true },
  });
});

describe('the tokens file', () => {
  it('is read again when it has changed, and nobody is let in while it has mistakes', async () => {
    const { ask, create, setTokens, lines } = await apiScene();
    await create('orders');
    expect((await ask('orders', `GET ${ROOT}/volumes/orders`)).status).toBe(200);
    const sha256 = createHash('sha256').update(TOKENS.viewer).digest('hex');
    await setTokens(
      { version: 1, tokens: [{ name: 'viewer', sha256, role: 'viewer', volumes: 'orders*' }] },
      0o644,
    );
    expect((await ask('orders', `GET ${ROOT}/volumes/orders`)).status).toBe(401);
    expect((await ask('viewer', `GET ${ROOT}/volumes/orders`)).status).toBe(200);
    await setTokens({ version: 1, tokens: [{ name: 'viewer', token: TOKENS.viewer, rolle: 'viewer' }] });
    const refused = await ask('viewer', `GET ${ROOT}/volumes/orders`);
    expect(refused).toMatchObject({ status: 503, body: { code: 'TOKENS_UNUSABLE' } });
    expect(JSON.stringify(refused.body)).not.toContain('rolle');
    expect(lines.join('\n')).toContain('did you mean role?');
    expect(lines.join('\n')).not.toContain(TOKENS.viewer);
  });

  it('keeps the steward from starting when it cannot be used', async () => {
    await expect(apiScene({ tokens: { version: 1, tokens: [] } })).rejects.toThrow('tokens file "');
  });
});
