import { describe, expect, test } from 'vitest';
import { fillPool } from '../../src/array/fill-pool.ts';
import { refused, simulate, versions, type GatewayClient, type Json } from './gateway-client.ts';

/* What those who set an array up ask of it: domains, SDSs, their addresses, their maintenance, and devices that go. */

async function idOf(client: GatewayClient, type: string): Promise<string> {
  return String((await client.list(type))[0]?.['id']);
}

describe('addresses of an SDS', () => {
  const first = '10.9.9.1';

  async function sds(client: GatewayClient, ip = first) {
    const protectionDomainId = await idOf(client, 'ProtectionDomain');
    const body = { protectionDomainId, sdsIpList: [{ SdsIp: { ip, role: 'all' } }] };
    return client.post('/api/types/Sds/instances', body);
  }

  test('[PyPowerFlex sds.py, gsio, spec45] addSdsIp takes ip and role as they are, and role is required', async () => {
    const { client } = await simulate();
    const { id } = (await sds(client)).body as { id: string };
    const add = (body: Json) => client.act('Sds', id, 'addSdsIp', body);
    expect(await add({ ip: '10.9.9.2', role: 'sdcOnly' })).toMatchObject({ status: 200, text: '{}' });
    expect(await client.object('Sds', id)).toMatchObject({
      ipList: [
        { ip: first, role: 'all' },
        { ip: '10.9.9.2', role: 'sdcOnly' },
      ],
    });
    expect((await add({ ip: '10.9.9.3' })).status).toBe(400);
    expect((await add({ SdsIp: { ip: '10.9.9.3', role: 'all' } })).status).toBe(400);
    expect(await add({ ip: '10.9.9.2', role: 'all' })).toMatchObject(refused(200));
    expect(await add({ ip: '10.100.0.1', role: 'all' })).toMatchObject(refused(192));
  });

  test('[PyPowerFlex sds.py, codes] setSdsIpRole and removeSdsIp; one address for other SDSs must stay', async () => {
    const { client } = await simulate();
    const { id } = (await sds(client)).body as { id: string };
    await client.act('Sds', id, 'addSdsIp', { ip: '10.9.9.2', role: 'sdcOnly' });
    const remove = (ip: string) => client.act('Sds', id, 'removeSdsIp', { ip });
    const role = (sdsIpToSet: string, newRole: string) =>
      client.act('Sds', id, 'setSdsIpRole', { sdsIpToSet, newRole });
    expect(await remove(first)).toMatchObject(refused(199));
    expect(await role(first, 'sdcOnly')).toMatchObject(refused(199));
    expect(await role('10.9.9.2', 'sdcOnly')).toMatchObject(refused(201));
    expect(await role('10.9.9.7', 'all')).toMatchObject(refused(193));
    expect(await remove('10.9.9.7')).toMatchObject(refused(193));
    expect((await role('10.9.9.2', 'all')).status).toBe(200);
    expect((await remove(first)).status).toBe(200);
    expect(await client.object('Sds', id)).toMatchObject({ ipList: [{ ip: '10.9.9.2', role: 'all' }] });
    expect(await remove('10.9.9.2')).toMatchObject(refused(187));
  });

  test.each(['0.1.1.1', '224.0.0.5', '255.255.255.255', '10.0.0', '10.0.0.256', 'node-1', '', '::'])(
    '[codes] an SDS cannot have the address "%s" (120)',
    async (ip) => {
      const { client } = await simulate();
      const { id } = (await sds(client)).body as { id: string };
      expect(await sds(client, ip)).toMatchObject(refused(120));
      expect(await client.act('Sds', id, 'addSdsIp', { ip, role: 'all' })).toMatchObject(refused(120));
      expect(await client.list('Sds')).toHaveLength(4);
    },
  );

  test('[codes] an SDC cannot be approved for an address that is none (120)', async () => {
    const { sim, client } = await simulate({ restrictedSdcMode: 'ApprovedIp' });
    const sdcGuid = 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50';
    const approve = (sdcIps: string[]) =>
      client.act('System', sim.systemId, 'approveSdc', { sdcGuid, sdcIps });
    expect(await approve(['0.1.1.1'])).toMatchObject(refused(120));
    const { id: sdcId } = (await approve(['10.0.0.1'])).body as { id: string };
    const set = { sdcId, sdcApprovedIps: ['10.0.0.1', '10.0.0'] };
    expect(await client.act('System', sim.systemId, 'setApprovedSdcIps', set)).toMatchObject(refused(120));
  });
});

