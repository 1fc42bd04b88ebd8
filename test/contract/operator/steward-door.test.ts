import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import { request as requestPlain } from 'node:http';
import path from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { GatewayUnavailableError, VolumeInUseError } from '../../../src/errors.ts';
import { doorCall } from '../../../src/operator/calls.ts';
import { WRONG_PER_MINUTE } from '../../../src/operator/gate.ts';
import { REALM, realmHeader } from '../../../src/operator/realm.ts';
import { STEWARD_ACTIONS } from '../../../src/operator/steward-calls.ts';
import { ACTION_NAMES } from '../../../src/volumes/operator-actions.ts';
import { newSecret } from '../../../lab/secrets/used.ts';
import { FakeClock } from '../../unit/steward/page/scene.ts';
import { DOOR_TOKEN, doorScene, fixture, SOME_REALM } from '../steward/door-scene.ts';

/* A host's door to stewards over TLS: who comes in, and to what. */

const GROW = '/v1/grow';
const WISH = { name: 'db', sizeKiB: 16 };
const GREW = { beforeKiB: 8, sizeKiB: 16, holder: null, filesystem: 'mount', why: null } as const;
const answers = { grow: () => Promise.resolve(GREW) };
const WRONG = newSecret('wrong token of a door', '-of-nobody');

