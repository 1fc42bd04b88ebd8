import { describe, expect, test } from 'vitest';
import { basic, guidA, guidB, simulate, versions, type GatewayClient, type Json } from './gateway-client.ts';

/** The call sequences of known clients, as their sources have them. */

function link(object: Json | undefined, rel: string): string {
  const links = object?.['links'] as { rel: string; href: string }[];
  const found = links.find((candidate) => candidate.rel === rel);
  if (found === undefined) throw new Error(`no link ${rel}`);
  return found.href;
}

async function list(client: GatewayClient, path: string): Promise<Json[]> {
  return (await client.get(path)).body as Json[];
}

describe.each(versions)('version %s', (version) => {
  test('[rexray scaleio] init, create, attach, inspect, detach, remove', async () => {
    const { sim, client } = await simulate({ version });
    await sim.connectSdc({ guid: guidA });
    const [system] = await client.list('System');
    const [domain] = await list(client, link(system, '/api/System/relationship/ProtectionDomain'));
    const [pool] = await list(client, link(domain, '/api/ProtectionDomain/relationship/StoragePool'));
    const sdcs = await list(client, `/api/instances/System::${String(system?.['id'])}/relationships/Sdc`);
    const sdc = sdcs.find((candidate) => candidate['sdcGuid'] === guidA);
    const created = await client.post('/api/types/Volume/instances', {
      protectionDomainId: domain?.['id'],
      storagePoolId: pool?.['id'],
      volumeType: 'ThinProvisioned',
      volumeSizeInKb: '16777216',
      name: 'rexray',
    });
    const { id } = created.body as { id: string };
    const map = { sdcId: sdc?.['id'], allowMultipleMappings: 'false' };
    expect((await client.act('Volume', id, 'addMappedSdc', map)).status).toBe(200);
    expect(await client.object('Volume', id)).toMatchObject({ mappedSdcInfo: [{ sdcId: sdc?.['id'] }] });
    const unmap = { sdcId: sdc?.['id'], ignoreScsiInitiators: 'true' };
    expect((await client.act('Volume', id, 'removeMappedSdc', unmap)).status).toBe(200);
    const volume = await client.object('Volume', id);
    const removal = await client.post(`${link(volume, 'self')}/action/removeVolume`, {
      removeMode: 'ONLY_ME',
    });
    expect(removal).toMatchObject({ status: 200, text: '{}' });
    const all = await client.list('Volume');
    expect(all.filter((candidate) => candidate['ancestorVolumeId'] === null)).toEqual([]);
  });

  test('[os-brick legacy, cinder] getByName, map by GUID with TRUE, limits, unmap', async () => {
    const { sim, client } = await simulate({ version });
    await sim.connectSdc({ guid: guidB });
    const id = await client.createVolume({ name: 'tWIOWDp1Q+mEQH/8JfG5Dg==' });
    const name = encodeURIComponent(encodeURIComponent('tWIOWDp1Q+mEQH/8JfG5Dg=='));
    const found = (await client.get(`/api/types/Volume/instances/getByName::${name}`)).text;
    expect(found.replaceAll('"', '')).toBe(id);
    client.authorization = basic('admin', await client.login());
    const map = { guid: guidB, allowMultipleMappings: 'TRUE' };
    expect((await client.act('Volume', id, 'addMappedSdc', map)).status).toBe(200);
    const again = await client.act('Volume', id, 'addMappedSdc', map);
    expect([81, 4037]).toContain((again.body as { errorCode: number }).errorCode);
    const limits = { guid: guidB, bandwidthLimitInKbps: '10240', iopsLimit: '200' };
    expect((await client.act('Volume', id, 'setMappedSdcLimits', limits)).status).toBe(200);
    expect((await client.act('Volume', id, 'removeMappedSdc', { guid: guidB })).status).toBe(200);
    const again2 = await client.act('Volume', id, 'removeMappedSdc', { guid: guidB });
    expect([84, 4039]).toContain((again2.body as { errorCode: number }).errorCode);
  });

  test('[k8s sio_client] detach sends the SDC id in allSdcs', async () => {
    const { sim, client } = await simulate({ version });
    const sdc = await sim.connectSdc({ guid: guidA });
    const id = await client.createVolume({ name: 'k8svol-abcdef12345' });
    await client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id, allowMultipleMappings: 'false' });
    const unmap = { ignoreScsiInitiators: 'true', allSdcs: sdc.id };
    expect((await client.act('Volume', id, 'removeMappedSdc', unmap)).status).toBe(200);
    expect(await client.object('Volume', id)).toMatchObject({ mappedSdcInfo: null });
  });
});