describe('setSdsNetworkLimits', () => {
  const limits = async (client: GatewayClient, body: Json) =>
    client.act('ProtectionDomain', await idOf(client, 'ProtectionDomain'), 'setSdsNetworkLimits', body);

  test('[PyPowerFlex protection_domain.py, ansible] what was set is shown; what is left out keeps its value', async () => {
    const { client } = await simulate();
    expect((await client.list('ProtectionDomain'))[0]).toMatchObject({
      rebuildNetworkThrottlingEnabled: false,
      rebuildNetworkThrottlingInKbps: null,
    });
    const body = { rebuildLimitInKbps: '10240', overallLimitInKbps: 20_480 };
    expect(await limits(client, body)).toMatchObject({ status: 200, text: '{}' });
    expect((await limits(client, { vtreeMigrationLimitInKbps: 6144 })).status).toBe(200);
    expect((await client.list('ProtectionDomain'))[0]).toMatchObject({
      rebuildNetworkThrottlingEnabled: true,
      rebuildNetworkThrottlingInKbps: 10_240,
      rebalanceNetworkThrottlingEnabled: false,
      rebalanceNetworkThrottlingInKbps: null,
      vtreeMigrationNetworkThrottlingEnabled: true,
      vtreeMigrationNetworkThrottlingInKbps: 6144,
      overallIoNetworkThrottlingEnabled: true,
      overallIoNetworkThrottlingInKbps: 20_480,
    });
    expect((await limits(client, { rebuildLimitInKbps: 0 })).status).toBe(200);
    expect((await client.list('ProtectionDomain'))[0]).toMatchObject({
      rebuildNetworkThrottlingEnabled: false,
      rebuildNetworkThrottlingInKbps: null,
    });
  });

  test.each([{ rebuildLimitInKbps: 1024 }, { rebalanceLimitInKbps: 10_240, overallLimitInKbps: 10_240 }])(
    '[codes] each limit is over 5 MB, the overall one over the others: %o is refused',
    async (body) => {
      const { client } = await simulate();
      expect(await limits(client, body)).toMatchObject({ status: 500, body: { httpStatusCode: 500 } });
      expect((await client.list('ProtectionDomain'))[0]).toMatchObject({
        rebuildNetworkThrottlingEnabled: false,
        overallIoNetworkThrottlingEnabled: false,
      });
    },
  );

  test('limits survive a change of the domain', async () => {
    const { client } = await simulate();
    const id = await idOf(client, 'ProtectionDomain');
    await limits(client, { rebuildLimitInKbps: 10_240 });
    await client.act('ProtectionDomain', id, 'setProtectionDomainName', { name: 'renamed' });
    expect(await client.object('ProtectionDomain', id)).toMatchObject({
      rebuildNetworkThrottlingInKbps: 10_240,
    });
  });
});

