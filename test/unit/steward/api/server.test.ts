import { describe, expect, it } from 'vitest';
import { asVolumeId } from '../../../../src/array/ids.ts';
import { VolumeInUseError } from '../../../../src/errors.ts';
import { trashName } from '../../../../src/volumes/trash/trash-names.ts';
import { POOL, snapshot, START, volume } from '../page/scene.ts';
import { apiOf, GREW, SECRETS, type Who } from './scene.ts';

const GROW = { size: '16GiB' };
/** Every call that changes something, on volumes of the orders. */
const CHANGES: readonly (readonly [call: string, body: object | undefined])[] = [
  ['POST /volumes/orders/grow', GROW],
  ['POST /volumes/orders/limit', { iops: 500 }],
  ['DELETE /volumes/orders', undefined],
  ['POST /snapshots', { volumes: ['orders'] }],
  ['DELETE /volumes/orders/snapshots/a', undefined],
  ['POST /trash/orders/undelete', {}],
  ['POST /pools/sp1/disks', undefined],
  ['POST /volumes', { name: 'orders' }],
  ['POST /volumes/orders/rename', { to: 'orders-2' }],
  ['POST /volumes/orders/restore', { snapshot: 'a' }],
];
const READS = [
  '/volumes',
  '/volumes/orders',
  '/volumes/orders/snapshots',
  '/trash',
  '/pools',
  '/hosts',
  '/classes',
  '/events',
  '/token',
];

/** All that changes something, as the server itself says. */
function changingCalls(server: ReturnType<typeof apiOf>['server']): string[] {
  const { paths = {} } = server.swagger() as { paths?: Record<string, object> };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => method !== 'get')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
}

