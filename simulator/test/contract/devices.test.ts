import { describe, expect, test } from 'vitest';
import { refused, simulate, type GatewayClient, type Json } from './gateway-client.ts';
import { fillPool } from '../../src/array/fill-pool.ts';

async function statistics(client: GatewayClient, path: string): Promise<Record<string, number>> {
  const reply = await client.get(`/api/instances/${path}/relationships/Statistics`);
  return reply.body as Record<string, number>;
}

async function scene() {
  let now = Date.now();
  const { sim, client } = await simulate({
    now: () => now,
    tokenIdleSeconds: 1e9,
    tokenLifeSeconds: 1e9,
    movementKiBPerSecond: 1024 * 1024,
    faults: true,
  });
  const [pool, sdss] = [(await client.list('StoragePool'))[0], await client.list('Sds')];
  const poolId = String(pool?.['id']);
  const addDevice = (fields: Json = {}) =>
    client.post('/api/types/Device/instances', {
      deviceCurrentPathname: '/dev/sdx',
      storagePoolId: poolId,
      sdsId: sdss[0]?.['id'],
      ...fields,
    });
  const later = (seconds: number): void => {
    now += seconds * 1000;
  };
  return {
    sim,
    client,
    poolId,
    sdss,
    addDevice,
    later,
    pool: () => statistics(client, `StoragePool::${poolId}`),
  };
}

describe('SDSs', () => {
  test('[gsio, ansible sds.py] create, show, rename, addresses, remove', async () => {
    const { client } = await scene();
    const [domain] = await client.list('ProtectionDomain');
    const create = (ip: string, name: string) =>
      client.post('/api/types/Sds/instances', {
        protectionDomainId: domain?.['id'],
        name,
        sdsIpList: [{ SdsIp: { ip, role: 'all' } }],
      });
    const { id } = (await create('10.9.9.9', 'sds9')).body as { id: string };
    expect(await client.object('Sds', id)).toMatchObject({
      name: 'sds9',
      ipList: [{ ip: '10.9.9.9', role: 'all' }],
      port: 7072,
      sdsState: 'Normal',
      membershipState: 'Joined',
      mdmConnectionState: 'Connected',
      maintenanceState: 'NoMaintenance',
      faultSetId: null,
    });
    expect(await create('10.9.9.9', 'other')).toMatchObject(refused(93));
    expect(await create('10.9.9.8', 'sds9')).toMatchObject(refused(98));
    expect((await client.act('Sds', id, 'setSdsName', { name: 'renamed' })).status).toBe(200);
    expect((await client.act('Sds', id, 'addSdsIp', { ip: '10.9.9.7', role: 'sdcOnly' })).status).toBe(200);
    expect(await client.object('Sds', id)).toMatchObject({
      name: 'renamed',
      ipList: [{}, { ip: '10.9.9.7' }],
    });
    expect((await client.act('Sds', id, 'removeSds', { force: 'FALSE' })).status).toBe(200);
    expect(await client.get(`/api/instances/Sds::${id}`)).toMatchObject(refused(78));
  });

  test('[codes] fault sets: names are unique, one in use cannot be removed', async () => {
    const { client } = await scene();
    const [domain] = await client.list('ProtectionDomain');
    const body = { protectionDomainId: domain?.['id'], name: 'fs1' };
    const { id } = (await client.post('/api/types/FaultSet/instances', body)).body as { id: string };
    expect((await client.post('/api/types/FaultSet/instances', body)).status).toBe(500);
    const sds = { protectionDomainId: domain?.['id'], sdsIpList: [{ ip: '10.9.9.9' }], faultSetId: id };
    const made = (await client.post('/api/types/Sds/instances', sds)).body as { id: string };
    expect((await client.act('FaultSet', id, 'removeFaultSet')).status).toBe(500);
    expect((await client.get(`/api/instances/FaultSet::${id}/relationships/Sds`)).body).toMatchObject([made]);
    await client.act('Sds', made.id, 'removeSds');
    expect((await client.act('FaultSet', id, 'removeFaultSet')).status).toBe(200);
  });
});