describe.each(versions)('maintenance, version %s', (version) => {
  test('[spec45, siort] is an action of System that answers 200 with a code for each SDS', async () => {
    const { client } = await simulate({ version });
    const [one, two] = await client.list('Sds');
    const sdsId = String(one?.['id']);
    const act = (action: string, body: Json) => client.post(`/api/instances/System/action/${action}`, body);
    const done = { sdsMMResults: [{ sdsId, message: 'SUCCESS', resultCode: '65' }] };
    expect(await act('enterMaintenanceMode', { sdsId })).toMatchObject({ status: 200, body: done });
    expect(await client.object('Sds', sdsId)).toMatchObject({ maintenanceState: 'InMaintenance' });
    const twice = await act('enterMaintenanceMode', { sdsId });
    expect(twice).toMatchObject({
      status: 200,
      body: { sdsMMResults: [{ sdsId, message: 'TGT_ALREADY_IN_MM', resultCode: '425' }] },
    });
    const other = await act('enterMaintenanceMode', { sdsId: two?.['id'] });
    expect(other).toMatchObject({
      status: 200,
      body: { sdsMMResults: [{ message: 'TGT_MM_CONFILICT', resultCode: '427' }] },
    });
    expect(await client.object('Sds', String(two?.['id']))).toMatchObject({
      maintenanceState: 'NoMaintenance',
    });
    expect(await act('exitMaintenanceMode', { sdsId })).toMatchObject({ status: 200, body: done });
    expect(await act('exitMaintenanceMode', { sdsId })).toMatchObject({
      status: 200,
      body: { sdsMMResults: [{ message: 'TGT_NOT_IN_MM', resultCode: '426' }] },
    });
    expect(await client.object('Sds', sdsId)).toMatchObject({ maintenanceState: 'NoMaintenance' });
    expect(await act('enterMaintenanceMode', { sdsId: '00000000000000ff' })).toMatchObject(refused(78));
    expect((await act('enterMaintenanceMode', {})).status).toBe(400);
    expect((await client.act('Sds', sdsId, 'enterMaintenanceMode')).status).toBe(404);
  });
});

test('[spec45] maintenance of a fault set: all its SDSs', async () => {
  const { client } = await simulate({
    domains: [{ name: 'pd1', sdss: 6, faultSets: ['a', 'b', 'c'], pools: [{ name: 'sp1', devices: 6 }] }],
  });
  const fsId = await idOf(client, 'FaultSet');
  const reply = await client.post('/api/instances/System/action/enterMaintenanceMode', { fsId });
  const { sdsMMResults } = reply.body as { sdsMMResults: Json[] };
  expect(sdsMMResults.map((result) => result['resultCode'])).toEqual(['65', '65']);
  const resting = (await client.list('Sds')).filter((sds) => sds['maintenanceState'] === 'InMaintenance');
  expect(resting.map((sds) => sds['faultSetId'])).toEqual([fsId, fsId]);
});

test('[spec45] protected maintenance, from 3.5: the results bare', async () => {
  const { sim, client } = await simulate({ version: '3.6' });
  const sdsId = await idOf(client, 'Sds');
  const act = (action: string) => client.act('System', sim.systemId, action, { sdsId });
  const done = [{ sdsId, message: 'SUCCESS', resultCode: '65' }];
  expect((await act('enterProtectedMaintenanceMode')).body).toEqual(done);
  expect(await client.object('Sds', sdsId)).toMatchObject({
    maintenanceState: 'InMaintenance',
    maintenanceType: 'ProtectedMaintenanceMode',
  });
  expect((await act('exitProtectedMaintenanceMode')).body).toEqual(done);
  const { client: old } = await simulate({ version: '2.6' });
  const reply = await old.post('/api/instances/System/action/enterProtectedMaintenanceMode', {});
  expect(reply.status).toBe(404);
});

describe('SpSds', () => {
  test.each(versions)(
    '[ansible] the parts of SDSs in pools, by pool, by SDS, by id, version %s',
    async (version) => {
      const { client } = await simulate({
        version,
        domains: [{ name: 'pd1', pools: [{ name: 'a' }, { name: 'b' }] }],
      });
      const [pool] = await client.list('StoragePool');
      const [sds] = await client.list('Sds');
      const related = async (path: string) => (await client.get(`/api/instances/${path}`)).body as Json[];
      const ofPool = await related(`StoragePool::${String(pool?.['id'])}/relationships/SpSds`);
      expect(ofPool).toHaveLength(3);
      expect(new Set(ofPool.map((part) => part['storagePoolId']))).toEqual(new Set([pool?.['id']]));
      const ofSds = await related(`Sds::${String(sds?.['id'])}/relationships/SpSds`);
      expect(ofSds).toHaveLength(2);
      const both = ofPool.filter((part) => part['sdsId'] === sds?.['id']);
      expect(ofSds).toEqual(expect.arrayContaining(both));
      expect(await client.list('SpSds')).toHaveLength(6);
      const id = String(both[0]?.['id']);
      expect(await client.object('SpSds', id)).toMatchObject({ id, sdsId: sds?.['id'] });
      const devices = await related(`SpSds::${id}/relationships/Device`);
      expect(devices).toMatchObject([{ spSdsId: id }]);
      expect((await client.get('/api/instances/SpSds::00000000000000ff')).status).toBe(500);
    },
  );
});

