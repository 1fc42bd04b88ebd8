import { describe, expect, test } from 'vitest';
import { simulate, type GatewayClient, type Json } from './gateway-client.ts';

/* What a pool's data layout allows, and what a VTree and its snapshots say of themselves. */

const domains = [
  {
    name: 'pd1',
    pools: [
      { name: 'medium', mediaType: 'SSD' as const },
      { name: 'fine', mediaType: 'SSD' as const, dataLayout: 'FineGranularity' as const },
    ],
  },
];

async function poolsOf(client: GatewayClient): Promise<{ medium: unknown; fine: unknown }> {
  const pools = await client.list('StoragePool');
  const [medium, fine] = ['medium', 'fine'].map(
    (name) => pools.find((pool) => pool['name'] === name)?.['id'],
  );
  return { medium, fine };
}

describe.each(['3.6', '4.5'] as const)('compression, version %s', (version) => {
  const onMedium = version === '3.6' ? 'Invalid' : 'NotApplicable';

  test('[codes, ansible] only on fine granularity', async () => {
    const { client } = await simulate({ version, domains });
    const { medium, fine } = await poolsOf(client);
    const create = (storagePoolId: unknown, compressionMethod: string) =>
      client.post('/api/types/Volume/instances', {
        storagePoolId,
        compressionMethod,
        volumeSizeInGb: 8,
        volumeType: 'ThinProvisioned',
      });
    const text = 'Compression may only be enabled on volumes with Fine Granularity layout';
    expect(await create(medium, 'Normal')).toMatchObject({ status: 500, body: { message: text } });
    expect((await create(medium, 'Best')).status).toBe(400);
    const { id } = (await create(medium, 'None')).body as { id: string };
    expect(await client.object('Volume', id)).toMatchObject({ compressionMethod: onMedium });
    const modify = (volumeId: string, compressionMethod: string) =>
      client.act('Volume', volumeId, 'modifyCompressionMethod', { compressionMethod });
    expect(await modify(id, 'Normal')).toMatchObject({ status: 500, body: { message: text } });
    expect(await client.object('Volume', id)).toMatchObject({ compressionMethod: onMedium });
    const compressed = ((await create(fine, 'Normal')).body as { id: string }).id;
    expect(await client.object('Volume', compressed)).toMatchObject({ compressionMethod: 'Normal' });
    expect((await modify(compressed, 'None')).status).toBe(200);
    expect(await client.object('Volume', compressed)).toMatchObject({ compressionMethod: 'None' });
    expect((await modify(compressed, 'Best')).status).toBe(400);
  });

  test('[cinder, codes] a VTree that moves to another layout takes on what holds there', async () => {
    const { client } = await simulate({ version, domains });
    const { medium, fine } = await poolsOf(client);
    const id = await client.createVolume({ storagePoolId: fine, compressionMethod: 'Normal' });
    const migrate = (destSPId: unknown, more: Json = {}) =>
      client.act('Volume', id, 'migrateVTree', { destSPId, volTypeConversion: 'NoConversion', ...more });
    expect((await migrate(medium, { compressionMethod: 'Normal' })).status).toBe(500);
    expect((await migrate(medium)).status).toBe(200);
    expect(await client.object('Volume', id)).toMatchObject({
      compressionMethod: onMedium,
      storagePoolId: medium,
    });
    expect((await migrate(fine, { compressionMethod: 'Normal' })).status).toBe(200);
    expect(await client.object('Volume', id)).toMatchObject({ compressionMethod: 'Normal' });
    const thick = await client.createVolume({ storagePoolId: medium, volumeType: 'ThickProvisioned' });
    expect((await client.act('Volume', thick, 'migrateVTree', { destSPId: fine })).status).toBe(500);
  });
});

describe('a VTree', () => {
  test('[gsio vtree_test.go] is called as its base volume, also when that is renamed or gone', async () => {
    const { client } = await simulate();
    const id = await client.createVolume({ name: 'base' });
    const { vtreeId } = await client.object('Volume', id);
    const name = async () => (await client.object('VTree', String(vtreeId)))['name'];
    expect(await name()).toBe('base');
    const snapshotDefs = [{ volumeId: id, snapshotName: 'later' }];
    await client.post('/api/instances/System/action/snapshotVolumes', { snapshotDefs });
    await client.act('Volume', id, 'setVolumeName', { newName: 'renamed' });
    expect(await name()).toBe('renamed');
    await client.act('Volume', id, 'removeVolume', { removeMode: 'ONLY_ME' });
    expect(await name()).toBe('later');
  });
});

describe('[tf, codes] snapshots that no policy made', () => {
  test.each(['lockAutoSnapshot', 'unlockAutoSnapshot'])('%s is refused', async (action) => {
    const { client } = await simulate();
    const id = await client.createVolume();
    const reply = await client.act('Volume', id, action, { autoSnapshotWillBeRemoved: false });
    expect(reply).toMatchObject({
      status: 500,
      body: { message: 'The specified volume is not an auto-snapshot and hence cannot be locked' },
    });
    expect((await client.act('Volume', '00000000000000ff', action)).body).toMatchObject({ errorCode: 79 });
    const { client: old } = await simulate({ version: '2.6' });
    expect((await old.act('Volume', await old.createVolume(), action)).status).toBe(404);
  });
});