it('does what a steward asks that shows the token, and notes who asked', async () => {
  const { ask, asked, lines } = await doorScene(answers);
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${DOOR_TOKEN}`,
    'x-asked-for': 'steward-7',
    [REALM]: realmHeader(SOME_REALM),
  };
  expect(await ask(GROW, WISH, { headers })).toEqual({ status: 200, body: JSON.stringify({ result: GREW }) });
  expect(asked).toEqual([['grow', WISH]]);
  const line = lines.find((one) => one.includes('operator asks')) ?? '';
  expect(line).toContain('"by":"steward at 127.0.0.1"');
  expect(line).toContain('"stewardRequest":"steward-7"');
  expect(lines.join()).not.toContain(DOOR_TOKEN);
});

it('refuses in the words of the plugin', async () => {
  const grow = () => Promise.reject(new VolumeInUseError('volume "db" is in use: stop it'));
  const { ask } = await doorScene({ grow });
  const { status, body } = await ask(GROW, WISH);
  expect([status, JSON.parse(body)]).toMatchObject([
    409,
    { code: 'VOLUME_IN_USE', message: 'volume "db" is in use: stop it' },
  ]);
});

it.each([
  ['no token', null],
  ['a wrong one', WRONG],
  ['the beginning of the right one', DOOR_TOKEN.slice(0, -1)],
])('lets nobody in with %s', async (_, token) => {
  const { ask, asked, lines } = await doorScene(answers);
  expect((await ask(GROW, WISH, { token })).status).toBe(401);
  expect((await ask('/v1/nothing', '{', { token })).status).toBe(401);
  expect(asked).toEqual([]);
  expect(lines.filter((line) => line.includes('not let in')).length).toBe(2);
  expect(lines.join()).not.toContain(WRONG);
});

it('tells nobody who shows no token what it works on', async () => {
  const { ask, own } = await doorScene(answers);
  own.realm = { ...SOME_REALM, systemId: '1' };
  expect((await ask(GROW, WISH, { token: WRONG })).body).not.toContain('array');
});

it.each([
  ['of another array', { ...SOME_REALM, systemId: '1' }],
  ['with another prefix', { ...SOME_REALM, prefix: 'test-' }],
  ['that its array does not name now', new GatewayUnavailableError('no gateway answers')],
])('does nothing for a steward where its own volumes are those %s', async (_, realm) => {
  const { ask, asked, own } = await doorScene(answers);
  own.realm = realm;
  const { status, body } = await ask(GROW, WISH);
  expect(status).toBe(realm instanceof Error ? 503 : 421);
  expect(body).toContain(
    realm instanceof Error
      ? 'no gateway answers'
      : `array ${realm.systemId} with the prefix \\"${realm.prefix}\\"`,
  );
  own.realm = SOME_REALM;
  const silent = { authorization: `Bearer ${DOOR_TOKEN}`, 'content-type': 'application/json' };
  expect((await ask(GROW, WISH, { headers: silent })).status).toBe(421);
  expect(asked).toEqual([]);
});

it('offers what stewards need and nothing else, forced release and failover least of all', async () => {
  const { ask, asked } = await doorScene(answers);
  expect(STEWARD_ACTIONS.toSorted()).toEqual(
    ['create', 'grow', 'limit', 'lookAtRoom', 'rename', 'restore', 'takeSnapshots'].toSorted(),
  );
  const others = ACTION_NAMES.filter((action) => !(STEWARD_ACTIONS as readonly string[]).includes(action));
  expect(others).toEqual(expect.arrayContaining(['forceRelease', 'changeFailover', 'eraseTrashed']));
  for (const action of others) {
    const { status, body } = await ask(doorCall(action).path, {});
    expect([action, status, body]).toEqual([action, 409, expect.stringContaining('knows no POST')]);
  }
  expect(asked).toEqual([]);
});

it('makes an address wait for a minute that shows wrong tokens, also with the right one', async () => {
  const clock = new FakeClock();
  const { ask, asked, lines } = await doorScene(answers, 'good', clock);
  for (let tries = 0; tries < WRONG_PER_MINUTE; tries += 1)
    expect((await ask(GROW, WISH, { token: WRONG })).status).toBe(401);
  expect((await ask(GROW, WISH, { token: WRONG })).status).toBe(429);
  expect((await ask(GROW, WISH)).status).toBe(429);
  expect(asked).toEqual([]);
  expect(lines.join()).not.toContain(DOOR_TOKEN);
  clock.take(60_000);
  expect((await ask(GROW, WISH)).status).toBe(200);
});

it('takes up a renewed certificate', async () => {
  const clock = new FakeClock();
  const { ask, directory } = await doorScene(answers, 'good', clock);
  expect((await ask(GROW, WISH)).status).toBe(200);
  await copyFile(fixture('other.pem'), path.join(directory, 'door.pem'));
  await copyFile(fixture('other.key'), path.join(directory, 'door.key'));
  await clock.pass(60_000);
  await expect.poll(() => ask(GROW, WISH).catch(String), { timeout: 20_000 }).toContain('ALTNAME_INVALID');
});

it('holds 32 connections, and lets those go first that ask for nothing', async () => {
  const { ask, port } = await doorScene(answers);
  const sockets: TLSSocket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const ca = await readFile(fixture('ca.pem'));
  let ended = 0;
  for (let count = 0; count < 32; count += 1) {
    const socket = connect({ host: '127.0.0.1', port, ca });
    socket.on('error', () => undefined).once('close', () => (ended += 1));
    socket.resume();
    sockets.push(socket);
    await once(socket, 'secureConnect');
  }
  expect(ended).toBe(0);
  expect((await ask(GROW, WISH)).status).toBe(200);
  await expect.poll(() => ended, { timeout: 20_000 }).toBe(1);
});

it('reads its tokens again when they have changed, and lets nobody in while the file has mistakes', async () => {
  const { ask, asked, lines, setTokens } = await doorScene(answers);
  const sha256 = createHash('sha256').update(DOOR_TOKEN).digest('hex');
  await setTokens(`sha256:${sha256}\n`, 0o644);
  expect((await ask(GROW, WISH)).status).toBe(200);
  await setTokens(`${WRONG}\n`);
  expect((await ask(GROW, WISH)).status).toBe(401);
  for (const [tokens, mode] of [
    ['', 0o600],
    ['short\n', 0o600],
    [`${DOOR_TOKEN}\n`, 0o644],
    [`sha256:${sha256}\n`, 0o622],
  ] as const) {
    await setTokens(tokens, mode);
    const { status, body } = await ask(GROW, WISH);
    expect([status, body]).toEqual([503, expect.stringContaining("the plugin's log says why")]);
    expect(body).not.toContain('chmod');
  }
  expect(lines.join()).toContain('chmod 600 it');
  expect(lines.join()).not.toContain(DOOR_TOKEN);
  expect(asked.length).toBe(1);
});

it('speaks TLS from 1.2 on, and nothing else', async () => {
  const { ask, port } = await doorScene(answers);
  const plain = requestPlain({ host: '127.0.0.1', port, path: GROW, method: 'POST', agent: false });
  plain.end('{}');
  await expect(once(plain, 'response')).rejects.toThrow();
  await expect(
    ask(GROW, WISH, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
  ).rejects.toThrow('alert protocol version');
  expect((await ask(GROW, WISH, { maxVersion: 'TLSv1.2' })).status).toBe(200);
});

it('takes no more than 16 KiB', async () => {
  const { ask, asked } = await doorScene(answers);
  const { body } = await ask(GROW, { ...WISH, name: 'x'.repeat(17 * 1024) });
  expect(body).toContain('too large');
  expect(asked).toEqual([]);
});
