import { describe, expect, test } from 'vitest';
import { open, readFile, stat } from 'node:fs/promises';
import { guidA, refused, simulate, type GatewayClient, type Json } from './gateway-client.ts';

interface Taken {
  volumeIdList: string[];
  snapshotGroupId: string;
}

function snapshot(client: GatewayClient, defs: Json[], more: Json = {}): ReturnType<GatewayClient['post']> {
  return client.post('/api/instances/System/action/snapshotVolumes', { snapshotDefs: defs, ...more });
}

async function taken(client: GatewayClient, defs: Json[], more: Json = {}): Promise<Taken> {
  return (await snapshot(client, defs, more)).body as Taken;
}

describe('snapshotVolumes', () => {
  test('[siort SIOSnapshot] several volumes make one consistency group; a name is optional', async () => {
    const { sim, client } = await simulate();
    const [one, two] = [
      await client.createVolume({ name: 'one' }),
      await client.createVolume({ name: 'two' }),
    ];
    const reply = await client.act('System', sim.systemId, 'snapshotVolumes', {
      snapshotDefs: [{ volumeId: one, snapshotName: 'snap1' }, { volumeId: two }],
    });
    const { volumeIdList, snapshotGroupId } = reply.body as Taken;
    expect(volumeIdList).toHaveLength(2);
    const first = await client.object('Volume', volumeIdList[0] ?? '');
    const source = await client.object('Volume', one);
    expect(first).toMatchObject({
      name: 'snap1',
      volumeType: 'Snapshot',
      ancestorVolumeId: one,
      vtreeId: source['vtreeId'],
      storagePoolId: source['storagePoolId'],
      sizeInKb: source['sizeInKb'],
      consistencyGroupId: snapshotGroupId,
      mappedSdcInfo: null,
    });
    expect(await client.object('Volume', volumeIdList[1] ?? '')).toMatchObject({
      name: null,
      ancestorVolumeId: two,
    });
  });

  test('[csi, ansible] accessModeLimit is as asked', async () => {
    const { client } = await simulate();
    const id = await client.createVolume();
    const { volumeIdList } = await taken(client, [{ volumeId: id }], { accessModeLimit: 'ReadOnly' });
    expect(await client.object('Volume', volumeIdList[0] ?? '')).toMatchObject({
      accessModeLimit: 'ReadOnly',
    });
    const other = await taken(client, [{ volumeId: id }]);
    expect(await client.object('Volume', other.volumeIdList[0] ?? '')).toMatchObject({
      accessModeLimit: 'ReadWrite',
    });
  });

  test('[siolib, lxd] wrong arguments fail plainly, and all or nothing', async () => {
    const { client } = await simulate();
    const id = await client.createVolume({ name: 'db' });
    expect(await snapshot(client, [{ volumeId: id, snapshotName: 'db' }])).toMatchObject(refused(99));
    expect(await snapshot(client, [{ volumeId: id, snapshotName: 'x'.repeat(32) }])).toMatchObject(
      refused(226),
    );
    expect(await snapshot(client, [{ volumeId: id }, { volumeId: '1' }])).toMatchObject(refused(79));
    expect((await snapshot(client, [])).status).toBe(400);
    expect(await client.list('Volume')).toHaveLength(1);
  });

  test('[cinder, siolib] too many snapshots: 182 in the details', async () => {
    const { client } = await simulate({ version: '2.6' });
    const id = await client.createVolume();
    for (let count = 0; count < 31; count += 1)
      expect((await snapshot(client, [{ volumeId: id }])).status).toBe(200);
    expect((await snapshot(client, [{ volumeId: id }])).body).toEqual({
      message: 'Error with details',
      httpStatusCode: 500,
      errorCode: 0,
      details: [
        {
          error: 'TOO_MANY_SNAPS_IN_VTREE',
          rc: 182,
          errorMessage: 'There are too many snapshots in the VTree',
        },
      ],
    });
  });

  test('[gsio] a group is removed as one; an unknown group is 185', async () => {
    const { client } = await simulate();
    const ids = [await client.createVolume(), await client.createVolume()];
    const { snapshotGroupId } = await taken(
      client,
      ids.map((volumeId) => ({ volumeId })),
    );
    const remove = (snapGroupId: string) =>
      client.post('/api/instances/System/action/removeConsistencyGroupSnapshots', { snapGroupId });
    expect((await remove(snapshotGroupId)).body).toEqual({ numberOfVolumes: 2 });
    expect(await remove(snapshotGroupId)).toMatchObject(refused(185));
    expect(await client.list('Volume')).toHaveLength(2);
  });

  test('snapshots survive their source and pass to its ancestor; the VTree goes with its last volume', async () => {
    const { client } = await simulate();
    const base = await client.createVolume();
    const [first = ''] = (await taken(client, [{ volumeId: base }])).volumeIdList;
    const [second = ''] = (await taken(client, [{ volumeId: first }])).volumeIdList;
    const remove = (id: string) => client.act('Volume', id, 'removeVolume', { removeMode: 'ONLY_ME' });
    await remove(first);
    expect(await client.object('Volume', second)).toMatchObject({ ancestorVolumeId: base });
    await remove(base);
    const left = await client.object('Volume', second);
    expect(left).toMatchObject({ ancestorVolumeId: null });
    expect(await client.object('VTree', String(left['vtreeId']))).toMatchObject({ rootVolumes: [second] });
    await remove(second);
    expect(await client.list('VTree')).toEqual([]);
  });

  test('[tf] a secured snapshot cannot be removed before its time', async () => {
    let now = Date.now();
    const { client } = await simulate({ now: () => now, tokenIdleSeconds: 1e6 });
    const base = await client.createVolume();
    const [id = ''] = (await taken(client, [{ volumeId: base }], { retentionPeriodInMin: '60' }))
      .volumeIdList;
    const remove = () => client.act('Volume', id, 'removeVolume', { removeMode: 'ONLY_ME' });
    expect((await remove()).status).toBe(500);
    const overwrite = () => client.act('Volume', id, 'overwriteVolumeContent', { srcVolumeId: base });
    expect((await overwrite()).status).toBe(500);
    const { snapshotGroupId } = await taken(client, [{ volumeId: base }], { retentionPeriodInMin: '60' });
    const removeGroup = () =>
      client.post('/api/instances/System/action/removeConsistencyGroupSnapshots', {
        snapGroupId: snapshotGroupId,
      });
    expect((await removeGroup()).status).toBe(500);
    now += 61 * 60_000;
    for (const call of [overwrite, remove, removeGroup]) expect((await call()).status).toBe(200);
  });

  test('[ansible] a snapshot is secured for 31 days at most, and for longer than before, not shorter', async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const { client } = await simulate({ now: () => now });
    const base = await client.createVolume();
    for (const retentionPeriodInMin of ['44641', '-1', '1.5'])
      expect((await snapshot(client, [{ volumeId: base }], { retentionPeriodInMin })).status).toBe(400);
    const [id = ''] = (await taken(client, [{ volumeId: base }], { retentionPeriodInMin: '44640' }))
      .volumeIdList;
    const until = now / 1000 + 44_640 * 60;
    expect(await client.object('Volume', id)).toMatchObject({ secureSnapshotExpTime: until });
    for (const retentionPeriodInMin of ['1', '0'])
      await client.act('Volume', id, 'setSnapshotSecurity', { retentionPeriodInMin });
    expect(await client.object('Volume', id)).toMatchObject({ secureSnapshotExpTime: until });
    const too = await client.act('Volume', id, 'setSnapshotSecurity', { retentionPeriodInMin: '44641' });
    expect(too.status).toBe(400);
  });

  test('before 3.0 nobody looks at access modes and retention', async () => {
    const { client } = await simulate({ version: '2.6' });
    const base = await client.createVolume();
    const more = { accessModeLimit: 'ReadOnly', retentionPeriodInMin: '60' };
    const [id = ''] = (await taken(client, [{ volumeId: base }], more)).volumeIdList;
    expect((await client.act('Volume', id, 'removeVolume', { removeMode: 'ONLY_ME' })).status).toBe(200);
  });
});

