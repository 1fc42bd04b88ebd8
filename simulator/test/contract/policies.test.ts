import { describe, expect, test } from 'vitest';
import type { Simulator, SimulatorOptions } from '../../src/simulator.ts';
import { guidA, refused, simulate, type GatewayClient, type Json } from './gateway-client.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-01-01T00:00:00Z');

interface Scene {
  readonly sim: Simulator;
  readonly client: GatewayClient;
  /** So many minutes later. */
  readonly later: (minutes: number) => void;
}

async function scene(options: SimulatorOptions = {}): Promise<Scene> {
  let now = START;
  const idle = { tokenIdleSeconds: 1e9, tokenLifeSeconds: 1e9 };
  const { sim, client } = await simulate({ now: () => now, ...idle, ...options });
  return { sim, client, later: (minutes) => (now += minutes * MINUTE) };
}

async function policy(client: GatewayClient, more: Json = {}): Promise<string> {
  const body = {
    name: 'hourly',
    autoSnapshotCreationCadenceInMin: '60',
    numOfRetainedSnapshotsPerLevel: ['3'],
  };
  const reply = await client.post('/api/types/SnapshotPolicy/instances', { ...body, ...more });
  expect(reply.status).toBe(200);
  return (reply.body as { id: string }).id;
}

const act = (client: GatewayClient, id: string, action: string, body: Json = {}) =>
  client.act('SnapshotPolicy', id, action, body);
const add = (client: GatewayClient, id: string, sourceVolumeId: string) =>
  act(client, id, 'addSourceVolumeToSnapshotPolicy', { sourceVolumeId });
const take = (client: GatewayClient, id: string, sourceVolumeId: string, more: Json = {}) =>
  act(client, id, 'removeSourceVolumeFromSnapshotPolicy', {
    sourceVolumeId,
    autoSnapshotRemovalAction: 'Detach',
    ...more,
  });

async function autoSnapshots(client: GatewayClient, id: string): Promise<Json[]> {
  return (await client.get(`/api/instances/SnapshotPolicy::${id}/relationships/AutoSnapshotVolume`))
    .body as Json[];
}

test('there are none before 3.0', async () => {
  const { client } = await simulate({ version: '2.6' });
  expect((await client.get('/api/types/SnapshotPolicy/instances')).status).toBe(404);
});

