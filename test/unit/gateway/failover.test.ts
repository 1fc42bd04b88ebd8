import { setTimeout } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { CancelledError, ConfigError, GatewayUnavailableError } from '../../../src/errors.ts';
import type { RequestReport } from '../../../src/gateway/gateway.ts';
import type { HostId, VolumeId } from '../../../src/array/ids.ts';
import {
  clientOf,
  cut,
  fakeGateway,
  html,
  json,
  recordingLog,
  refusal,
  rejection,
  silence,
  soon,
  SYSTEM_ID,
  type Answer,
} from './fake-gateway.ts';

const ID = 'aa' as VolumeId;
const VOLUME = { id: 'aa', name: 'db', sizeInKb: 8388608, storagePoolId: 'sp', vtreeId: 'vt' };
const GET = 'GET /api/instances/Volume::aa';
const UNMAP = 'POST /api/instances/Volume::aa/action/removeMappedSdc';

/** An address where nobody listens. */
async function nobody(): Promise<{ endpoint: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { endpoint: `http://127.0.0.1:${port}` };
}

test('a gateway that is down is passed over, also for changes, and left alone afterwards', async () => {
  const alive = await fakeGateway({ [GET]: json(200, VOLUME), [UNMAP]: json(200, {}) });
  const reports: RequestReport[] = [];
  const dead = await nobody();
  const gateway = clientOf([dead, alive], { observer: (report) => reports.push(report) });
  await gateway.detachVolume(ID, 'cc' as HostId, soon());
  await gateway.getVolume(ID, soon());
  expect(alive.calls).toEqual([UNMAP, GET]);
  expect(reports.filter(({ endpoint }) => endpoint === dead.endpoint)).toHaveLength(1);
  expect(gateway.stats()).toMatchObject([
    { endpoint: dead.endpoint, healthy: false, lastFailure: 'connection refused' },
    { endpoint: alive.endpoint, healthy: true, inFlight: 0, queued: 0 },
  ]);
});

test.each([
  ['502 page', html(502)],
  ['503 page', html(503)],
  ['404 page', html(404)],
  ['cut connection', cut],
  ['web page with status 200', html(200)],
  ['428', html(428)],
])('reads go on at the second gateway after a %s of the first', async (_what, answer) => {
  const first = await fakeGateway({ [GET]: [answer] });
  const second = await fakeGateway({ [GET]: [json(200, VOLUME)] });
  const volume = await clientOf([first, second]).getVolume(ID, soon());
  expect(volume?.name).toBe('db');
});

test.each(['GET /api/login', 'GET /api/version', 'GET /api/types/System/instances', GET])(
  'a web page with status 200 for %s is said to be one',
  async (route) => {
    const fake = await fakeGateway({
      [GET]: json(200, VOLUME),
      // Where another one logs in, when the first does not know how.
      'POST /rest/auth/login': html(200),
      [route]: html(200),
    });
    const error = await rejection(clientOf(fake).getVolume(ID, soon()));
    expect(error).toBeInstanceOf(GatewayUnavailableError);
    expect(error.message).toContain('answers with a web page, so it is not a gateway');
  },
);

test('a change that may have happened at the first gateway is looked for at the second', async () => {
  const first = await fakeGateway({ [UNMAP]: [cut] });
  const second = await fakeGateway({ [GET]: [json(200, { ...VOLUME, mappedSdcInfo: null })] });
  await clientOf([first, second]).detachVolume(ID, 'cc' as HostId, soon());
  expect([first.calls, second.calls]).toEqual([[UNMAP], [GET]]);
});

test('a gateway that comes back is used again', async () => {
  let now = 0;
  const fake = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf(fake, { clock: { elapsed: () => now } });
  await gateway.getVolume(ID, soon());
  await fake.stop();
  await rejection(gateway.getVolume(ID, soon()));
  await fakeGateway({ [GET]: json(200, VOLUME) }, { port: Number(new URL(fake.endpoint).port) });
  now += 10_000;
  expect((await gateway.getVolume(ID, soon()))?.id).toBe('aa');
});

test('silence of all names each gateway and why', async () => {
  const dead = await nobody();
  const broken = await fakeGateway({ [GET]: html(502) });
  const error = await rejection(clientOf([dead, broken]).getVolume(ID, soon()));
  expect(error).toBeInstanceOf(GatewayUnavailableError);
  expect(error.message).toBe(
    `cannot read volume "aa": no gateway answered usefully (${dead.endpoint}: connection refused, a moment ago; ` +
      `${broken.endpoint}: HTTP status 502 without a reason, a moment ago)`,
  );
});