describe('who is let in', () => {
  it.each([
    ['nobody', {}],
    ['a token that is not known', { authorization: `Bearer ${'x'.repeat(40)}` }],
    ['a part of a token', { authorization: `Bearer ${SECRETS.admin.slice(0, -1)}` }],
    ['another scheme', { authorization: `Basic ${SECRETS.admin}` }],
    ['nothing behind the scheme', { authorization: 'Bearer ' }],
  ])('not %s, for any call', async (_, headers) => {
    const { ask, asked } = apiOf();
    for (const [call, body] of [...CHANGES, ...READS.map((url) => [`GET ${url}`, undefined] as const)]) {
      const answer = await ask(undefined, call, body, headers);
      expect([call, answer.statusCode]).toEqual([call, 401]);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(answer.headers['content-type']).toContain('application/problem+json');
    }
    expect(asked).toEqual([]);
  });

  it('reads no body of who is not known', async () => {
    const { ask } = apiOf();
    for (const body of [{ more: true }, '{', { size: 'x'.repeat(20_000) }])
      expect((await ask(undefined, 'POST /volumes/orders/grow', body)).statusCode).toBe(401);
  });

  it('knows no change that these tests leave out', async () => {
    const { server } = apiOf();
    await server.ready();
    expect(changingCalls(server)).toHaveLength(CHANGES.length);
  });

  it('reads with a token of a viewer, and changes nothing', async () => {
    const { ask, asked, audit } = apiOf();
    expect((await ask('viewer', 'GET /token')).json()).toEqual({
      name: 'viewer',
      role: 'viewer',
      volumes: ['*'],
      pools: [],
      perMinute: 600,
    });
    expect((await ask('viewer', 'GET /classes')).json()).toEqual([
      { name: 'gold', options: { iops: '5000' } },
    ]);
    for (const [call, body] of CHANGES) {
      const answer = await ask('viewer', call, body);
      expect([call, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
        call,
        403,
        'ROLE_NOT_ALLOWED',
      ]);
    }
    expect([asked, audit.last]).toEqual([[], []]);
  });

  it('touches with a token for some volumes none of the others, as source or as target', async () => {
    const id = asVolumeId('b'.repeat(16));
    const trashed = volume('x', [], { id, name: trashName('docker-', 'stock', id, START) });
    const array = {
      listVolumes: () => Promise.resolve([trashed]),
      findVolumeId: () => Promise.reject(new Error('nobody looks')),
      getVolume: () => Promise.reject(new Error('nobody looks')),
    };
    const { ask, asked, audit } = apiOf({ array });
    for (const [call, body] of [
      ['POST /volumes/stock/grow', GROW],
      ['POST /volumes/ordersx/grow', GROW],
      ['POST /volumes/Orders/grow', GROW],
      ['POST /volumes/stock/limit', { iops: 500 }],
      ['DELETE /volumes/stock', undefined],
      ['POST /snapshots', { volumes: ['orders', 'stock'] }],
      ['DELETE /volumes/stock/snapshots/a', undefined],
      ['POST /trash/stock/undelete', { as: 'orders-mine' }],
      [`POST /trash/${trashed.id}/undelete`, { as: 'orders-mine' }],
      ['POST /trash/orders/undelete', { as: 'stock' }],
      ['POST /trash/billing/undelete', {}],
      ['POST /volumes', { name: 'stock' }],
      ['POST /volumes', { name: 'orders', from: 'stock' }],
      ['POST /volumes', { name: 'orders', from: 'stock@a' }],
      ['POST /volumes', { name: 'orders', options: { FROM: 'stock' } }],
      ['POST /volumes', { name: 'orders', options: { 'clone-from': 'stock' } }],
      ['POST /volumes', { name: 'orders', options: { fromSnapshot: 'stock@a' } }],
      ['POST /volumes/stock/rename', { to: 'orders' }],
      ['POST /volumes/orders/rename', { to: 'stock' }],
      ['POST /volumes/stock/restore', { snapshot: 'a' }],
      ['GET /volumes/stock', undefined],
      ['GET /volumes/stock/snapshots', undefined],
    ] as const) {
      const answer = await ask('orders', call, body);
      expect([call, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
        call,
        403,
        'VOLUME_NOT_ALLOWED',
      ]);
    }
    expect([asked, audit.last]).toEqual([[], []]);
    expect((await ask('orders', 'GET /trash')).json()).toEqual({ volumes: [] });
    expect((await ask('viewer', 'GET /trash')).json()).toMatchObject({ volumes: [{ name: 'stock' }] });
  });

  it('gives back to a token for some volumes none whose whole name the trash cannot tell', async () => {
    const name = 'orders-of-the-year';
    const id = asVolumeId('b'.repeat(16));
    const trashed = volume('x', [], { id, name: trashName('docker-', name, id, START) });
    const array = {
      listVolumes: () => Promise.resolve([trashed]),
      findVolumeId: () => Promise.resolve(undefined),
      getVolume: () => Promise.resolve(undefined),
    };
    const back = { name, volumeId: id };
    const asked: unknown[] = [];
    const { ask } = apiOf(
      { array },
      {
        undelete: (wanted) => {
          asked.push(wanted);
          return Promise.resolve(back);
        },
      },
    );
    expect((await ask('orders', `POST /trash/${name}/undelete`, {})).statusCode).toBe(403);
    expect((await ask('admin', `POST /trash/${name}/undelete`, {})).json()).toEqual(back);
    expect(asked).toEqual([{ wanted: id, as: name }]);
  });

  it('lists for a token only the volumes that it may touch', async () => {
    const volumes = [
      volume('orders'),
      volume('orders-log'),
      volume('stock'),
      volume('x', [], { name: `docker-orders-of-~${'a'.repeat(13)}` }),
    ];
    const array = {
      listVolumes: (passes: (name: string) => boolean) =>
        Promise.resolve(volumes.filter(({ name }) => passes(name ?? ''))),
      findVolumeId: () => Promise.resolve(undefined),
      getVolume: () => Promise.resolve(undefined),
    };
    const { ask } = apiOf({ array });
    const names = async (who: Who): Promise<unknown[]> =>
      (await ask(who, 'GET /volumes'))
        .json<{ volumes: { name: unknown }[] }>()
        .volumes.map(({ name }) => name);
    expect(await names('orders')).toEqual(['orders', 'orders-log']);
    expect(await names('viewer')).toHaveLength(volumes.length);
  });
});