describe.each(['3.6', '4.5'] as const)('version %s', (version) => {
  test('[ansible] a policy reads as it was made', async () => {
    const { sim, client } = await scene({ version });
    const id = await policy(client, {
      numOfRetainedSnapshotsPerLevel: ['30', '10'],
      paused: 'TRUE',
      snapshotAccessMode: 'ReadWrite',
      secureSnapshots: 'TRUE',
    });
    expect(await client.list('SnapshotPolicy')).toMatchObject([
      {
        id,
        name: 'hourly',
        systemId: sim.systemId,
        snapshotPolicyState: 'Paused',
        autoSnapshotCreationCadenceInMin: 60,
        numOfRetainedSnapshotsPerLevel: [30, 10],
        maxVTreeAutoSnapshots: 40,
        snapshotAccessMode: 'ReadWrite',
        secureSnapshots: true,
        numOfSourceVolumes: 0,
        numOfAutoSnapshots: 0,
        timeOfLastAutoSnapshot: 0,
        lastAutoSnapshotCreationFailureReason: 'NR',
      },
    ]);
    const links = (await client.object('SnapshotPolicy', id))['links'] as { href: string }[];
    for (const { href } of links) expect(`${href} ${(await client.get(href)).status}`).toBe(`${href} 200`);
    const key = await client.post('/api/types/SnapshotPolicy/instances/action/queryIdByKey', {
      name: 'hourly',
    });
    expect(key.body).toBe(id);
  });

  test('[codes] what no policy can be is refused', async () => {
    const { client } = await scene({ version });
    const id = await policy(client);
    const make = (more: Json) =>
      client.post('/api/types/SnapshotPolicy/instances', {
        name: 'other',
        autoSnapshotCreationCadenceInMin: '60',
        numOfRetainedSnapshotsPerLevel: ['3'],
        ...more,
      });
    expect(await make({ name: 'hourly' })).toMatchObject(refused(914));
    expect(await make({ autoSnapshotCreationCadenceInMin: '0' })).toMatchObject(refused(935));
    expect(await make({ numOfRetainedSnapshotsPerLevel: ['0'] })).toMatchObject(refused(913));
    expect(await make({ numOfRetainedSnapshotsPerLevel: ['127'] })).toMatchObject(refused(913));
    expect(await make({ numOfRetainedSnapshotsPerLevel: ['3', '1'] })).toMatchObject(refused(936));
    expect((await make({ autoSnapshotCreationCadenceInMin: undefined })).status).toBe(400);
    expect(await client.list('SnapshotPolicy')).toMatchObject([{ id }]);
    expect(await act(client, 'ffff', 'pauseSnapshotPolicy')).toMatchObject(refused(915));
  });

  test('[codes] a volume has one policy, and a VTree one source', async () => {
    const { client } = await scene({ version });
    const [one, two] = [await policy(client), await policy(client, { name: 'other' })];
    const id = await client.createVolume({ name: 'db' });
    const { body } = await client.post('/api/instances/System/action/snapshotVolumes', {
      snapshotDefs: [{ volumeId: id }],
    });
    const [snapshot = ''] = (body as { volumeIdList: string[] }).volumeIdList;
    expect((await add(client, one, id)).status).toBe(200);
    expect(await add(client, one, id)).toMatchObject(refused(916));
    expect(await add(client, two, id)).toMatchObject(refused(916));
    expect(await add(client, one, snapshot)).toMatchObject(
      refused(920, 'A single VTree cannot contain more than one Snapshot Policy source-volume'),
    );
    expect(await client.object('Volume', id)).toMatchObject({ snplIdOfSourceVolume: one });
    expect(
      (await client.get(`/api/instances/SnapshotPolicy::${one}/relationships/SourceVolume`)).body,
    ).toMatchObject([{ id }]);
    const remove = (removeMode: string, which = id) =>
      client.act('Volume', which, 'removeVolume', { removeMode });
    for (const mode of ['ONLY_ME', 'WHOLE_VTREE'])
      expect(await remove(mode)).toMatchObject(
        refused(933, 'Volume is a source-volume of a Snapshot Policy'),
      );
    expect(await act(client, one, 'removeSnapshotPolicy')).toMatchObject(refused(921));
    expect(await take(client, two, id)).toMatchObject(refused(922));
    expect((await take(client, one, id)).status).toBe(200);
    expect((await act(client, one, 'removeSnapshotPolicy')).status).toBe(200);
    expect((await remove('ONLY_ME')).status).toBe(200);
  });

  test('by its clock it takes snapshots of all its sources as one group, and keeps as many as it shall', async () => {
    const { client, later } = await scene({ version });
    const id = await policy(client);
    const sources = [await client.createVolume({ name: 'db' }), await client.createVolume({ name: 'log' })];
    for (const source of sources) await add(client, id, source);
    later(59);
    expect(await autoSnapshots(client, id)).toEqual([]);
    later(1);
    const first = await autoSnapshots(client, id);
    expect(first.map((snapshot) => snapshot['ancestorVolumeId'])).toEqual(sources);
    expect(new Set(first.map((snapshot) => snapshot['autoSnapshotGroupId'])).size).toBe(1);
    expect(first[0]).toMatchObject({
      volumeType: 'Snapshot',
      snplIdOfAutoSnapshot: id,
      snplIdOfSourceVolume: null,
      accessModeLimit: 'ReadOnly',
      lockedAutoSnapshot: false,
      retentionLevels: [1],
      secureSnapshotExpTime: 0,
      originalExpiryTime: START / 1000 + 4 * 3600,
    });
    for (let hour = 2; hour <= 6; hour += 1) {
      later(60);
      expect(await autoSnapshots(client, id)).toHaveLength(2 * Math.min(hour, 3));
    }
    const left = new Set((await autoSnapshots(client, id)).map((snapshot) => snapshot['creationTime']));
    expect([...left]).toEqual([4, 5, 6].map((hour) => START / 1000 + hour * 3600));
    expect(await client.object('SnapshotPolicy', id)).toMatchObject({
      numOfSourceVolumes: 2,
      numOfAutoSnapshots: 6,
      timeOfLastAutoSnapshot: START / 1000 + 6 * 3600,
      nextAutoSnapshotCreationTime: START / 1000 + 7 * 3600,
    });
    // However long nobody looked, it takes one.
    later(600);
    expect(await autoSnapshots(client, id)).toHaveLength(6);
  });

  test('a second level keeps each of the last of the first', async () => {
    const { client, later } = await scene({ version });
    const id = await policy(client, { numOfRetainedSnapshotsPerLevel: ['2', '3'] });
    await add(client, id, await client.createVolume());
    for (let hour = 1; hour <= 11; hour += 1) {
      later(60);
      await autoSnapshots(client, id);
    }
    const hours = (await autoSnapshots(client, id)).map(
      (snapshot) => (Number(snapshot['creationTime']) - START / 1000) / 3600,
    );
    expect(hours).toEqual([7, 9, 10, 11]);
  });

  test('paused it takes none, and none after it has been taken off', async () => {
    const { client, later } = await scene({ version });
    const id = await policy(client);
    const source = await client.createVolume();
    await add(client, id, source);
    await act(client, id, 'pauseSnapshotPolicy');
    later(180);
    expect(await autoSnapshots(client, id)).toEqual([]);
    await act(client, id, 'resumeSnapshotPolicy');
    later(59);
    expect(await autoSnapshots(client, id)).toEqual([]);
    later(1);
    expect(await autoSnapshots(client, id)).toHaveLength(1);
    await take(client, id, source);
    later(180);
    expect(await autoSnapshots(client, id)).toEqual([]);
    // Detached they stay, nobody's.
    expect(await client.list('Volume')).toMatchObject([{ id: source }, { snplIdOfAutoSnapshot: null }]);
  });

  test('[ansible] "Remove" takes its snapshots along, but none that is locked unless told so', async () => {
    const { client, later } = await scene({ version });
    const id = await policy(client);
    const source = await client.createVolume();
    await add(client, id, source);
    for (let round = 0; round < 2; round += 1) {
      later(60);
      await autoSnapshots(client, id);
    }
    const [locked] = await autoSnapshots(client, id);
    const lockedId = String(locked?.['id']);
    expect((await client.act('Volume', lockedId, 'lockAutoSnapshot')).status).toBe(200);
    expect(await client.act('Volume', lockedId, 'lockAutoSnapshot')).toMatchObject(refused(925));
    const removal = { autoSnapshotRemovalAction: 'Remove' };
    expect(await take(client, id, source, removal)).toMatchObject(refused(932));
    expect(await autoSnapshots(client, id)).toHaveLength(2);
    const told = { ...removal, detachLockedAutoSnapshots: 'TRUE' };
    expect((await take(client, id, source, told)).status).toBe(200);
    expect((await client.list('Volume')).map((volume) => volume['id'])).toEqual([source, lockedId]);
    expect((await take(client, id, source, { autoSnapshotRemovalAction: undefined })).status).toBe(400);
  });

  test('[codes] whoever uses one of its snapshots locks it first, and a locked one stays', async () => {
    const { sim, client, later } = await scene({ version });
    const sdc = await sim.connectSdc({ guid: guidA });
    const id = await policy(client, { numOfRetainedSnapshotsPerLevel: ['1'] });
    const source = await client.createVolume();
    await add(client, id, source);
    later(60);
    const [snapshot] = await autoSnapshots(client, id);
    const snapshotId = String(snapshot?.['id']);
    const map = () => client.act('Volume', snapshotId, 'addMappedSdc', { sdcId: sdc.id });
    expect(await map()).toMatchObject(refused(931));
    expect(await client.act('Volume', source, 'lockAutoSnapshot')).toMatchObject(refused(911));
    await client.act('Volume', snapshotId, 'lockAutoSnapshot');
    expect((await map()).status).toBe(200);
    expect(await client.act('Volume', snapshotId, 'unlockAutoSnapshot')).toMatchObject(refused(929));
    const overwrite = (more: Json = {}) =>
      client.act('Volume', snapshotId, 'overwriteVolumeContent', { srcVolumeId: source, ...more });
    expect(await overwrite()).toMatchObject(refused(1027));
    expect((await overwrite({ overwriteLockedAutoSnapshot: 'TRUE' })).status).toBe(200);
    later(60);
    expect(await autoSnapshots(client, id)).toHaveLength(2);
    expect(await client.object('SnapshotPolicy', id)).toMatchObject({
      numOfLockedSnapshots: 1,
      numOfExpiredButLockedSnapshots: 1,
    });
    await client.act('Volume', snapshotId, 'removeMappedSdc', { sdcId: sdc.id });
    await client.act('Volume', snapshotId, 'unlockAutoSnapshot');
    later(60);
    expect((await autoSnapshots(client, id)).map((each) => each['id'])).not.toContain(snapshotId);
  });

  test('[codes] a group with snapshots of a policy is not removed as one, nor is one of them a source', async () => {
    const { client, later } = await scene({ version });
    const id = await policy(client);
    await add(client, id, await client.createVolume());
    later(60);
    const [snapshot] = await autoSnapshots(client, id);
    const snapGroupId = snapshot?.['consistencyGroupId'];
    expect(
      await client.post('/api/instances/System/action/removeConsistencyGroupSnapshots', { snapGroupId }),
    ).toMatchObject(refused(934));
    expect(await add(client, id, String(snapshot?.['id']))).toMatchObject(refused(917));
  });

  test('secured snapshots of a policy stay until their time is over', async () => {
    const { client, later } = await scene({ version });
    const id = await policy(client, { numOfRetainedSnapshotsPerLevel: ['2'], secureSnapshots: 'TRUE' });
    await add(client, id, await client.createVolume());
    later(60);
    const [snapshot] = await autoSnapshots(client, id);
    expect(snapshot).toMatchObject({ secureSnapshotExpTime: START / 1000 + 3 * 3600 });
    const remove = () =>
      client.act('Volume', String(snapshot?.['id']), 'removeVolume', { removeMode: 'ONLY_ME' });
    expect((await remove()).status).toBe(500);
    later(120);
    expect((await remove()).status).toBe(200);
  });

  test('a family without room for its snapshots is a failure that it remembers', async () => {
    const { client, later } = await scene({ version, limits: { snapshotsPerVtree: 2 } });
    const id = await policy(client, { numOfRetainedSnapshotsPerLevel: ['2'] });
    const source = await client.createVolume();
    await add(client, id, source);
    const snapshotDefs = [{ volumeId: source }, { volumeId: source }];
    await client.post('/api/instances/System/action/snapshotVolumes', { snapshotDefs });
    later(60);
    expect(await autoSnapshots(client, id)).toEqual([]);
    expect(await client.object('SnapshotPolicy', id)).toMatchObject({
      numOfCreationFailures: 1,
      lastAutoSnapshotCreationFailureReason: 'TOO_MANY_SNAPS_IN_VTREE',
      timeOfLastAutoSnapshotCreationFailure: START / 1000 + 3600,
    });
  });
});

test('it takes them while nobody asks', async () => {
  let now = START;
  const { sim, client } = await simulate({ now: () => now, elapsed: () => performance.now() });
  const id = await policy(client);
  const source = await client.createVolume();
  await add(client, id, source);
  now += 60 * MINUTE;
  const { volumesByAutoPolicy } = sim.array.cluster.state;
  await expect.poll(() => volumesByAutoPolicy.count(id), { timeout: 20_000 }).toBe(1);
});
