import { describe, expect, test } from 'vitest';
import { guidA, refused, simulate, versions, type GatewayClient, type Json } from './gateway-client.ts';

const eightGib = 8_388_608;

async function create(client: GatewayClient, fields: Json = {}): ReturnType<GatewayClient['post']> {
  const [pool] = await client.list('StoragePool');
  return client.post('/api/types/Volume/instances', {
    storagePoolId: pool?.['id'],
    volumeSizeInKb: String(eightGib),
    volumeType: 'ThinProvisioned',
    ...fields,
  });
}

describe('create', () => {
  test.each([
    [{ volumeSizeInKb: '4194304' }, 1],
    [{ volumeSizeInKb: 8_388_609 }, 2],
    [{ volumeSizeInKb: '8388608' }, 1],
    [{ volumeSizeInKb: undefined, volumeSizeInGb: 10 }, 2],
    [{ volumeSizeInKb: undefined, volumeSizeInGb: '8' }, 1],
  ])('[pysio] create rounds up to 8 GB: %o', async (size, blocks) => {
    const { client } = await simulate();
    const reply = await create(client, size);
    expect(reply).toMatchObject({
      status: 200,
      body: { id: expect.stringMatching(/^[0-9a-f]{16}$/) as string },
    });
    const { id } = reply.body as { id: string };
    expect((await client.object('Volume', id))['sizeInKb']).toBe(blocks * eightGib);
  });

  test.each(versions)('[sio-py #21, gsio sdc_test.go] a missing pool is 400, version %s', async (version) => {
    const { client } = await simulate({ version });
    const reply = await client.post('/api/types/Volume/instances', { volumeSizeInKb: '8388608' });
    const text =
      'Request message is not valid: The following parameter(s) must be part of the request body: storagePoolId';
    const message = version === '2.6' ? `${text}.` : text;
    expect(reply).toMatchObject({ status: 400, body: { message, httpStatusCode: 400, errorCode: 0 } });
  });

  test('[csi] a name that is taken is 99 with the exact text, for volumes and snapshots alike', async () => {
    const { client } = await simulate();
    const id = await client.createVolume({ name: 'db' });
    const text = 'Volume name already in use. Please use a different name.';
    expect(await create(client, { name: 'db' })).toMatchObject(refused(99, text));
    await client.post('/api/instances/System/action/snapshotVolumes', {
      snapshotDefs: [{ volumeId: id, snapshotName: 'snap' }],
    });
    expect(await create(client, { name: 'snap' })).toMatchObject(refused(99));
    expect((await create(client, { name: 'DB' })).status).toBe(200);
  });

  test('[lxd] a name of 32 characters is 226, one of 31 is not', async () => {
    const { client } = await simulate();
    const text = 'The given name exceeds the allowed length of 31 characters.';
    expect(await create(client, { name: 'x'.repeat(32) })).toMatchObject(refused(226, text));
    expect((await create(client, { name: 'x'.repeat(31) })).status).toBe(200);
  });

  test('[codes] a name with a space is refused; [cinder] base64 punctuation is not', async () => {
    const { client } = await simulate();
    expect(await create(client, { name: 'a b' })).toMatchObject(refused(227));
    expect((await create(client, { name: 'q+/w==' })).status).toBe(200);
  });

  test('[siort] the name is optional', async () => {
    const { client } = await simulate();
    const id = await client.createVolume();
    expect((await client.object('Volume', id))['name']).toBeNull();
  });

  test('[gsio inttests] size 0 is refused, as is more than 1 PB', async () => {
    const { client } = await simulate();
    expect(await create(client, { volumeSizeInKb: '0' })).toMatchObject(refused(225));
    expect(await create(client, { volumeSizeInKb: String(1_048_584 * 1024 * 1024) })).toMatchObject(
      refused(190),
    );
  });

  test('[codes, tf] more than the allocation limit is refused', async () => {
    const { client } = await simulate();
    const text = 'Requested volume size exceeds the volume allocation limit';
    expect(await create(client, { volumeSizeInGb: 100_000, volumeSizeInKb: undefined })).toMatchObject({
      status: 500,
      body: { message: text },
    });
  });

  test('[codes] unknown pool, pool of another domain, pool without devices', async () => {
    const pools = [{ name: 'sp1' }];
    const domains = [
      { name: 'pd1' },
      { name: 'pd2', pools },
      { name: 'pd3', pools: [{ name: 'sp1', devices: 2 }] },
    ];
    const { client } = await simulate({ domains });
    const [, pd2] = await client.list('ProtectionDomain');
    const bare = (await client.list('StoragePool'))[2];
    expect(await create(client, { storagePoolId: '1234' })).toMatchObject(refused(171));
    expect(await create(client, { protectionDomainId: pd2?.['id'] })).toMatchObject(refused(197));
    expect(await create(client, { storagePoolId: bare?.['id'] })).toMatchObject(refused(144));
  });

  test('[guide] the number of volumes is limited', async () => {
    const { client } = await simulate({ limits: { volumes: 1 } });
    await client.createVolume();
    expect(await create(client)).toMatchObject(refused(97, 'There are too many volumes'));
  });

  test('a number that is none is 400', async () => {
    const { client } = await simulate();
    expect((await create(client, { volumeSizeInKb: 'many' })).status).toBe(400);
    expect((await create(client, { volumeType: 'Fat' })).status).toBe(400);
  });
});

