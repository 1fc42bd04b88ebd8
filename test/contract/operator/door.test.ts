import { createServer } from 'node:http';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { OperatorDoor } from '../../../src/apps/operator-door.ts';
import { asHostId, asVolumeId } from '../../../src/array/ids.ts';
import {
  CancelledError,
  isPluginError,
  RunningPluginError,
  VolumeInUseError,
  type PluginError,
} from '../../../src/errors.ts';
import { postToUnixSocket } from '../../../src/host/unix-socket.ts';
import { DOOR_SOCKET } from '../../../src/operator/calls.ts';
import { doorClient, DoorClosedError } from '../../../src/operator/door-client.ts';
import type { OperatorActions } from '../../../src/volumes/operator-actions.ts';
import type { FenceRecord } from '../../../src/volumes/ports.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';

/* The door over a real socket, from the command's client to the plugin's actions. */

const VOLUME = { name: 'db', volumeId: asVolumeId('a'.repeat(16)) };
const NAMELESS = { volumeId: VOLUME.volumeId, arrayName: 'docker-3f3f~' };
const FORCED = { ...VOLUME, hostId: asHostId('b'.repeat(16)), by: 'operator root on host1' };
const FENCE: FenceRecord = {
  at: '2026-11-25T06:30:00.000Z',
  volume: 'db',
  volumeId: VOLUME.volumeId,
  by: FORCED.by,
  byName: FORCED.by,
  from: FORCED.hostId,
  fromName: 'host2',
  policy: 'forced',
  holderState: 'connected',
  recentIo: 0,
  durationMs: 12,
  outcome: 'taken',
};

const GREW = { beforeKiB: 8, sizeKiB: 16, holder: 'host2', filesystem: 'holder', why: null } as const;
const LIMITED = { iops: 5000, bandwidthKiBps: 0, holders: ['host2'], keptBy: 'holder' } as const;

const CREATED = { name: 'db', volumeId: null, warnings: ['of no effect'] };
const ADOPTED = {
  ...VOLUME,
  arrayName: 'docker-db',
  sizeKiB: 8,
  content: 'xfs' as const,
  label: 'written' as const,
};
const CLASSES = [{ name: 'gold', options: { pool: 'ssd' } }];
const TAKEN = [{ volume: 'db', snapshot: 'a', id: VOLUME.volumeId, consistency: 'frozen' as const }];
const LISTED = {
  snapshots: [
    {
      snapshot: 'a',
      id: VOLUME.volumeId,
      takenAt: '2026-11-28T22:00:00.000Z',
      expiresAt: null,
      secureUntil: null,
      consistency: 'crash-consistent' as const,
      sizeKiB: 8,
      isInUse: false,
    },
  ],
  most: 126,
  heldKiB: null,
};

const POLICY_OF = { policy: 'daily', isActive: true, before: null };
const ROOM = { sizeBytes: 100, usedBytes: 40, availableBytes: 50 };
const RESTORED = { volume: 'db', snapshot: 'a', keptAs: 'undo-1129-003017', keptUntil: null, lacks: null };

/** Actions that note what they are asked, and answer as told. */
function noted(answers: Partial<OperatorActions> = {}): { asked: unknown[]; actions: OperatorActions } {
  const asked: unknown[] = [];
  const note = (name: keyof OperatorActions) => (wanted: unknown) => {
    asked.push([name, wanted instanceof AbortSignal ? {} : wanted]);
    return Promise.resolve(undefined);
  };
  const actions: OperatorActions = {
    forceRelease: note('forceRelease'),
    changeFailover: note('changeFailover'),
    release: note('release'),
    endUnfinishedLook: note('endUnfinishedLook'),
    lookIntoAnonymous: note('lookIntoAnonymous'),
    removeAnonymous: note('removeAnonymous'),
    grow: () => Promise.resolve(GREW),
    limit: () => Promise.resolve(LIMITED),
    remove: note('remove'),
    undelete: () => Promise.resolve(VOLUME),
    eraseTrashed: () => Promise.resolve({ snapshots: 2 }),
    takeSnapshots: () => Promise.resolve(TAKEN),
    listSnapshots: () => Promise.resolve(LISTED),
    removeSnapshot: note('removeSnapshot'),
    snapshotPolicy: () => Promise.resolve(POLICY_OF),
    restore: () => Promise.resolve(RESTORED),
    create: () => Promise.resolve(CREATED),
    rename: () => Promise.resolve(VOLUME),
    seal: () => Promise.resolve({ isChanged: true }),
    adopt: () => Promise.resolve(ADOPTED),
    lookAtRoom: () => Promise.resolve(ROOM),
    listClasses: () => Promise.resolve(CLASSES),
    ...answers,
  };
  return { asked, actions };
}