test('while all are known to be down, calls fail at once and nobody is asked', async () => {
  const fake = await fakeGateway({ [GET]: cut });
  const gateway = clientOf(fake, { clock: { elapsed: () => 0 } });
  await rejection(gateway.getVolume(ID, soon()));
  const asked = fake.seen.length;
  const errors = await Promise.all(
    Array.from({ length: 100 }, () => rejection(gateway.getVolume(ID, soon()))),
  );
  for (const error of errors) expect(error.message).toContain('connection cut, a moment ago');
  expect(fake.seen.length).toBe(asked);
});

test('a gateway that sends us elsewhere is not followed, since that would take the password along', async () => {
  const location = 'https://elsewhere.example/login?secret=1';
  const elsewhere = (response: ServerResponse): unknown => response.writeHead(302, { location }).end();
  const fake = await fakeGateway({ 'GET /api/login': elsewhere, 'POST /rest/auth/login': elsewhere });
  const { message } = await rejection(clientOf(fake).getVolume(ID, soon()));
  expect(message).toContain(
    'redirects to another address (https://elsewhere.example/login); set SCALEIO_ENDPOINT',
  );
  expect(message).not.toContain('secret');
});

test('a slow gateway is given up after the time limit', async () => {
  const slow = await fakeGateway({ [GET]: silence });
  const error = await rejection(clientOf(slow, { requestTimeoutMs: 100 }).getVolume(ID, soon()));
  expect(error.message).toContain('no answer in time');
});

test('an answer that stops half-way is a failure, not half a volume', async () => {
  const fake = await fakeGateway({
    [GET]: [
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
        response.write('{"id":"aa",', () => response.destroy());
      },
      json(200, VOLUME),
    ],
  });
  expect((await clientOf(fake).getVolume(ID, soon()))?.name).toBe('db');
});

test('MDM failover is waited out', async () => {
  const away = refusal(69, 'Communication error');
  const fake = await fakeGateway({ [GET]: [away, away, away, away, away, away, json(200, VOLUME)] });
  expect((await clientOf(fake).getVolume(ID, soon()))?.name).toBe('db');
});

test('no try goes past the deadline, and its end is a CancelledError that says so', async () => {
  const fake = await fakeGateway({ [GET]: refusal(164, 'The system is busy. Retry later') });
  const gateway = clientOf(fake, { retry: { minDelayMs: 20, maxDelayMs: 20, whenBusy: 10_000 } });
  const error = await rejection(gateway.getVolume(ID, AbortSignal.timeout(200)));
  expect(error).toBeInstanceOf(CancelledError);
  expect(error.message).toMatch(/^cannot read volume "aa": it took too long.*; try again$/);
  fake.on(GET, async (response, seen) => {
    await setTimeout(100);
    json(200, VOLUME)(response, seen);
  });
  await gateway.getVolume(ID, soon());
  const asked = fake.calls.length;
  // A retry that had gone on, every 20 to 40 ms, would be seen among these.
  await gateway.getVolume(ID, soon());
  expect(fake.calls.length).toBe(asked + 1);
});

test('a signal that has fired already sends nothing', async () => {
  const fake = await fakeGateway();
  const error = await rejection(clientOf(fake).getVolume(ID, AbortSignal.abort()));
  expect(error).toBeInstanceOf(CancelledError);
  expect(fake.seen).toEqual([]);
});

test('no more than the limit are in flight; the rest wait, and leave the queue at their signal', async () => {
  const gate = Promise.withResolvers<undefined>();
  let open = 0;
  let most = 0;
  const fake = await fakeGateway({
    [GET]: async (response, seen) => {
      open += 1;
      most = Math.max(most, open);
      await gate.promise;
      open -= 1;
      json(200, VOLUME)(response, seen);
    },
  });
  const gateway = clientOf(fake, { maxConcurrent: 4, requestTimeoutMs: 5000 });
  const leaving = new AbortController();
  const stay = Array.from({ length: 12 }, () => gateway.getVolume(ID, soon()));
  const leave = Array.from({ length: 20 }, () => rejection(gateway.getVolume(ID, leaving.signal)));
  await expect.poll(() => open).toBe(4);
  expect(gateway.stats()[0]).toMatchObject({ inFlight: 4, queued: 28 });
  leaving.abort();
  for (const error of await Promise.all(leave)) expect(error).toBeInstanceOf(CancelledError);
  expect(gateway.stats()[0]).toMatchObject({ inFlight: 4, queued: 8 });
  gate.resolve(undefined);
  await Promise.all(stay);
  expect([most, fake.calls.length]).toEqual([4, 12]);
});

