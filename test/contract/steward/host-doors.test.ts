import path from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApp } from '../../../src/apps/plugin.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { asArrayName, asVolumeId } from '../../../src/array/ids.ts';
import { VolumeConflictError } from '../../../src/errors.ts';
import { postToUnixSocket } from '../../../src/host/unix-socket.ts';
import { DOOR_SOCKET } from '../../../src/operator/calls.ts';
import { doorClient } from '../../../src/operator/door-client.ts';
import { until } from '../../../lab/hosts/until.ts';
import { newSecret } from '../../../lab/secrets/used.ts';
import { pluginEnv } from '../docker/plugin-env.ts';
import { soon } from '../gateway/simulated.ts';
import { apiScene, type ApiScene, type Problem } from './api-scene.ts';
import { DOOR_TOKEN, doorFiles, doorScene, hostsPolicy, mute } from './door-scene.ts';

/* What the steward cannot do by itself, done by hosts whose door its policy names. */

const ROOT = '/api/v1';
const RESTORE = `POST ${ROOT}/volumes/orders/restore`;
const LIMIT = `POST ${ROOT}/volumes/orders/limit`;
const FROZEN = { volumes: ['orders'], name: 'a', frozen: true };
const RESTORED = { volume: 'orders', snapshot: 'a', keptAs: 'undo-1', keptUntil: null, lacks: null };
const LIMITED = { iops: 500, bandwidthKiBps: 0, holders: [], keptBy: 'label' } as const;

/** A steward of the array that these doors work on, too. */
async function stewardOf(policy: object, ...doors: { own: { realm: unknown } }[]): Promise<ApiScene> {
  const scene = await apiScene({ policy });
  for (const { own } of doors) own.realm = { systemId: scene.simulator.systemId, prefix: 'docker-' };
  return scene;
}

async function attached({ create, gateway, one }: ApiScene): Promise<void> {
  const volumeId = await create('orders');
  await gateway.attachVolume({ volumeId, hostId: one, readOnly: false }, soon());
}

describe('beside a running plugin', () => {
  it('a snapshot that is to be frozen is taken by the host that has the volume, and other things in its words', async () => {
    const { directory, env, address, port } = await doorFiles();
    const scene = await stewardOf(hostsPolicy(directory, [{ host: '10.0.0.1', address }]));
    await attached(scene);
    const { ask, simulator } = scene;
    const before = await ask('orders', `POST ${ROOT}/snapshots`, FROZEN);
    expect(before).toMatchObject({ status: 409, body: { code: 'HOST_NEEDED' } });
    expect((before.body as Problem).detail).toContain('10.0.0.1');
    expect((before.body as Problem).detail).toContain(`127.0.0.1:${port}" cannot be reached`);

    const lines: string[] = [];
    const place = { ...pluginEnv(directory, simulator.urls.join()), ...env };
    const plugin = await startApp({
      log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
      droppedLines: () => 0,
      version: '1',
      lockDir: directory,
      readSettings: () => loadSettings({ env: place, readFile: () => '' }),
      systemd: { listenFds: undefined, listenPid: undefined, ownPid: process.pid },
    });
    onTestFinished(() => plugin.close());
    await until('the door to be served', () => lines.join('').includes("the steward's door is served"));
    expect(await ask('orders', `POST ${ROOT}/snapshots`, FROZEN)).toMatchObject({
      status: 200,
      body: [{ volume: 'orders', snapshot: 'a' }],
    });
    const asked = lines.filter((line) => line.includes('operator asks'));
    expect(asked).toEqual([expect.stringContaining('"by":"steward at 127.0.0.1"')]);
    expect(asked[0]).toMatch(/"stewardRequest":"[\w-]{36}"/);

    const socketPath = path.join(place.SCALEIO_STATE_DIR, DOOR_SOCKET);
    const local = doorClient(socketPath, (call, body, signal) =>
      postToUnixSocket({ socketPath, path: call, signal }, body),
    );
    const held = await scene.gateway.findVolumeId(asArrayName('docker-orders'), soon());
    expect(await local.lookAtRoom({ volumeId: held ?? asVolumeId('none') }, soon())).toBeNull();
    const wish = { name: 'orders', snapshot: 'none', keepMs: null };
    const refusal: unknown = await local.restore(wish, soon()).catch((error: unknown) => error);
    const { body } = await ask('orders', RESTORE, { snapshot: 'none' });
    expect(body).toMatchObject({
      code: (refusal as { code: string }).code,
      detail: (refusal as Error).message,
    });
    expect(`${lines.join('')}${scene.lines.join('')}`).not.toContain(DOOR_TOKEN);
  });
});