function clientOf(socketPath: string): OperatorActions {
  return doorClient(socketPath, (call, body, signal) =>
    postToUnixSocket({ socketPath, path: call, signal }, body),
  );
}

const newDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(path.join(tmpdir(), 'dvs-door-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
};

async function doorTo(actions: OperatorActions, { isListening = true } = {}) {
  const directory = await newDirectory();
  let calls = 0;
  const door = new OperatorDoor({
    actions,
    log: silentLog,
    newRequestId: () => `request-${(calls += 1)}`,
    inRequest: (_, rest) => {
      rest();
    },
  });
  if (isListening) await door.listen(directory);
  onTestFinished(() => door.close(0));
  const socket = path.join(directory, DOOR_SOCKET);
  return { directory, door, socket, client: clientOf(socket) };
}

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

async function failureOf(asked: Promise<unknown>): Promise<PluginError> {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isPluginError(error)) return error;
  throw new Error(`expected a PluginError, not ${String(error)}`);
}

it('hands every action on whole, and its answer back', async () => {
  const { asked, actions } = noted();
  const { client } = await doorTo(actions);
  const change = { ...VOLUME, before: 'default', policy: 'never', how: 'stand-in' } as const;
  expect(await client.forceRelease(FORCED, soon())).toBeUndefined();
  await client.changeFailover(change, soon());
  await client.release(VOLUME, soon());
  await client.endUnfinishedLook({}, soon());
  expect(await client.lookIntoAnonymous(NAMELESS, soon())).toBeUndefined();
  await client.removeAnonymous(NAMELESS, soon());
  expect(await client.grow({ name: 'db', sizeKiB: 16 }, soon())).toEqual(GREW);
  expect(await client.limit({ name: 'db', iops: 5000, bandwidthKiBps: null }, soon())).toEqual(LIMITED);
  await client.remove({ name: 'db', now: true }, soon());
  expect(await client.undelete({ wanted: 'db', as: null }, soon())).toEqual(VOLUME);
  const erasure = { volumeId: VOLUME.volumeId, arrayName: '~rm.x', withSnapshots: true };
  expect(await client.eraseTrashed(erasure, soon())).toEqual({ snapshots: 2 });
  const wish = { names: ['db'], snapshot: null, expireMs: 1000, secureForMinutes: null };
  expect(await client.takeSnapshots(wish, soon())).toEqual(TAKEN);
  expect(await client.listSnapshots({ name: 'db' }, soon())).toEqual(LISTED);
  await client.removeSnapshot({ name: 'db', snapshot: 'a' }, soon());
  const set = { policy: 'daily' };
  expect(await client.snapshotPolicy({ name: 'db', set }, soon())).toEqual(POLICY_OF);
  expect(await client.restore({ name: 'db', snapshot: 'a', keepMs: null }, soon())).toEqual(RESTORED);
  expect(await client.create({ name: 'db', options: { size: '8GiB' } }, soon())).toEqual(CREATED);
  expect(await client.rename({ name: 'old', to: 'db' }, soon())).toEqual(VOLUME);
  expect(await client.seal({ name: 'db' }, soon())).toEqual({ isChanged: true });
  const adoption = { arrayName: 'rexray-db', name: 'db', inPlace: false, subpath: 'data' };
  expect(await client.adopt(adoption, soon())).toEqual(ADOPTED);
  expect(await client.lookAtRoom({ volumeId: VOLUME.volumeId }, soon())).toEqual(ROOM);
  expect(await client.listClasses({}, soon())).toEqual(CLASSES);
  expect(asked).toEqual([
    ['forceRelease', FORCED],
    ['changeFailover', change],
    ['release', VOLUME],
    ['endUnfinishedLook', {}],
    ['lookIntoAnonymous', NAMELESS],
    ['removeAnonymous', NAMELESS],
    ['remove', { name: 'db', now: true }],
    ['removeSnapshot', { name: 'db', snapshot: 'a' }],
  ]);
});

it('answers with what was found', async () => {
  const { actions } = noted({
    forceRelease: () => Promise.resolve(FENCE),
    lookIntoAnonymous: () => Promise.resolve('3f'),
  });
  const { client } = await doorTo(actions);
  expect(await client.forceRelease(FORCED, soon())).toEqual(FENCE);
  expect(await client.lookIntoAnonymous(NAMELESS, soon())).toBe('3f');
});

it("says the plugin's own words where it refuses, with code, context and whether to try again", async () => {
  const inUse = new VolumeInUseError('volume "db" is in use: stop it', { context: { pid: 7 } });
  const { actions } = noted({
    release: () => Promise.reject(inUse),
    endUnfinishedLook: () => Promise.reject(new CancelledError('too late: try again')),
  });
  const { client } = await doorTo(actions);
  const { message, code, context, retryable } = await failureOf(client.release(VOLUME, soon()));
  expect({ message, code, context, retryable }).toEqual({
    message: inUse.message,
    code: 'VOLUME_IN_USE',
    context: { pid: 7 },
    retryable: false,
  });
  expect(await failureOf(client.endUnfinishedLook({}, soon()))).toMatchObject({
    code: 'CANCELLED',
    retryable: true,
  });
});