describe('refusals are the MDM’s own: 500 with a code', () => {
  test('[codes] a device that the SDS has already (100), an SDS that has devices', async () => {
    const { client } = await simulate();
    const [device] = await client.list('Device');
    const again = {
      sdsId: device?.['sdsId'],
      storagePoolId: device?.['storagePoolId'],
      deviceCurrentPathname: device?.['deviceCurrentPathName'],
    };
    expect(await client.post('/api/types/Device/instances', again)).toMatchObject(
      refused(100, 'Duplicate SDS device name'),
    );
    const removal = await client.act('Sds', String(device?.['sdsId']), 'removeSds');
    expect(removal).toMatchObject({ status: 500, body: { httpStatusCode: 500 } });
    expect((removal.body as { errorCode: number }).errorCode).toBeGreaterThan(0);
  });
});

describe('a device that is removed', () => {
  const mib = 1024;

  test('is gone at once when it holds nothing', async () => {
    const { client } = await simulate();
    const id = await idOf(client, 'Device');
    expect((await client.act('Device', id, 'removeDevice')).status).toBe(200);
    expect(await client.get(`/api/instances/Device::${id}`)).toMatchObject(refused(126));
    expect(await client.list('Device')).toHaveLength(2);
  });

  test('is gone for who only asks for the device, once its data has moved; also where nothing is rebalanced', async () => {
    let now = Date.now();
    const { sim, client } = await simulate({ now: () => now, tokenIdleSeconds: 1e9, tokenLifeSeconds: 1e9 });
    const poolId = await idOf(client, 'StoragePool');
    await client.act('StoragePool', poolId, 'setRebalanceEnabled', { rebalanceEnabled: 'FALSE' });
    await fillPool(sim.array, poolId, 30);
    const id = await idOf(client, 'Device');
    await client.act('Device', id, 'removeDevice');
    expect(await client.object('Device', id)).toMatchObject({ deviceState: 'RemovePending' });
    now += 1e6 * mib;
    expect(await client.get(`/api/instances/Device::${id}`)).toMatchObject(refused(126));
  });

  test.each(['TRUE', 'FALSE'])(
    'is gone also when it failed, or its SDS went away, while it was being emptied; rebuild %s',
    async (rebuildEnabled) => {
      let now = Date.now();
      const { sim, client } = await simulate({
        now: () => now,
        tokenIdleSeconds: 1e9,
        tokenLifeSeconds: 1e9,
        faults: true,
      });
      const poolId = await idOf(client, 'StoragePool');
      await client.act('StoragePool', poolId, 'setRebuildEnabled', { rebuildEnabled });
      await fillPool(sim.array, poolId, 30);
      const [device] = await client.list('Device');
      const id = String(device?.['id']);
      await client.act('Device', id, 'removeDevice');
      const control = (path: string, body: Json) =>
        fetch(`${sim.mdmUrl}/simulator/${path}`, { method: 'POST', body: JSON.stringify(body) });
      expect((await control('failed-devices', { deviceId: id, failed: true })).status).toBe(200);
      expect((await control('sds', { sdsId: device?.['sdsId'], connected: false })).status).toBe(200);
      now += 1e6 * mib;
      expect(await client.get(`/api/instances/Device::${id}`)).toMatchObject(refused(126));
    },
  );
});