it('volumes on several hosts are not frozen at one instant, and the answer says where they are', async () => {
  const door = await doorScene();
  const doors = ['10.0.0.1', '10.0.0.2'].map((host) => ({ host, address: door.address }));
  const scene = await stewardOf(hostsPolicy(door.directory, doors), door);
  await attached(scene);
  const volumeId = await scene.create('orders-log');
  await scene.gateway.attachVolume({ volumeId, hostId: scene.two, readOnly: false }, soon());
  const wish = { ...FROZEN, volumes: ['orders', 'orders-log'] };
  const { status, body } = await scene.ask('orders', `POST ${ROOT}/snapshots`, wish);
  expect([status, body]).toMatchObject([409, { code: 'HOST_NEEDED' }]);
  for (const word of ['10.0.0.1', '10.0.0.2', 'crash-consistent'])
    expect((body as Problem).detail).toContain(word);
  expect(door.asked).toEqual([]);
});

it('what any host can do is done by the first that answers, and once', async () => {
  const restore = () => Promise.resolve(RESTORED);
  const gone = await doorFiles();
  const [first, second] = [await doorScene({ restore }), await doorScene({ restore })];
  const doors = [gone, first, second].map(({ address }, index) => ({ host: `host${index}`, address }));
  const { ask, create } = await stewardOf(hostsPolicy(gone.directory, doors), first, second);
  await create('orders');
  expect(await ask('orders', RESTORE, { snapshot: 'a' })).toMatchObject({ status: 200, body: RESTORED });
  expect([first.asked.length, second.asked.length]).toEqual([1, 0]);
});

it('limits of a volume that nobody has are for a host, and those of one that a host has are not', async () => {
  const door = await doorScene({ limit: () => Promise.resolve(LIMITED) });
  const scene = await stewardOf(
    hostsPolicy(door.directory, [{ host: 'host1', address: door.address }]),
    door,
  );
  const volumeId = await scene.create('orders');
  expect((await scene.ask('orders', LIMIT, { iops: 500 })).body).toMatchObject(LIMITED);
  expect(door.asked).toEqual([['limit', { name: 'orders', iops: 500, bandwidthKiBps: null }]]);
  await scene.gateway.attachVolume({ volumeId, hostId: scene.one, readOnly: false }, soon());
  expect((await scene.ask('orders', LIMIT, { iops: 600 })).body).toMatchObject({ keptBy: 'holder' });
  expect(door.asked.length).toBe(1);
});

it('what a host refuses comes back with its code and words, and no other host is asked', async () => {
  const words = 'volume "orders" has other options; choose another name';
  const create = () => Promise.reject(new VolumeConflictError(words));
  const [first, second] = [await doorScene({ create }), await doorScene({ create })];
  const doors = [first, second].map(({ address }, index) => ({ host: `host${index}`, address }));
  const { ask } = await stewardOf(hostsPolicy(first.directory, doors), first, second);
  expect(
    await ask('orders', `POST ${ROOT}/volumes`, { name: 'orders', options: { size: '8GiB' } }),
  ).toMatchObject({
    status: 409,
    body: { code: 'VOLUME_CONFLICT', detail: words },
  });
  expect([first.asked.length, second.asked.length]).toEqual([1, 0]);
});