describe('domains and pools', () => {
  test('[gsio, ansible] create, rename, remove only when empty', async () => {
    const { client } = await scene();
    const domain = (await client.post('/api/types/ProtectionDomain/instances', { name: 'pd9' })).body as {
      id: string;
    };
    expect(await client.post('/api/types/ProtectionDomain/instances', { name: 'pd9' })).toMatchObject(
      refused(141),
    );
    const body = { name: 'sp9', protectionDomainId: domain.id, mediaType: 'SSD' };
    const pool = (await client.post('/api/types/StoragePool/instances', body)).body as { id: string };
    expect(await client.post('/api/types/StoragePool/instances', body)).toMatchObject(refused(173));
    expect(await client.act('ProtectionDomain', domain.id, 'removeProtectionDomain')).toMatchObject(
      refused(176),
    );
    expect((await client.act('StoragePool', pool.id, 'setStoragePoolName', { name: 'new' })).status).toBe(
      200,
    );
    expect(
      (await client.act('StoragePool', pool.id, 'setZeroPaddingPolicy', { zeroPadEnabled: 'FALSE' })).status,
    ).toBe(200);
    expect(await client.object('StoragePool', pool.id)).toMatchObject({
      name: 'new',
      zeroPaddingEnabled: false,
      mediaType: 'SSD',
    });
    expect((await client.act('StoragePool', pool.id, 'removeStoragePool')).status).toBe(200);
    expect((await client.act('ProtectionDomain', domain.id, 'removeProtectionDomain')).status).toBe(200);
  });

  test('[pysio] a pool with volumes is 196', async () => {
    const { client, poolId } = await scene();
    await client.createVolume();
    const reply = await client.act('StoragePool', poolId, 'removeStoragePool');
    expect(reply).toMatchObject(refused(196));
    expect(reply.text).toContain('Storage Pool has volumes');
  });

  test('[codes] no volume in a domain that is not active (213)', async () => {
    const { client, poolId } = await scene();
    const [domain] = await client.list('ProtectionDomain');
    const switchTo = (action: string) =>
      client.act('ProtectionDomain', String(domain?.['id']), action, { forceShutdown: 'FALSE' });
    await switchTo('inactivateProtectionDomain');
    expect((await client.list('ProtectionDomain'))[0]).toMatchObject({ protectionDomainState: 'Inactive' });
    const body = { storagePoolId: poolId, volumeSizeInGb: 8 };
    expect(await client.post('/api/types/Volume/instances', body)).toMatchObject(refused(213));
    await switchTo('activateProtectionDomain');
    expect((await client.post('/api/types/Volume/instances', body)).status).toBe(200);
  });
});

describe('devices', () => {
  test('[scaleio-framework, ansible device.py] add, show, rename', async () => {
    const { client, poolId, sdss, addDevice } = await scene();
    const { id } = (await addDevice({ name: 'disk' })).body as { id: string };
    expect(await client.object('Device', id)).toMatchObject({
      name: 'disk',
      sdsId: sdss[0]?.['id'],
      storagePoolId: poolId,
      deviceCurrentPathName: '/dev/sdx',
      deviceState: 'Normal',
      errorState: 'None',
      maxCapacityInKb: 4096 * 1024 * 1024,
    });
    expect(await addDevice({ name: 'disk', deviceCurrentPathname: '/dev/sdy' })).toMatchObject(refused(206));
    expect(await addDevice()).toMatchObject(refused(100));
    expect(await addDevice({ deviceCurrentPathname: '/dev/sdz', capacityLimitInKb: '1024' })).toMatchObject(
      refused(207),
    );
    expect((await client.act('Device', id, 'setDeviceName', { newName: 'other' })).status).toBe(200);
    expect(
      (await client.act('Device', id, 'setDeviceCapacityLimit', { capacityLimitInGB: '1024' })).status,
    ).toBe(200);
    expect(await client.object('Device', id)).toMatchObject({ name: 'other', capacityLimitInKb: 1024 ** 3 });
  });

  test("a new device fills in time: rebalance shows, the device's data grows, the pool's stays", async () => {
    const { sim, client, poolId, addDevice, later, pool } = await scene();
    await fillPool(sim.array, poolId, 50);
    const before = await pool();
    const { id } = (await addDevice()).body as { id: string };
    const device = async () => (await statistics(client, `Device::${id}`))['capacityInUseInKb'] ?? -1;
    const moving = (await pool())['rebalanceCapacityInKb'] ?? 0;
    expect(moving).toBeGreaterThan(0);
    expect(await device()).toBe(0);
    later(moving / 1024 / 1024 / 2);
    const half = await pool();
    expect(half['rebalanceCapacityInKb']).toBeCloseTo(moving / 2, -2);
    expect(await device()).toBeCloseTo(moving / 2, -2);
    later(moving / 1024 / 1024);
    const after = await pool();
    expect(after['rebalanceCapacityInKb']).toBe(0);
    expect(await device()).toBeCloseTo(moving, -2);
    expect(after['capacityInUseInKb']).toBe(before['capacityInUseInKb']);
    expect(after['capacityLimitInKb']).toBe(((before['capacityLimitInKb'] ?? 0) / 3) * 4);
  });

  test('a device is gone once its data has moved; not when the others cannot hold it', async () => {
    const { sim, client, poolId, addDevice, later } = await scene();
    const { id } = (await addDevice()).body as { id: string };
    await fillPool(sim.array, poolId, 50);
    expect((await client.act('Device', id, 'removeDevice')).status).toBe(200);
    expect(await client.object('Device', id)).toMatchObject({ deviceState: 'RemovePending' });
    expect(await client.act('Device', id, 'removeDevice')).toMatchObject(refused(135));
    later(100_000);
    await statistics(client, `StoragePool::${poolId}`);
    expect(await client.get(`/api/instances/Device::${id}`)).toMatchObject(refused(126));
    await fillPool(sim.array, poolId, 90);
    const [left] = await client.list('Device');
    expect((await client.act('Device', String(left?.['id']), 'removeDevice')).status).toBe(500);
  });

  test('an SDS that goes away degrades data until it is rebuilt', async () => {
    const { sim, client, poolId, sdss, later, pool } = await scene();
    await fillPool(sim.array, poolId, 30);
    const control = (connected: boolean) =>
      fetch(`${sim.mdmUrl}/simulator/sds`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sdsId: sdss[0]?.['id'], connected }),
      });
    expect((await control(false)).status).toBe(200);
    expect((await client.list('Sds'))[0]).toMatchObject({ mdmConnectionState: 'Disconnected' });
    const lost = await pool();
    expect(lost['degradedHealthyCapacityInKb']).toBeGreaterThan(0);
    expect(lost['fwdRebuildCapacityInKb']).toBeGreaterThan(0);
    const parts = ['protectedCapacityInKb', 'degradedHealthyCapacityInKb', 'degradedFailedCapacityInKb'];
    expect(parts.reduce((sum, part) => sum + (lost[part] ?? 0), 0)).toBe(lost['capacityInUseInKb']);
    later(1);
    await control(true);
    expect((await pool())['bckRebuildCapacityInKb']).toBeGreaterThan(0);
    later(100_000);
    const healed = await pool();
    expect(healed['protectedCapacityInKb']).toBe(healed['capacityInUseInKb']);
  });
});