it('says of a bug only where to look, since its text could hold anything', async () => {
  const { actions } = noted({ release: () => Promise.reject(new Error('hush-hush')) });
  const { client } = await doorTo(actions);
  const { code, message } = await failureOf(client.release(VOLUME, soon()));
  expect([code, message]).toEqual(['PLUGIN', "internal error, see the plugin's log for request request-1"]);
});

it.each([
  ['/v1/release', { name: 'db' }, 'was asked for something else than this plugin knows'],
  ['/v1/release', { ...VOLUME, more: 1 }, 'was asked for something else than this plugin knows'],
  ['/v2/release', VOLUME, 'this plugin knows no POST /v2/release'],
])('does nothing when %s is asked with %j', async (call, body, why) => {
  const { asked, actions } = noted();
  const { socket } = await doorTo(actions);
  const answer = await postToUnixSocket({ socketPath: socket, path: call, signal: soon() }, body);
  expect(answer).toMatchObject({
    status: 409,
    body: { code: 'INVALID_REQUEST', message: expect.stringContaining(why) as string },
  });
  expect(asked).toEqual([]);
});

it('is for root alone, is no plugin of an engine, and is closed when nobody listens', async () => {
  const { door, socket, client, directory } = await doorTo(noted().actions);
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  await door.close(0);
  await expect(client.release(VOLUME, soon())).rejects.toThrow(DoorClosedError);
  const nowhere = clientOf(path.join(directory, 'nothing', DOOR_SOCKET));
  await expect(nowhere.release(VOLUME, soon())).rejects.toThrow(DoorClosedError);
});

it('leaves the socket to who has it, and listens once that is gone', async () => {
  const { asked, actions } = noted();
  const first = await doorTo(noted().actions);
  const second = new OperatorDoor({
    actions,
    log: silentLog,
    newRequestId: () => '1',
    inRequest: (_, rest) => {
      rest();
    },
  });
  onTestFinished(() => second.close(0));
  await second.listen(first.directory);
  await first.client.release(VOLUME, soon());
  expect(asked).toEqual([]);
  await first.door.close(0);
  await second.listen(first.directory);
  await first.client.release(VOLUME, soon());
  expect(asked).toHaveLength(1);
});

it('goes with the state directory of the service', async () => {
  const { door, client } = await doorTo(noted().actions);
  const elsewhere = await newDirectory();
  await door.listen(elsewhere);
  await expect(client.release(VOLUME, soon())).rejects.toThrow(DoorClosedError);
  const moved = clientOf(path.join(elsewhere, DOOR_SOCKET));
  await moved.release(VOLUME, soon());
  await door.listen(undefined);
  await expect(moved.release(VOLUME, soon())).rejects.toThrow(DoorClosedError);
});

it('is closed for good, also while it only begins to listen', async () => {
  const { asked, actions } = noted();
  const { door, client, directory } = await doorTo(actions, { isListening: false });
  const listening = door.listen(directory);
  await door.close(0);
  await listening;
  await door.listen(directory);
  await expect(client.release(VOLUME, soon())).rejects.toThrow(DoorClosedError);
  expect(asked).toEqual([]);
});

it('goes on with what was asked when the one who asked is gone', async () => {
  const begun = Promise.withResolvers<AbortSignal>();
  const { actions } = noted({
    release: (_, signal) => {
      begun.resolve(signal);
      return Promise.withResolvers<undefined>().promise;
    },
  });
  const { client } = await doorTo(actions);
  const gone = new AbortController();
  const asked = failureOf(client.release(VOLUME, gone.signal));
  const signal = await begun.promise;
  gone.abort();
  expect(await asked).toMatchObject({
    code: 'CANCELLED',
    message: expect.stringContaining('may still do it') as string,
  });
  expect(signal.aborted).toBe(false);
});

it.each([
  ['hangs up', true, 'broke off'],
  ['speaks another language', false, 'answered /v1/release with something'],
])('says that it is not known what was done when the plugin %s', async (_, hangsUp, why) => {
  const socket = path.join(await newDirectory(), 's');
  const server = createServer((request, response) => {
    if (hangsUp) request.socket.destroy();
    else response.end('{"result":7}');
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  const error = await failureOf(clientOf(socket).release(VOLUME, soon()));
  expect(error).toBeInstanceOf(RunningPluginError);
  expect(error).not.toBeInstanceOf(DoorClosedError);
  expect(error.message).toContain(why);
  expect(error.message).toContain('whether it was done is not known');
});