describe('change', () => {
  test.each(['10', '6', '0', '-8', 12])(
    '[pysio] setVolumeSize %s is no multiple of 8 and is 400',
    async (size) => {
      const { client } = await simulate();
      const id = await client.createVolume();
      expect(await client.act('Volume', id, 'setVolumeSize', { sizeInGB: size })).toMatchObject({
        status: 400,
        body: { errorCode: 0 },
      });
      expect((await client.object('Volume', id))['sizeInKb']).toBe(eightGib);
    },
  );

  test('[siolib, tf] a volume only grows: 133', async () => {
    const { client } = await simulate();
    const id = await client.createVolume({ volumeSizeInKb: String(3 * eightGib) });
    const text = 'Volume capacity can only be increased';
    expect(await client.act('Volume', id, 'setVolumeSize', { sizeInGB: '16' })).toMatchObject(
      refused(133, text),
    );
    expect(await client.act('Volume', id, 'setVolumeSize', { sizeInGB: '24' })).toMatchObject({
      status: 200,
      text: '{}',
    });
    expect((await client.act('Volume', id, 'setVolumeSize', { sizeInGB: '32' })).status).toBe(200);
    expect((await client.object('Volume', id))['sizeInKb']).toBe(4 * eightGib);
  });

  test('[codes] rename: 99, 226, and its own name again', async () => {
    const { client } = await simulate();
    const id = await client.createVolume({ name: 'one' });
    await client.createVolume({ name: 'two' });
    const rename = (newName: string) => client.act('Volume', id, 'setVolumeName', { newName });
    expect(await rename('two')).toMatchObject(refused(99));
    expect(await rename('x'.repeat(32))).toMatchObject(refused(226));
    expect((await rename('one')).status).toBe(200);
    expect(await rename('three')).toMatchObject({ status: 200, text: '{}' });
    const find = (name: string) => client.post('/api/types/Volume/instances/action/queryIdByKey', { name });
    expect((await find('three')).body).toBe(id);
    expect(await find('one')).toMatchObject(refused(3, 'Not found'));
  });
});

describe('remove', () => {
  test('[siolib] a mapped volume is 104', async () => {
    const { sim, client } = await simulate();
    const id = await client.createVolume();
    const sdc = await sim.connectSdc({ guid: guidA });
    await client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id });
    const remove = () => client.act('Volume', id, 'removeVolume', { removeMode: 'ONLY_ME' });
    expect(await remove()).toMatchObject(refused(104, 'Volume is mapped'));
    await client.act('Volume', id, 'removeMappedSdc', { sdcId: sdc.id });
    expect(await remove()).toMatchObject({ status: 200, text: '{}' });
  });

  test('[csi, pysio] what is gone is 500 with code 79 and the exact text', async () => {
    const { client } = await simulate();
    const id = await client.createVolume();
    await client.act('Volume', id, 'removeVolume', { removeMode: 'ONLY_ME' });
    const gone = refused(79, 'Could not find the volume');
    expect(await client.get(`/api/instances/Volume::${id}`)).toMatchObject(gone);
    expect(await client.act('Volume', id, 'removeVolume', { removeMode: 'ONLY_ME' })).toMatchObject(gone);
    expect(await client.act('Volume', id, 'addMappedSdc', { sdcId: '1' })).toMatchObject(gone);
  });

  test('[siort] removeMode is required and one of four', async () => {
    const { client } = await simulate();
    const id = await client.createVolume();
    expect((await client.act('Volume', id, 'removeVolume')).status).toBe(400);
    expect((await client.act('Volume', id, 'removeVolume', { removeMode: 'ALL' })).status).toBe(400);
  });

  test('[siort] the other modes remove the family', async () => {
    const { client } = await simulate();
    const base = await client.createVolume({ name: 'base' });
    const snapshot = async (volumeId: string, snapshotName: string): Promise<string> => {
      const reply = await client.post('/api/instances/System/action/snapshotVolumes', {
        snapshotDefs: [{ volumeId, snapshotName }],
      });
      return (reply.body as { volumeIdList: [string] }).volumeIdList[0];
    };
    const names = async () => (await client.list('Volume')).map((volume) => volume['name']);
    const one = await snapshot(base, 'one');
    await snapshot(one, 'one-a');
    await snapshot(base, 'two');
    await client.act('Volume', one, 'removeVolume', { removeMode: 'INCLUDING_DESCENDANTS' });
    expect(await names()).toEqual(['base', 'two']);
    await snapshot(base, 'three');
    await client.act('Volume', base, 'removeVolume', { removeMode: 'DESCENDANTS_ONLY' });
    expect(await names()).toEqual(['base']);
    await snapshot(base, 'four');
    await client.act('Volume', base, 'removeVolume', { removeMode: 'WHOLE_VTREE' });
    expect(await names()).toEqual([]);
  });
});

