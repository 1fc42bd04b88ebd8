import { describe, expect, test } from 'vitest';
import {
  guidA,
  guidB,
  refused,
  simulate,
  versions,
  type GatewayClient,
  type Json,
} from './gateway-client.ts';

interface Link {
  rel: string;
  href: string;
}

function linksOf(object: Json | undefined): Record<string, string> {
  return Object.fromEntries((object?.['links'] as Link[]).map(({ rel, href }) => [rel, href]));
}

async function key(client: GatewayClient, type: string, body: Json): ReturnType<GatewayClient['post']> {
  return client.post(`/api/types/${type}/instances/action/queryIdByKey`, body);
}

describe.each(versions)('navigation, version %s', (version) => {
  test('[rexray, gsio] system to domain to pool by links, and every link of every object answers', async () => {
    const { sim, client } = await simulate({
      version,
      domains: [{ name: 'pd1', faultSets: ['fs1', 'fs2', 'fs3'] }],
    });
    const sdc = await sim.connectSdc({ guid: guidA });
    const id = await client.createVolume();
    await client.act('Volume', id, 'addMappedSdc', { sdcId: sdc.id });
    await client.post('/api/instances/System/action/snapshotVolumes', { snapshotDefs: [{ volumeId: id }] });
    const [system] = await client.list('System');
    const domains = await client.get(linksOf(system)['/api/System/relationship/ProtectionDomain'] ?? '');
    const [domain] = domains.body as Json[];
    const pools = await client.get(linksOf(domain)['/api/ProtectionDomain/relationship/StoragePool'] ?? '');
    expect(pools.body).toMatchObject([{ name: 'sp1' }]);
    for (const type of [
      'System',
      'ProtectionDomain',
      'StoragePool',
      'Volume',
      'Sdc',
      'Sds',
      'Device',
      'VTree',
      'FaultSet',
    ]) {
      const objects = await client.list(type);
      expect(objects, type).not.toEqual([]);
      for (const object of objects) {
        const links = linksOf(object);
        expect(links['self']).toBe(`/api/instances/${type}::${String(object['id'])}`);
        for (const href of Object.values(links).filter((link) => !link.includes('SpSds::'))) {
          expect(`${href} ${(await client.get(href)).status}`).toBe(`${href} 200`);
        }
      }
    }
  });

  test('[ansible] a snapshot links to its ancestor before its vtree', async () => {
    const { client } = await simulate({ version });
    const id = await client.createVolume();
    await client.post('/api/instances/System/action/snapshotVolumes', { snapshotDefs: [{ volumeId: id }] });
    const links = (await client.list('Volume'))[1]?.['links'] as Link[];
    expect(links.map(({ rel }) => rel)).toEqual([
      'self',
      '/api/Volume/relationship/Statistics',
      '/api/parent/relationship/ancestorVolumeId',
      '/api/parent/relationship/vtreeId',
      '/api/parent/relationship/storagePoolId',
    ]);
  });

  test('[csi get_system_instances.json] what gsio decodes of the system has its types', async () => {
    const { client } = await simulate({ version, systemName: 'lab' });
    const [system] = await client.list('System');
    expect(system).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      name: 'lab',
      maxCapacityInGb: 'Unlimited',
      capacityTimeLeftInDays: 'Unlimited',
      daysInstalled: 0,
      restrictedSdcMode: 'None',
      restrictedSdcModeEnabled: false,
      mdmCluster: {
        clusterState: 'ClusteredNormal',
        master: { role: 'Manager', port: 9011 },
        goodNodesNum: 3,
      },
    });
    expect(system?.['systemVersionName']).toContain(`R${version.replace('.', '_')}`);
  });

  test("[lxd, siolib] a key that fits nothing: 3 before 4.0, the type's own number after", async () => {
    const { client } = await simulate({ version });
    const codes: [string, Json, number][] = [
      ['Volume', { name: 'none' }, 79],
      ['ProtectionDomain', { name: 'none' }, 142],
      ['StoragePool', { name: 'none', protectionDomainName: 'pd1' }, 171],
      ['Sdc', { ip: '1.2.3.4' }, 80],
    ];
    for (const [type, body, code] of codes) {
      const reply = await key(client, type, body);
      expect(reply).toMatchObject(version === '4.5' ? refused(code) : refused(3, 'Not found'));
    }
  });
});