describe('what is refused before anybody is asked', () => {
  it('more requests in a minute than the token may have, and not those of others', async () => {
    const { ask } = apiOf();
    for (let count = 0; count < 45; count += 1)
      expect((await ask('admin', 'GET /token')).statusCode).toBe(200);
    for (let count = 0; count < 40; count += 1)
      expect((await ask('orders', 'GET /token')).statusCode).toBe(200);
    const answer = await ask('orders', 'POST /volumes/orders/grow', GROW);
    expect(answer.statusCode).toBe(429);
    expect(answer.json()).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryable: true });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('admin', 'GET /token')).statusCode).toBe(200);
  });

  it('guesses, after a while', async () => {
    const { ask } = apiOf();
    const guess = async (): Promise<number> =>
      (await ask(undefined, 'GET /token', undefined, { authorization: 'Bearer guess' })).statusCode;
    const first = await Promise.all(Array.from({ length: 60 }, guess));
    expect(new Set(first)).toEqual(new Set([401]));
    expect(await guess()).toBe(429);
    expect((await ask('admin', 'GET /token')).statusCode).toBe(200);
  });

  it.each([
    ['a body that is too large', { size: '16GiB', more: 'x'.repeat(20_000) }, {}, 413],
    ['a body that is no JSON', '{"size":', { 'content-type': 'application/json' }, 400],
    ['a body of another kind', 'size=16GiB', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a field that is not known', { size: '16GiB', force: true }, {}, 400],
    ['no size', {}, {}, 400],
    ['a size that is none', { size: 'large' }, {}, 400],
    ['a key with spaces', GROW, { 'idempotency-key': 'a b' }, 400],
    ['a key that is too long', GROW, { 'idempotency-key': 'k'.repeat(129) }, 400],
  ])('%s', async (_, body, headers, status) => {
    const { ask, asked, audit } = apiOf();
    const answer = await ask('admin', 'POST /volumes/orders/grow', body, headers);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ status, requestId: 'request-1' });
    expect([asked, audit.last]).toEqual([[], []]);
  });

  it('says what is wrong with a value in the words of the command', async () => {
    const { ask } = apiOf();
    const answer = await ask('admin', 'POST /volumes/orders/grow', { size: 'large' });
    expect(answer.json()).toMatchObject({
      detail: 'size "large" is not a number with a unit; write it like 64GiB or 1.5TiB',
    });
    expect((await ask('admin', 'POST /volumes/orders/limit', {})).json()).toMatchObject({
      detail: 'nothing to limit was given: use iops, bandwidth or both',
    });
  });

  it.each(['/none', '/volumes/orders/format', '/%2e%2e/x'])('%s, which is not there', async (url) => {
    const { ask } = apiOf();
    expect((await ask('admin', `POST ${url}`, {})).json()).toMatchObject({
      status: 404,
      code: 'NO_SUCH_CALL',
    });
  });

  it('an address that cannot be read', async () => {
    const { ask } = apiOf();
    const answer = await ask('admin', 'GET /volumes/%zz');
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      400,
      expect.stringContaining('application/problem+json'),
    ]);
  });
});