test('[csi-powerflex, goscaleio] create twice, publish, limits, unpublish, delete on 4.5 with Bearer', async () => {
  const { sim, client } = await simulate({ version: '4.5' });
  await sim.connectSdc({ guid: guidA });
  client.authorization = `Bearer ${await client.login()}`;
  const [system] = await client.list('System');
  const [pool] = await client.list('StoragePool');
  const volume = {
    name: 'k8s-1',
    volumeSizeInKb: '16777216',
    volumeType: 'ThinProvisioned',
    storagePoolId: pool?.['id'],
  };
  const { id } = (await client.post('/api/types/Volume/instances', volume)).body as { id: string };
  const second = await client.post('/api/types/Volume/instances', volume);
  expect((second.body as { message: string }).message).toBe(
    'Volume name already in use. Please use a different name.',
  );
  const key = await client.post('/api/types/Volume/instances/action/queryIdByKey', { name: 'k8s-1' });
  expect(key.body).toBe(id);
  const sdcs = await list(client, link(system, '/api/System/relationship/Sdc'));
  const sdcId = sdcs.find((sdc) => sdc['sdcGuid'] === guidA)?.['id'];
  expect(
    (await client.act('Volume', id, 'addMappedSdc', { sdcId, allowMultipleMappings: 'FALSE' })).status,
  ).toBe(200);
  await client.act('Volume', id, 'setMappedSdcLimits', {
    sdcId,
    bandwidthLimitInKbps: '10240',
    iopsLimit: '12',
  });
  const shown = await client.object('Volume', id);
  expect(shown).toMatchObject({
    volumeReplicationState: 'UnmarkedForReplication',
    mappedSdcInfo: [{ hostType: 'SdcHost', limitIops: 12, limitBwInMbps: 10 }],
  });
  expect((await client.act('Volume', id, 'removeMappedSdc', { sdcId })).status).toBe(200);
  const snapshot = await client.post(`${link(system, 'self')}/action/snapshotVolumes`, {
    snapshotDefs: [{ volumeId: id, snapshotName: 'snap' }],
    accessModeLimit: 'ReadOnly',
  });
  const { snapshotGroupId } = snapshot.body as { snapshotGroupId: string };
  const group = { snapGroupId: snapshotGroupId };
  const removed = await client.post(`${link(system, 'self')}/action/removeConsistencyGroupSnapshots`, group);
  expect(removed.body).toEqual({ numberOfVolumes: 1 });
  await client.post(`${link(shown, 'self')}/action/removeVolume`, { removeMode: 'ONLY_ME' });
  expect((await client.get(`/api/instances/Volume::${id}`)).body).toMatchObject({
    message: 'Could not find the volume',
  });
});

test('[PyPowerFlex] statistics of all pools', async () => {
  const { client } = await simulate({ domains: [{ name: 'pd1' }, { name: 'pd2' }] });
  const body = { allIds: '', properties: ['numOfVolumes'] };
  const reply = await client.post('/api/types/StoragePool/instances/action/querySelectedStatistics', body);
  expect(Object.values(reply.body as object)).toEqual([{ numOfVolumes: 0 }, { numOfVolumes: 0 }]);
});