it('a host that breaks off has perhaps done it: that is said, and no host is asked again', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const restore = (): Promise<never> => {
    resolve(undefined);
    return new Promise(() => undefined);
  };
  const first = await doorScene({ restore });
  const second = await doorScene({ restore });
  const doors = [first, second].map(({ address }, index) => ({ host: `host${index}`, address }));
  const { ask, create } = await stewardOf(hostsPolicy(first.directory, doors), first, second);
  await create('orders');
  const asked = ask('orders', RESTORE, { snapshot: 'a' });
  await promise;
  // The API goes on meanwhile.
  expect((await ask('viewer', `GET ${ROOT}/volumes/orders`)).status).toBe(200);
  await first.stop();
  const { status, body } = await asked;
  expect(status).toBe(502);
  expect((body as Problem).detail).toContain('whether it was done is not known');
  expect([first.asked.length, second.asked.length]).toEqual([1, 0]);
});

it('hosts that hang before they are asked are passed over', async () => {
  const hanging = await mute();
  const door = await doorScene({ restore: () => Promise.resolve(RESTORED) });
  const doors = [hanging, door].map(({ address }, index) => ({ host: `host${index}`, address }));
  const { ask, create } = await stewardOf(hostsPolicy(door.directory, doors), door);
  await create('orders');
  expect((await ask('orders', RESTORE, { snapshot: 'a' })).status).toBe(200);
  // Once waited for in vain, it is not waited for again at once.
  expect((await ask('orders', RESTORE, { snapshot: 'a' })).status).toBe(200);
  expect([hanging.connections(), door.asked.length]).toEqual([1, 2]);
});

it('a host of another array or prefix is passed over, and says so where there is no other', async () => {
  const restore = () => Promise.resolve(RESTORED);
  const [other, right] = [await doorScene({ restore }), await doorScene({ restore })];
  const doors = [other, right].map(({ address }, index) => ({ host: `host${index}`, address }));
  const { ask, create, simulator } = await stewardOf(hostsPolicy(other.directory, doors), right);
  await create('orders');
  other.own.realm = { systemId: simulator.systemId, prefix: 'test-' };
  expect((await ask('orders', RESTORE, { snapshot: 'a' })).status).toBe(200);
  right.own.realm = { systemId: '1', prefix: 'docker-' };
  const { status, body } = await ask('orders', RESTORE, { snapshot: 'a' });
  expect([status, body]).toMatchObject([409, { code: 'HOST_NEEDED' }]);
  for (const words of ['prefix "test-"', 'array 1 ']) expect((body as Problem).detail).toContain(words);
  expect([other.asked.length, right.asked.length]).toEqual([0, 1]);
});

describe('the token goes to nobody but hosts, and no host lets in another', () => {
  it.each(['other', 'expired'])('with a certificate that is %s a host is not asked', async (cert) => {
    const door = await doorScene({ restore: () => Promise.resolve(RESTORED) }, cert);
    const { ask, create } = await stewardOf(
      hostsPolicy(door.directory, [{ host: 'host1', address: door.address }]),
      door,
    );
    await create('orders');
    const { status, body } = await ask('orders', RESTORE, { snapshot: 'a' });
    expect([status, body]).toMatchObject([409, { code: 'HOST_NEEDED' }]);
    expect((body as Problem).detail).toContain(`host1 ("${door.address}") cannot be reached`);
    expect(door.lines.filter((line) => /asks|let in/.test(line))).toEqual([]);
  });

  it('a host that does not take the token is named', async () => {
    const door = await doorScene({ restore: () => Promise.resolve(RESTORED) });
    const mine = await doorFiles();
    await mine.setTokens(newSecret('token of another door', '-of-another-door'));
    const { ask, create } = await stewardOf(
      hostsPolicy(mine.directory, [{ host: 'host1', address: door.address }]),
      door,
    );
    await create('orders');
    const { status, body } = await ask('orders', RESTORE, { snapshot: 'a' });
    expect([status, body]).toMatchObject([409, { code: 'HOST_NEEDED' }]);
    expect((body as Problem).detail).toContain("does not take this steward's token");
    expect(door.asked).toEqual([]);
  });

  it('a token that others can read keeps the steward from starting', async () => {
    const { directory, setTokens, address } = await doorFiles();
    await setTokens(DOOR_TOKEN, 0o644);
    const policy = hostsPolicy(directory, [{ host: 'host1', address }]);
    await expect(apiScene({ policy })).rejects.toThrow('can be read by others');
  });
});