describe('paths', () => {
  test('[brick] a trailing slash and an escaped :: are taken', async () => {
    const { client } = await simulate();
    const id = await client.createVolume();
    for (const path of [`Volume::${id}/`, `Volume%3A%3A${id}`, `Volume%3a%3a${id}`]) {
      expect((await client.get(`/api/instances/${path}`)).status).toBe(200);
    }
    expect((await client.get('/api/types/Volume/instances/')).status).toBe(200);
  });

  test('[gsio sdc_test.go] an id that is no hexadecimal number', async () => {
    const { client } = await simulate();
    const message = 'id (worker-node-2) must be a hexadecimal number (unsigned long)';
    expect(await client.get('/api/instances/Sdc::worker-node-2')).toMatchObject({
      status: 400,
      body: { message, httpStatusCode: 400, errorCode: 0 },
    });
    expect((await client.get('/api/instances/Volume::')).status).toBe(400);
  });

  test.each([
    ['StoragePool', 171],
    ['ProtectionDomain', 142],
    ['Sdc', 80],
    ['Sds', 78],
    ['Device', 126],
  ])('[codes] an unknown %s is 500 with code %i, not 404', async (type, code) => {
    const { client } = await simulate();
    expect(await client.get(`/api/instances/${type}::00000000000000ff`)).toMatchObject(refused(code));
  });

  test('[siort] an unknown type is 404; so are unknown relationships and actions', async () => {
    const { client } = await simulate();
    const id = await client.createVolume();
    expect((await client.get('/api/types/Nonsense/instances')).status).toBe(404);
    expect((await client.get(`/api/instances/Volume::${id}/relationships/Nonsense`)).status).toBe(404);
    expect((await client.act('Volume', id, 'nonsense')).status).toBe(404);
  });

  test('lists are [] when there is nothing', async () => {
    const { client } = await simulate({ version: '4.5' });
    for (const type of [
      'Volume',
      'Sdc',
      'FaultSet',
      'Host',
      'ReplicationConsistencyGroup',
      'SnapshotPolicy',
    ]) {
      expect((await client.get(`/api/types/${type}/instances`)).text).toBe('[]');
    }
  });

  test('a body that is no JSON is 400', async () => {
    const { client } = await simulate();
    const reply = await fetch(`${client.url}/api/types/Volume/instances`, {
      method: 'POST',
      headers: { authorization: client.authorization, 'content-type': 'application/json' },
      body: '{"name":',
    });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ httpStatusCode: 400, errorCode: 0 });
  });

  test('[siort SIOListTypes] /api/instances shows everything', async () => {
    const { client } = await simulate();
    await client.createVolume();
    const everything = (await client.get('/api/instances')).body as Record<string, unknown[]>;
    expect(everything['volumeList']).toHaveLength(1);
    expect(everything['vTreeList']).toHaveLength(1);
    expect(everything['sdsList']).toHaveLength(3);
    expect(everything['deviceList']).toHaveLength(3);
  });

  test("[tf] the MDM cluster, also without the system's id", async () => {
    const { sim, client } = await simulate({ mdmIps: ['10.0.0.8', '10.0.0.9'] });
    const master = { master: { ips: ['10.0.0.8'] } };
    expect((await client.post('/api/instances/System/queryMdmCluster')).body).toMatchObject(master);
    expect((await client.act('System', sim.systemId, 'queryMdmCluster')).body).toMatchObject(master);
    expect(await client.get('/api/instances/System::0000000000000001')).toMatchObject({ status: 500 });
  });

  test('[csi get_system_limits.json] the limits tell the volume sizes', async () => {
    const { client } = await simulate({ version: '4.5' });
    const reply = await client.post('/api/instances/System/action/querySystemLimits');
    const { systemLimitEntryList } = reply.body as { systemLimitEntryList: Json[] };
    expect(systemLimitEntryList[0]).toMatchObject({ type: 'volumeSizeGb', maxVal: '1048576', minVal: '8' });
  });
});