describe('shape', () => {
  test('[csi volume.json.template, gsio-old] a volume of 2.6', async () => {
    const { client } = await simulate({ version: '2.6' });
    const id = await client.createVolume({ name: 'vol1' });
    expect(await client.object('Volume', id)).toEqual({
      id,
      name: 'vol1',
      sizeInKb: eightGib,
      volumeType: 'ThinProvisioned',
      storagePoolId: expect.any(String) as string,
      vtreeId: expect.any(String) as string,
      ancestorVolumeId: null,
      consistencyGroupId: null,
      isObfuscated: false,
      isVvol: false,
      useRmcache: false,
      creationTime: expect.any(Number) as number,
      mappingToAllSdcsEnabled: false,
      mappedSdcInfo: null,
      mappedScsiInitiatorInfo: null,
      links: expect.any(Array) as unknown[],
    });
  });

  const since3 =
    'storagePoolId dataLayout vtreeId sizeInKb snplIdOfAutoSnapshot volumeType consistencyGroupId ancestorVolumeId ' +
    'notGenuineSnapshot accessModeLimit secureSnapshotExpTime useRmcache managedBy lockedAutoSnapshot ' +
    'lockedAutoSnapshotMarkedForRemoval autoSnapshotGroupId compressionMethod pairIds timeStampIsAccurate mappedSdcInfo ' +
    'retentionLevels snplIdOfSourceVolume volumeReplicationState replicationJournalVolume replicationTimeStamp ' +
    'originalExpiryTime creationTime name id links';

  test('[CloudStack capture] a volume of 3.6 has exactly these fields', async () => {
    const { client } = await simulate({ version: '3.6' });
    const volume = await client.object('Volume', await client.createVolume());
    expect(Object.keys(volume).sort()).toEqual(since3.split(' ').sort());
    expect(volume).toMatchObject({
      volumeReplicationState: 'UnmarkedForReplication',
      compressionMethod: 'Invalid',
    });
  });

  test('[cinder query_sdc_volumes_response.json] a volume of 4.5 has two more', async () => {
    const { client } = await simulate({ version: '4.5' });
    const volume = await client.object('Volume', await client.createVolume());
    const more = ['volumeClass', 'nsid'];
    expect(Object.keys(volume).sort()).toEqual([...since3.split(' '), ...more].sort());
    expect(volume).toMatchObject({ volumeClass: 'defaultclass', compressionMethod: 'NotApplicable' });
  });

  test('[ansible, siort] ids are 16 hex digits whose halves both grow', async () => {
    const { client } = await simulate();
    const ids = [await client.createVolume(), await client.createVolume(), await client.createVolume()];
    const halves = ids.map(
      (id) => [Number.parseInt(id.slice(0, 8), 16), Number.parseInt(id.slice(8), 16)] as const,
    );
    for (const [position, [prefix, counter]] of halves.entries()) {
      expect(prefix).toBe((halves[0]?.[0] ?? 0) + position);
      expect(counter).toBe((halves[0]?.[1] ?? 0) + position);
    }
  });
});