describe('statistics', () => {
  test('[cinder, siolib] selected ones, of pools by id', async () => {
    const { client, poolId } = await scene();
    const select = (properties: string[]) =>
      client.post('/api/types/StoragePool/instances/action/querySelectedStatistics', {
        ids: [poolId],
        properties,
      });
    const reply = await select(['capacityLimitInKb', 'spareCapacityInKb', 'thinCapacityAllocatedInKm']);
    expect(reply.body).toEqual({
      [poolId]: {
        capacityLimitInKb: 12_884_901_888,
        spareCapacityInKb: 1_288_489_984,
        thinCapacityAllocatedInKm: 0,
      },
    });
    expect((await select(['capacityLimitInKb', 'nonsense'])).status).not.toBe(200);
  });

  test('[cinder, ansible] of the system: flat, with no ids', async () => {
    const { client } = await scene();
    const body = { ids: [], properties: ['numOfSds', 'numOfVolumes'] };
    const reply = await client.post('/api/types/System/instances/action/querySelectedStatistics', body);
    expect(reply.body).toEqual({ numOfSds: 3, numOfVolumes: 0 });
  });

  test('[csi fixture] volumes are counted by kind', async () => {
    const { client, pool } = await scene();
    const id = await client.createVolume();
    await client.createVolume({ volumeType: 'ThickProvisioned' });
    await client.post('/api/instances/System/action/snapshotVolumes', { snapshotDefs: [{ volumeId: id }] });
    expect(await pool()).toMatchObject({
      numOfVolumes: 3,
      numOfUnmappedVolumes: 3,
      numOfThickBaseVolumes: 1,
      numOfThinBaseVolumes: 1,
      numOfSnapshots: 1,
      numOfVtrees: 2,
      thickCapacityInUseInKb: 16_777_216,
      thinCapacityAllocatedInKm: 16_777_216,
    });
    const volume = await statistics(client, `Volume::${id}`);
    expect(volume).toMatchObject({ numOfChildVolumes: 1, numOfDescendantVolumes: 1, numOfMappedSdcs: 0 });
    const { vtreeId } = await client.object('Volume', id);
    expect(await statistics(client, `VTree::${String(vtreeId)}`)).toMatchObject({ numOfVolumes: 2 });
  });

  test('[lxd, cinder] net capacities from 3.x on', async () => {
    const { pool } = await scene();
    const shown = await pool();
    expect((shown['netUnusedCapacityInKb'] ?? 0) * 2).toBe(shown['unusedCapacityInKb']);
    const { client } = await simulate({ version: '2.6' });
    const [old] = await client.list('StoragePool');
    const oldStatistics = await statistics(client, `StoragePool::${String(old?.['id'])}`);
    expect(oldStatistics).not.toHaveProperty('netUnusedCapacityInKb');
    expect(oldStatistics).toHaveProperty('thinCapacityAllocatedInKb');
  });
});