describe('data', () => {
  async function write(path: string, text: string, at = 0): Promise<void> {
    const file = await open(path, 'r+');
    await file.write(text, at);
    await file.close();
  }

  async function scene() {
    const { sim, client } = await simulate();
    const sdc = await sim.connectSdc({ guid: guidA });
    const id = await client.createVolume();
    await client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id });
    const file = (volumeId: string) => sim.array.files.path(volumeId);
    return { client, id, file };
  }

  async function head(path: string): Promise<string> {
    const file = await open(path, 'r');
    const { buffer } = await file.read(Buffer.alloc(5), 0, 5, 0);
    await file.close();
    return buffer.toString();
  }

  test('a snapshot holds what the volume held then, and stays sparse', async () => {
    const { client, id, file } = await scene();
    await write(file(id), 'first');
    const [snap = ''] = (await taken(client, [{ volumeId: id }])).volumeIdList;
    await write(file(id), 'later');
    expect(await head(file(snap))).toBe('first');
    const { size, blocks } = await stat(file(snap));
    expect(size).toBe(8 * 2 ** 30);
    expect(blocks * 512).toBeLessThan(1024 * 1024);
  });

  test('[cinder, CloudStack] overwriteVolumeContent and revertSnapshot bring it back, in the same file', async () => {
    const { client, id, file } = await scene();
    await write(file(id), 'first');
    const [snap = ''] = (await taken(client, [{ volumeId: id }])).volumeIdList;
    const { ino } = await stat(file(id));
    await write(file(id), 'later');
    expect((await client.act('Volume', id, 'overwriteVolumeContent', { srcVolumeId: snap })).status).toBe(
      200,
    );
    expect(await head(file(id))).toBe('first');
    expect((await stat(file(id))).ino).toBe(ino);
    await write(file(id), 'third');
    const revert = { volumeId: snap, revertMode: 'copy' };
    expect((await client.act('Volume', id, 'revertSnapshot', revert)).status).toBe(200);
    expect(await head(file(id))).toBe('first');
    expect((await stat(file(id))).ino).toBe(ino);
  });

  test('revertMode: a copy leaves the source alone, a move uses it up, a toggle gives it what was replaced', async () => {
    const { client, id, file } = await scene();
    await write(file(id), 'first');
    const [snap = ''] = (await taken(client, [{ volumeId: id }])).volumeIdList;
    const [child = ''] = (await taken(client, [{ volumeId: snap }])).volumeIdList;
    const revert = (revertMode?: string) =>
      client.act('Volume', id, 'revertSnapshot', { volumeId: snap, revertMode });
    await write(file(id), 'later');
    expect((await revert('copy')).status).toBe(200);
    expect([await head(file(id)), await head(file(snap))]).toEqual(['first', 'first']);
    await write(file(id), 'later');
    expect((await revert('toggle')).status).toBe(200);
    expect([await head(file(id)), await head(file(snap))]).toEqual(['first', 'later']);
    expect((await revert('sideways')).status).toBe(400);
    expect((await revert()).status).toBe(400);
    expect((await revert('move')).status).toBe(200);
    expect(await head(file(id))).toBe('later');
    expect((await client.list('Volume')).map((volume) => volume['id'])).toEqual([id, child]);
    expect(await client.object('Volume', child)).toMatchObject({ ancestorVolumeId: id });
  });

  test('the target has exactly what the source has, also where that is nothing, and its size', async () => {
    const { client, id, file } = await scene();
    const [blank = ''] = (await taken(client, [{ volumeId: id }])).volumeIdList;
    await write(file(id), 'first', 5000);
    await client.act('Volume', id, 'setVolumeSize', { sizeInGB: '16' });
    await write(file(id), 'above', 9 * 2 ** 30);
    const overwrite = async (target: string, srcVolumeId: string) => {
      expect((await client.act('Volume', target, 'overwriteVolumeContent', { srcVolumeId })).status).toBe(
        200,
      );
      const { size, blocks } = await stat(file(target));
      return { size, blocks };
    };
    expect(await overwrite(id, blank)).toEqual({ size: 8 * 2 ** 30, blocks: 0 });
    expect(await client.object('Volume', id)).toMatchObject({ sizeInKb: 8 * 2 ** 20 });
    await write(file(id), 'third', 5000);
    await overwrite(blank, id);
    await overwrite(id, blank);
    const read = await open(file(id), 'r');
    const { buffer } = await read.read(Buffer.alloc(5010), 0, 5010, 0);
    await read.close();
    expect(buffer.subarray(5000, 5005).toString()).toBe('third');
    expect(buffer.subarray(0, 5000).every((byte) => byte === 0)).toBe(true);
  });

  test('overwriteVolumeContent came with 3.0', async () => {
    const { client } = await simulate({ version: '2.6' });
    const id = await client.createVolume();
    const reply = await client.act('Volume', id, 'overwriteVolumeContent', { srcVolumeId: id });
    expect(reply.status).toBe(404);
  });

  test('[codes] not from another VTree (198), not from itself', async () => {
    const { client, id } = await scene();
    const other = await client.createVolume();
    const overwrite = (srcVolumeId: string) =>
      client.act('Volume', id, 'overwriteVolumeContent', { srcVolumeId });
    expect(await overwrite(other)).toMatchObject(refused(198));
    expect((await overwrite(id)).status).toBe(500);
  });

  test('the data goes with the volume', async () => {
    const { client, id, file } = await scene();
    expect((await stat(file(id))).size).toBe(8 * 2 ** 30);
    await client.act('Volume', id, 'removeMappedSdc', { guid: guidA });
    await client.act('Volume', id, 'removeVolume', { removeMode: 'ONLY_ME' });
    await expect(readFile(file(id))).rejects.toThrow('ENOENT');
  });
});

test('[cinder] migrateVTree moves a volume to another pool, not to its own (718)', async () => {
  const { client } = await simulate({
    domains: [{ name: 'pd1', pools: [{ name: 'sp1' }, { name: 'sp2' }] }],
  });
  const [one, two] = await client.list('StoragePool');
  const id = await client.createVolume();
  const migrate = (destSPId: unknown) => client.act('Volume', id, 'migrateVTree', { destSPId });
  expect(await migrate(one?.['id'])).toMatchObject(refused(718));
  expect((await migrate(two?.['id'])).status).toBe(200);
  const { storagePoolId, vtreeId } = await client.object('Volume', id);
  expect(storagePoolId).toBe(two?.['id']);
  expect(await client.object('VTree', String(vtreeId))).toMatchObject({
    vtreeMigrationInfo: { migrationStatus: 'NotInMigration', migrationPauseReason: null },
  });
});