test.each([
  [{ systemId: SYSTEM_ID.toUpperCase() }, undefined],
  [{ systemName: 'array1' }, undefined],
  [{ systemId: SYSTEM_ID, systemName: 'array1' }, undefined],
  [
    { systemId: '0000000000000001' },
    'not "0000000000000001"; check SCALEIO_SYSTEM (or SCALEIO_SYSTEMID, SCALEIO_SYSTEMNAME)',
  ],
  [{ systemName: 'Array1' }, 'not "Array1"; check SCALEIO_SYSTEM (or SCALEIO_SYSTEMID, SCALEIO_SYSTEMNAME)'],
])('the array must be the one that is wanted: %j', async (wanted, complaint) => {
  const fake = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf(fake, wanted);
  if (complaint === undefined) {
    expect(await gateway.identity(soon())).toMatchObject({
      systemId: SYSTEM_ID,
      name: 'array1',
      version: '3.6',
    });
    return;
  }
  const error = await rejection(gateway.getVolume(ID, soon()));
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toContain(`serves array "${SYSTEM_ID}" (array1), ${complaint}`);
  const later = await Promise.all(Array.from({ length: 5 }, () => rejection(gateway.getVolume(ID, soon()))));
  for (const again of later) expect(again).toBeInstanceOf(ConfigError);
  expect(fake.calls).toEqual([]);
});

test('a second gateway that leads to another array is never used', async () => {
  const first = await fakeGateway({ [GET]: [json(200, VOLUME)] });
  const second = await fakeGateway({}, { system: { id: 'ffffffffffffffff', name: 'array2' } });
  const gateway = clientOf([first, second]);
  await gateway.getVolume(ID, soon());
  await first.stop();
  const error = await rejection(gateway.getVolume(ID, soon()));
  expect(error).toBeInstanceOf(GatewayUnavailableError);
  expect(error.message).toContain('serves array "ffffffffffffffff" (array2), while the other gateways serve');
  expect(second.calls).toEqual([]);
});

test('identity costs no call once it is known', async () => {
  const fake = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf(fake);
  await gateway.identity(soon());
  await Promise.all([gateway.identity(soon()), gateway.identity(soon()), gateway.getVolume(ID, soon())]);
  expect(fake.seen.map(({ route }) => route)).toEqual([
    'GET /api/login',
    'GET /api/version',
    'GET /api/types/System/instances',
    GET,
  ]);
});

test('each HTTP request is reported, without ids', async () => {
  const reports: RequestReport[] = [];
  const fake = await fakeGateway({ [GET]: [cut, refusal(79, 'Could not find the volume')] });
  await clientOf(fake, { observer: (report) => reports.push(report) }).getVolume(ID, soon());
  const told = reports.map(({ method, route, status, attempt, outcome }) => [
    method,
    route,
    status,
    attempt,
    outcome,
  ]);
  expect(told).toEqual([
    ['GET', '/api/login', 200, 1, 'ok'],
    ['GET', '/api/version', 200, 1, 'ok'],
    ['GET', '/api/types/System/instances', 200, 1, 'ok'],
    ['GET', '/api/instances/Volume::{id}', undefined, 1, 'failed'],
    ['GET', '/api/instances/Volume::{id}', 500, 2, 'refused'],
  ]);
  for (const { ms, endpoint } of reports) expect([ms >= 0, endpoint]).toEqual([true, fake.endpoint]);
});

test('an address with a path in front of /api is kept', async () => {
  const inner = await fakeGateway({
    'GET /scaleio/api/login': json(200, 'token'),
    'GET /scaleio/api/version': json(200, '3.6'),
    'GET /scaleio/api/types/System/instances': json(200, [{ id: SYSTEM_ID }]),
    'GET /scaleio/api/instances/Volume::aa': json(200, VOLUME),
    'GET /scaleio/api/logout': json(200, {}),
  });
  const gateway = clientOf([{ endpoint: `${inner.endpoint}/scaleio/api/` }]);
  expect((await gateway.getVolume(ID, soon()))?.id).toBe('aa');
});

test('closing ends calls under way and does not wait for a gateway that hangs', async () => {
  const fake = await fakeGateway({ [GET]: silence, 'GET /api/logout': silence });
  const gateway = clientOf(fake, { requestTimeoutMs: 30_000, retry: { whenUnreachable: 0 } });
  const running = rejection(gateway.getVolume(ID, soon()));
  await expect.poll(() => fake.calls.length).toBe(1);
  await gateway.close();
  expect(await running).toBeInstanceOf(GatewayUnavailableError);
  onTestFinished(() => {
    expect(gateway.stats()[0]?.inFlight).toBe(0);
  });
});

/** A byte now and then, for ever: each of them in time. */
const drip: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const dripping = setInterval(() => response.write(' '), 50);
  response.once('close', () => {
    clearInterval(dripping);
  });
};

async function timed<T>(work: Promise<T>): Promise<{ value: T; ms: number }> {
  const before = performance.now();
  return { value: await work, ms: performance.now() - before };
}