describe('by name', () => {
  test('[siolib, os-brick, cinder] getByName, encoded once or twice, answers a quoted id', async () => {
    const { client } = await simulate();
    const id = await client.createVolume({ name: 'q+/w%==' });
    const once = encodeURIComponent('q+/w%==');
    for (const name of [once, encodeURIComponent(once)]) {
      const reply = await client.get(`/api/types/Volume/instances/getByName::${name}`);
      expect(reply).toMatchObject({ status: 200, text: `"${id}"` });
    }
    expect(await client.get('/api/types/Volume/instances/getByName::none')).toMatchObject(
      refused(3, 'Not found'),
    );
  });

  test('[cinder, siolib] domains, and pools by domain and name', async () => {
    const { client } = await simulate({ domains: [{ name: 'pd1' }, { name: 'pd2' }] });
    const domains = await client.list('ProtectionDomain');
    const pools = await client.list('StoragePool');
    expect((await client.get('/api/types/Domain/instances/getByName::pd2')).body).toBe(domains[1]?.['id']);
    const pool = (domain: unknown) =>
      client.get(`/api/types/Pool/instances/getByName::${String(domain)},sp1`);
    expect((await pool(domains[1]?.['id'])).body).toBe(pools[1]?.['id']);
    expect((await pool(domains[0]?.['id'])).body).toBe(pools[0]?.['id']);
    expect(
      (await client.get(`/api/types/Pool/instances/getByName::${String(domains[0]?.['id'])}%2Csp1`)).body,
    ).toBe(pools[0]?.['id']);
  });

  test('[tf, ansible] queryIdByKey of a pool by domain name or id', async () => {
    const { client } = await simulate({ domains: [{ name: 'pd1' }, { name: 'pd2' }] });
    const [, domain] = await client.list('ProtectionDomain');
    const [, pool] = await client.list('StoragePool');
    expect((await key(client, 'StoragePool', { protectionDomainName: 'pd2', name: 'sp1' })).body).toBe(
      pool?.['id'],
    );
    expect((await key(client, 'StoragePool', { protectionDomainId: domain?.['id'], name: 'sp1' })).body).toBe(
      pool?.['id'],
    );
  });

  test('[siolib, gsio] SDCs by address', async () => {
    const { sim, client } = await simulate();
    const { id } = await sim.connectSdc({ guid: guidB, ip: '10.0.0.7' });
    expect((await client.get('/api/types/Client/instances/getByIp::10.0.0.7/')).body).toBe(id);
    expect((await key(client, 'Sdc', { ip: '10.0.0.7' })).body).toBe(id);
  });
});

describe('several at once', () => {
  test('[cinder, csi] queryBySelectedIds; from 4.0 domains tell their generation', async () => {
    const { client } = await simulate({ version: '4.5' });
    const [domain] = await client.list('ProtectionDomain');
    const query = (type: string, ids: unknown[]) =>
      client.post(`/api/types/${type}/instances/action/queryBySelectedIds`, { ids });
    expect((await query('ProtectionDomain', [domain?.['id']])).body).toMatchObject([
      { genType: 'Mirroring' },
    ]);
    const ids = [await client.createVolume(), await client.createVolume()];
    expect((await query('Volume', ids)).body).toMatchObject(ids.map((id) => ({ id })));
    expect(await query('Volume', [...ids, '1'])).toMatchObject(refused(79));
  });

  test('[gsio vtree_test.go] an unknown VTree among the selected', async () => {
    const { client } = await simulate();
    const reply = await client.post('/api/types/VTree/instances/action/queryBySelectedIds', {
      ids: ['00000000000000ab'],
    });
    const message =
      "Query selected Instances type: VTree - Got no statistics for id 00000000000000ab. It doesn't exist";
    expect(reply).toMatchObject({ body: { message } });
  });

  test('10,000 volumes come as one list, streamed', async () => {
    const { sim, client } = await simulate();
    const ids = await sim.seed({ count: 10_000, prefix: 'v' });
    const list = await client.list('Volume');
    expect(list.map((volume) => volume['id'])).toEqual(ids);
    expect(list[4999]).toMatchObject({ name: 'v5000' });
  });
});