describe('an Idempotency-Key', () => {
  const key = { 'idempotency-key': 'one' };

  it('has the same request done once, and answered again', async () => {
    const { ask, asked, audit } = apiOf();
    const first = await ask('orders', 'POST /volumes/orders/grow', GROW, key);
    const second = await ask('orders', 'POST /volumes/orders/grow', GROW, key);
    expect([first.json(), second.json()]).toEqual([GREW, GREW]);
    expect([first, second].map(({ headers }) => headers['idempotency-replayed'])).toEqual([
      undefined,
      'true',
    ]);
    expect([asked.length, audit.last.length]).toEqual([1, 1]);
  });

  it.each([
    ['body', 'POST /volumes/orders/grow', { size: '32GiB' }],
    ['volume', 'POST /volumes/orders-log/grow', GROW],
    ['call', 'POST /volumes/orders/limit', { iops: 500 }],
  ])('refuses another %s under the same key', async (_, call, body) => {
    const { ask, asked } = apiOf();
    await ask('orders', 'POST /volumes/orders/grow', GROW, key);
    const answer = await ask('orders', call, body, key);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([422, 'KEY_REUSED']);
    expect(asked).toHaveLength(1);
  });

  it('is one of its token alone', async () => {
    const { ask, asked } = apiOf();
    await ask('orders', 'POST /volumes/orders/grow', GROW, key);
    expect((await ask('admin', 'POST /volumes/orders/grow', { size: '32GiB' }, key)).statusCode).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('shows nothing of it to who may not have it', async () => {
    const { ask } = apiOf();
    await ask('admin', 'POST /volumes/stock/grow', GROW, key);
    expect((await ask('orders', 'POST /volumes/stock/grow', GROW, key)).statusCode).toBe(403);
    expect((await ask('viewer', 'POST /volumes/stock/grow', GROW, key)).statusCode).toBe(403);
  });

  it('does nothing beside the request that is still under way', async () => {
    const { promise, resolve } = Promise.withResolvers<typeof GREW>();
    const { ask } = apiOf({}, { grow: () => promise });
    const first = ask('orders', 'POST /volumes/orders/grow', GROW, key);
    const second = await ask('orders', 'POST /volumes/orders/grow', GROW, key);
    expect([second.statusCode, second.json<{ code: string }>().code]).toEqual([409, 'KEY_UNDER_WAY']);
    resolve(GREW);
    expect((await first).statusCode).toBe(200);
  });

  it('has a request that failed done anew', async () => {
    const failures = [new VolumeInUseError('held')];
    const { ask, audit } = apiOf(
      {},
      {
        grow: () => {
          const failure = failures.pop();
          return failure === undefined ? Promise.resolve(GREW) : Promise.reject(failure);
        },
      },
    );
    expect((await ask('orders', 'POST /volumes/orders/grow', GROW, key)).statusCode).toBe(409);
    expect((await ask('orders', 'POST /volumes/orders/grow', GROW, key)).statusCode).toBe(200);
    expect(audit.last.map(({ outcome }) => outcome)).toEqual(['failed', 'done']);
  });

  it('is forgotten after a day', async () => {
    const { ask, asked, clock } = apiOf();
    await ask('orders', 'POST /volumes/orders/grow', GROW, key);
    clock.take(25 * 3_600_000);
    await ask('orders', 'POST /volumes/orders/grow', GROW, key);
    expect(asked).toHaveLength(2);
  });
});

describe('a failure', () => {
  it('that was expected is answered in its own words', async () => {
    const error = new VolumeInUseError('growing failed: a host has it', { context: { volumeId: 'v1' } });
    const { ask } = apiOf({}, { grow: () => Promise.reject(error) });
    expect((await ask('admin', 'POST /volumes/orders/grow', GROW)).json()).toEqual({
      type: 'about:blank',
      title: 'Not as things are',
      status: 409,
      detail: error.message,
      code: 'VOLUME_IN_USE',
      retryable: false,
      context: { volumeId: 'v1' },
      requestId: 'request-1',
    });
  });

  it('that nobody expected tells nothing but where to look', async () => {
    const { ask, lines, audit } = apiOf({}, { grow: () => Promise.reject(new Error('secret: 1234')) });
    const answer = await ask('admin', 'POST /volumes/orders/grow', GROW);
    expect(answer.statusCode).toBe(500);
    expect(answer.body).toContain('request-1');
    expect(answer.body).not.toContain('1234');
    expect(JSON.stringify(audit.last)).not.toContain('1234');
    expect(lines.join()).toContain('failed unexpectedly');
  });
});

it('tells how far a rebuild has come, and what goes on in a pool', async () => {
  const [pool] = snapshot().pools;
  if (pool === undefined) throw new Error('no pool');
  const rebuild = { leftKiB: 250, ofKiB: 1000 };
  const read = { iops: 10, kibPerSecond: 40, latencyMicroseconds: 200 };
  const io = { read, write: { iops: 0, kibPerSecond: 0, latencyMicroseconds: null } };
  const parts = {
    steward: {
      snapshot: () => snapshot({ pools: [{ ...pool, rebuild }] }),
      addDisk: () => Promise.reject(new Error('unexpected: addDisk')),
    },
    poolIo: () => new Map([[POOL, io]]),
  };
  const answer = await apiOf(parts).ask('viewer', 'GET /pools');
  expect(answer.json()).toMatchObject({
    pools: [{ rebuild: { leftKiB: 250, percent: 75 }, rebalance: null, io }],
  });
});

describe('the description', () => {
  it('is OpenAPI 3.1 of the same schemas, without a token', async () => {
    const { ask } = apiOf();
    const answer = await ask(undefined, 'GET /openapi.json');
    const document = answer.json<{ openapi: string; paths: object; components: { schemas: object } }>();
    expect(document.openapi).toBe('3.1.0');
    const text = JSON.stringify(document);
    for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      expect(Object.keys(document.components.schemas)).toContain(name);
    for (const name of ['Io', 'Progress', 'ShownVolume'])
      expect(Object.keys(document.components.schemas)).toContain(name);
    expect(text).toContain('"filesystem":{"type":"string","enum":["here","later","holder","mount"]}');
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/api/v1/volumes/{name}/grow', '/api/v1/pools/{pool}/disks']),
    );
  });

  it('has a page that needs nothing from elsewhere and runs no script', async () => {
    const { ask } = apiOf();
    const page = await ask(undefined, 'GET /reference');
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'; style-src 'sha256-[^']+'/);
    expect(page.body).not.toMatch(/<script|https?:\/\/|src=|style=|@import|url\(/);
    expect(page.body).toContain('POST /api/v1/volumes/{name}/grow');
  });
});