test('an answer that drips is no answer: the other gateway is asked, and from then on first', async () => {
  const ill = await fakeGateway({ [GET]: drip });
  const well = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf([ill, well], { requestTimeoutMs: 400 });
  expect((await timed(gateway.getVolume(ID, soon()))).ms).toBeLessThan(1500);
  expect((await timed(gateway.getVolume(ID, soon()))).ms).toBeLessThan(300);
  expect(ill.calls).toEqual([GET]);
});

test('a log-in that drips is no log-in', async () => {
  const ill = await fakeGateway({ 'GET /api/login': drip });
  const well = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf([ill, well], { requestTimeoutMs: 400 });
  expect((await timed(gateway.getVolume(ID, soon()))).ms).toBeLessThan(1500);
});

test('a change whose answer drips is looked for at the other gateway, not made twice', async () => {
  const ill = await fakeGateway({ [UNMAP]: drip });
  const well = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf([ill, well], { requestTimeoutMs: 400 });
  await gateway.detachVolume(ID, 'cc' as HostId, soon());
  expect([ill.calls, well.calls]).toEqual([[UNMAP], [GET]]);
});

test('a list that drips is given up, one that flows may take its time', async () => {
  const list = 'GET /api/types/Volume/instances';
  const ill = await fakeGateway({ [list]: drip });
  const piece = `${JSON.stringify({ id: 'aa', name: 'x'.repeat(40_000) })},`;
  const flows: Answer = (response) => {
    response.write('[');
    let left = 12;
    const flowing = setInterval(() => {
      left -= 1;
      if (left > 0) response.write(piece);
      else response.end('{"id":"bb","name":"last"}]');
      if (left === 0) clearInterval(flowing);
    }, 100);
  };
  const well = await fakeGateway({ [list]: flows });
  const gateway = clientOf([ill, well], { requestTimeoutMs: 400 });
  const { value, ms } = await timed(gateway.listVolumeNames((name) => name, soon()));
  expect(value.at(-1)).toBe('last');
  expect(ms).toBeGreaterThan(1200);
  expect(ms).toBeLessThan(6000);
});

test('a call whose time ran out teaches which gateway to ask next', async () => {
  const ill = await fakeGateway({ [GET]: silence });
  const well = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf([ill, well], { requestTimeoutMs: 15_000 });
  const late = await rejection(gateway.getVolume(ID, soon(1200)));
  expect(late).toBeInstanceOf(CancelledError);
  expect(late.message).toBe(
    `cannot read volume "aa": it took too long (${ill.endpoint}: no answer so far); try again`,
  );
  expect((await timed(gateway.getVolume(ID, soon()))).ms).toBeLessThan(300);
});

test('lists that take longer than somebody waits do not keep other calls from the gateway', async () => {
  const list = 'GET /api/types/Volume/instances';
  const slow = await fakeGateway({ [list]: silence, [GET]: json(200, VOLUME) });
  // Each second of the test stands for twenty.
  const clock = { elapsed: () => performance.now() * 20 };
  const gateway = clientOf(slow, { requestTimeoutMs: 15_000, clock });
  for (let given = 0; given < 3; given += 1)
    await rejection(gateway.listVolumeNames((name) => name, soon(150)));
  expect(gateway.stats()).toMatchObject([{ healthy: false }]);
  expect((await gateway.getVolume(ID, soon()))?.name).toBe('db');
});

test('a call that is given up at once blames nobody', async () => {
  const slow = await fakeGateway({ [GET]: silence });
  const gateway = clientOf(slow, { requestTimeoutMs: 15_000 });
  const leaving = new AbortController();
  const call = rejection(gateway.getVolume(ID, leaving.signal));
  await expect.poll(() => slow.calls.length).toBe(1);
  leaving.abort();
  await call;
  expect(gateway.stats()).toMatchObject([{ healthy: true }]);
});

test('gateways that never answer are given up within ten seconds, with what is wrong', async () => {
  const ill = await fakeGateway({ [GET]: silence });
  // Each second of the test stands for twenty.
  const clock = { elapsed: () => performance.now() * 20 };
  const gateway = clientOf(ill, { requestTimeoutMs: 250, clock });
  const { value, ms } = await timed(rejection(gateway.getVolume(ID, soon())));
  expect(value.message).toContain(`${ill.endpoint}: no answer in time`);
  expect(ms * 20).toBeLessThan(10_000);
});

test('what is not seen in the words of a gateway is shown escaped, in the error and in the log', async () => {
  const fake = await fakeGateway({ [GET]: refusal(0, 'back \u202esoon\u0007', 503) });
  const log = recordingLog();
  const error = await rejection(clientOf(fake, { log }).getVolume(ID, soon()));
  const escaped = String.raw`back \u202esoon\u0007`;
  expect(error.message).toContain(escaped);
  // JSON escapes the backslash once more.
  expect(log.lines.join('\n')).toContain(JSON.stringify(escaped).slice(1, -1));
  expect(`${error.message}${log.lines.join('')}`).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
