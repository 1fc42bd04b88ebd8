import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { GatewayAuthError, GatewayUnavailableError } from '../../../src/errors.ts';
import type { VolumeId } from '../../../src/array/ids.ts';
import {
  clientOf,
  fakeGateway,
  html,
  json,
  PASSWORD,
  token,
  recordingLog,
  refusal,
  rejection,
  soon,
  silence,
  UNAUTHORIZED,
  type Answer,
  type Seen,
} from './fake-gateway.ts';

const VOLUME = { id: 'aa', name: 'db', sizeInKb: 8388608, storagePoolId: 'sp', vtreeId: 'vt' };
const ID = 'aa' as VolumeId;
const GET = 'GET /api/instances/Volume::aa';
const LOGIN = 'GET /api/login';
const MINUTE = 60_000;

const basic = (user: string, secret: string): string =>
  `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
const authorizations = (seen: readonly Seen[], route: string): string[] =>
  seen.filter((entry) => entry.route === route).map(({ authorization }) => authorization);

test('before 4.0 the token is a Basic password', async () => {
  const fake = await fakeGateway({ [GET]: json(200, VOLUME) }, { version: '3.6' });
  await clientOf(fake).getVolume(ID, soon());
  expect(authorizations(fake.seen, LOGIN)).toEqual([basic('admin', PASSWORD)]);
  expect(authorizations(fake.seen, 'GET /api/version')).toEqual([basic('', token(1))]);
  expect(authorizations(fake.seen, GET)).toEqual([basic('', token(1))]);
});

test.each(['4.0', '4.5.1', '5.0'])('from 4.0 on the token is a Bearer: %s', async (version) => {
  const fake = await fakeGateway({ [GET]: json(200, VOLUME) }, { version });
  await clientOf(fake).getVolume(ID, soon());
  expect(authorizations(fake.seen, GET)).toEqual([`Bearer ${token(1)}`]);
});

test.each([
  ['404 page', html(404)],
  ['login page', html(200)],
  ['404 in JSON', refusal(0, 'No such resource', 404)],
])("where the old login gives a %s, 4.x's own is used", async (_what, answer) => {
  const fake = await fakeGateway(
    {
      [LOGIN]: answer,
      'POST /rest/auth/login': json(200, { access_token: 'jwt', refresh_token: 'r', expires_in: 300 }),
      [GET]: json(200, VOLUME),
    },
    { version: '4.5' },
  );
  await clientOf(fake).getVolume(ID, soon());
  const login = fake.seen.find(({ route }) => route === 'POST /rest/auth/login');
  expect(JSON.parse(login?.body ?? '')).toEqual({ username: 'admin', password: PASSWORD });
  expect(authorizations(fake.seen, GET)).toEqual(['Bearer jwt']);
});

test('token and version are understood without their quotes', async () => {
  const fake = await fakeGateway({
    [LOGIN]: (response) => response.end('token-x'),
    'GET /api/version': (response) => response.end('2.6\n'),
    [GET]: json(200, VOLUME),
  });
  const gateway = clientOf(fake);
  expect((await gateway.identity(soon())).version).toBe('2.6');
  await gateway.getVolume(ID, soon());
  expect(authorizations(fake.seen, GET)).toEqual([basic('', 'token-x')]);
});

test('one login, however many calls wait for it', async () => {
  const fake = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf(fake);
  await Promise.all(Array.from({ length: 50 }, () => gateway.getVolume(ID, soon())));
  expect([fake.count(LOGIN), fake.count('GET /api/version'), fake.calls.length]).toEqual([1, 1, 50]);
});

test('a caller that gives up does not take the login from the others', async () => {
  const gate = Promise.withResolvers<undefined>();
  const fake = await fakeGateway({
    [LOGIN]: async (response, seen) => {
      await gate.promise;
      json(200, 'token')(response, seen);
    },
    [GET]: json(200, VOLUME),
  });
  const gateway = clientOf(fake);
  const leaving = new AbortController();
  const left = gateway.getVolume(ID, leaving.signal);
  const stays = gateway.getVolume(ID, soon());
  await expect.poll(() => fake.count(LOGIN)).toBe(1);
  leaving.abort();
  expect((await rejection(left)).name).toBe('CancelledError');
  gate.resolve(undefined);
  expect((await stays)?.id).toBe('aa');
  expect(fake.count(LOGIN)).toBe(1);
});

test('a token is renewed before it can have died: 10 minutes unused, 8 hours old', async () => {
  let now = 1_000_000;
  const fake = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf(fake, { clock: { elapsed: () => now } });
  const loginsAfter = async (minutes: number): Promise<number> => {
    now += minutes * MINUTE;
    await gateway.getVolume(ID, soon());
    return fake.count(LOGIN);
  };
  expect(await loginsAfter(0)).toBe(1);
  expect(await loginsAfter(8.9)).toBe(1);
  expect(await loginsAfter(8.9)).toBe(1);
  expect(await loginsAfter(9.1)).toBe(2);
  let used = 0;
  while (used + 8 < 475) {
    used += 8;
    expect(await loginsAfter(8)).toBe(2);
  }
  expect(await loginsAfter(8)).toBe(3);
  expect(fake.count('GET /api/version')).toBe(1);
});

test('a platform token is renewed before the lifetime it says it has', async () => {
  let now = 0;
  const fake = await fakeGateway(
    {
      [LOGIN]: html(404),
      'POST /rest/auth/login': json(200, { access_token: 'jwt', expires_in: 300 }),
      [GET]: json(200, VOLUME),
    },
    { version: '4.5' },
  );
  const gateway = clientOf(fake, { clock: { elapsed: () => now } });
  await gateway.getVolume(ID, soon());
  now = 4 * MINUTE;
  await gateway.getVolume(ID, soon());
  expect(fake.count('POST /rest/auth/login')).toBe(1);
  now = 4.9 * MINUTE;
  await gateway.getVolume(ID, soon());
  expect(fake.count('POST /rest/auth/login')).toBe(2);
});

test('a token that died is replaced once and the call repeated, also a change', async () => {
  const map = 'POST /api/instances/Volume::aa/action/removeMappedSdc';
  const fake = await fakeGateway({ [map]: [UNAUTHORIZED, json(200, {})] });
  await clientOf(fake).detachVolume(ID, 'cc' as never, soon());
  expect(fake.calls).toEqual([map, map]);
  expect(authorizations(fake.seen, map)).toEqual([basic('', token(1)), basic('', token(2))]);
});

test('many calls that meet a dead token log in once', async () => {
  const dead = basic('', token(1));
  const fake = await fakeGateway({
    [GET]: (response, seen) =>
      (seen.authorization === dead ? UNAUTHORIZED : json(200, VOLUME))(response, seen),
  });
  const gateway = clientOf(fake);
  await Promise.all(Array.from({ length: 16 }, () => gateway.getVolume(ID, soon())));
  expect(fake.count(LOGIN)).toBe(2);
});

test('a gateway that was upgraded to 4.x gets a Bearer after the first 401', async () => {
  const fake = await fakeGateway({
    'GET /api/version': [json(200, '3.6'), json(200, '4.5')],
    [GET]: (response, seen) =>
      (seen.authorization.startsWith('Bearer') ? json(200, VOLUME) : UNAUTHORIZED)(response, seen),
  });
  expect((await clientOf(fake).getVolume(ID, soon()))?.id).toBe('aa');
});

test('a second 401 is the end, and says what to check', async () => {
  const fake = await fakeGateway({ [GET]: UNAUTHORIZED });
  const error = await rejection(clientOf(fake).getVolume(ID, soon()));
  expect(error).toBeInstanceOf(GatewayAuthError);
  expect(error.message).toContain(
    `cannot read volume "aa": gateway ${fake.endpoint} refuses the user (Unauthorized)`,
  );
  expect(fake.calls).toHaveLength(2);
});

test('403 speaks of the role and of the REST switch', async () => {
  const fake = await fakeGateway({ [GET]: html(403) });
  const error = await rejection(clientOf(fake).getVolume(ID, soon()));
  expect(error).toBeInstanceOf(GatewayAuthError);
  expect(error.message).toContain("check the user's role, and that the gateway's REST API is enabled");
});

test('a wrong password is told to everybody who waits, and not tried again for some seconds', async () => {
  let now = 0;
  const fake = await fakeGateway({ [LOGIN]: UNAUTHORIZED });
  const gateway = clientOf(fake, { clock: { elapsed: () => now } });
  const errors = await Promise.all(Array.from({ length: 9 }, () => rejection(gateway.getVolume(ID, soon()))));
  for (const error of errors) expect(error).toBeInstanceOf(GatewayAuthError);
  expect(errors[0]?.message).toBe(
    'cannot log in: the gateway refuses user "admin" (Unauthorized); check SCALEIO_USERNAME and SCALEIO_PASSWORD',
  );
  expect(fake.count(LOGIN)).toBe(1);
  for (now of [0, 1000, 4999]) {
    expect(await rejection(gateway.getVolume(ID, soon()))).toBeInstanceOf(GatewayAuthError);
    expect(fake.count(LOGIN)).toBe(1);
  }
  now = 5001;
  fake.on(LOGIN, json(200, 'token'));
  fake.on(GET, json(200, VOLUME));
  expect((await gateway.getVolume(ID, soon()))?.id).toBe('aa');
});

test('the password is asked for at each login, so that a new one takes effect', async () => {
  const passwords = ['old', 'new'];
  const fake = await fakeGateway({ [GET]: [UNAUTHORIZED, json(200, VOLUME)] });
  await clientOf(fake, { password: () => Promise.resolve(passwords.shift() ?? '') }).getVolume(ID, soon());
  expect(authorizations(fake.seen, LOGIN)).toEqual([basic('admin', 'old'), basic('admin', 'new')]);
});

test('a change is not in doubt when only the login failed', async () => {
  const fake = await fakeGateway({ [LOGIN]: html(502) });
  const error = await rejection(clientOf(fake).detachVolume(ID, 'cc' as never, soon()));
  expect(error).toBeInstanceOf(GatewayUnavailableError);
  expect(error.message).toContain('HTTP status 502 without a reason');
  expect(fake.calls).toEqual([]);
});

test('close logs out', async () => {
  const fake = await fakeGateway({ [GET]: json(200, VOLUME) });
  const gateway = clientOf(fake);
  await gateway.getVolume(ID, soon());
  await gateway.close();
  expect(authorizations(fake.seen, 'GET /api/logout')).toEqual([basic('', token(1))]);
});

const PLATFORM_LOGIN = 'POST /rest/auth/login';
const PLATFORM_LOGOUT = 'POST /rest/auth/logout';

/** A 4.x that has only its own log-in; session N has token jwt-N and refresh token refresh-N. */
async function platform(routes: Record<string, Answer> = {}) {
  let logins = 0;
  return fakeGateway(
    {
      [LOGIN]: html(404),
      [PLATFORM_LOGIN]: (response, seen) => {
        logins += 1;
        const grant = { access_token: `jwt-${logins}`, refresh_token: `refresh-${logins}`, expires_in: 300 };
        return json(200, grant)(response, seen);
      },
      [GET]: json(200, VOLUME),
      ...routes,
    },
    { version: '4.5' },
  );
}

const givenBack = ({ seen }: { readonly seen: readonly Seen[] }): unknown[] =>
  seen
    .filter(({ route }) => route === PLATFORM_LOGOUT)
    .map(({ authorization, body }): unknown[] => [authorization, JSON.parse(body)]);

test('rule 18: close ends the session of the platform, too', async () => {
  const fake = await platform();
  const gateway = clientOf(fake);
  await gateway.getVolume(ID, soon());
  await gateway.close();
  expect(givenBack(fake)).toEqual([['Bearer jwt-1', { refresh_token: 'refresh-1' }]]);
});

test('rule 18: a session whose token is renewed or refused is ended, not left to itself', async () => {
  let now = 0;
  const fake = await platform();
  const gateway = clientOf(fake, { clock: { elapsed: () => now } });
  await gateway.getVolume(ID, soon());
  now = 5 * MINUTE;
  await gateway.getVolume(ID, soon());
  fake.on(GET, [UNAUTHORIZED, json(200, VOLUME)]);
  await gateway.getVolume(ID, soon());
  await gateway.close();
  const ended = ['1', '2', '3'].map((n) => [`Bearer jwt-${n}`, { refresh_token: `refresh-${n}` }]);
  expect(givenBack(fake)).toEqual(ended);
});

test('rule 18: a log-in that comes to nothing after its token was given ends it', async () => {
  const fake = await platform({ 'GET /api/version': html(502) });
  const gateway = clientOf(fake, { retry: { whenUnreachable: 0 } });
  await rejection(gateway.getVolume(ID, soon()));
  await gateway.close();
  expect(givenBack(fake)).toEqual([['Bearer jwt-1', { refresh_token: 'refresh-1' }]]);
});

test('rule 18: a log-in under way when all is closed leaves nothing', async () => {
  const fake = await platform({ 'GET /api/version': silence });
  const gateway = clientOf(fake);
  const call = rejection(gateway.getVolume(ID, soon()));
  await expect.poll(() => fake.count('GET /api/version')).toBe(1);
  await gateway.close();
  await call;
  expect(givenBack(fake)).toEqual([['Bearer jwt-1', { refresh_token: 'refresh-1' }]]);
});

test('a gateway that does not answer the log-out holds up nobody for long', async () => {
  const fake = await platform({ [PLATFORM_LOGOUT]: silence });
  const gateway = clientOf(fake, { requestTimeoutMs: 15_000 });
  await gateway.getVolume(ID, soon());
  const before = performance.now();
  await gateway.close();
  expect(performance.now() - before).toBeLessThan(3000);
});

test('password and tokens are in no error, log line, report or inspected object', async () => {
  const log = recordingLog();
  const reports: unknown[] = [];
  const answers = [UNAUTHORIZED, html(502), html(200), refusal(306, 'no'), json(200, 'nonsense')];
  const seen: unknown[] = [];
  for (const answer of answers) {
    const fake = await fakeGateway({ [GET]: answer });
    const gateway = clientOf(fake, { log, observer: (report) => reports.push(report) });
    seen.push(await rejection(gateway.getVolume(ID, soon())), gateway, gateway.stats());
    const locked = await fakeGateway({ [LOGIN]: answer, 'POST /rest/auth/login': answer, [GET]: answer });
    seen.push(await rejection(clientOf(locked, { log }).getVolume(ID, soon())));
  }
  const all = inspect([seen, log.lines, reports], { depth: 20, showHidden: true, getters: true });
  const secrets = [PASSWORD, basic('admin', PASSWORD), token(1), basic('', token(1)).slice(6)];
  for (const secret of secrets) expect(all).not.toContain(secret);
});
