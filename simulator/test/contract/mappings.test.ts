import { describe, expect, test } from 'vitest';
import {
  guidA,
  guidB,
  refused,
  simulate,
  versions,
  type GatewayClient,
  type Json,
  type Reply,
} from './gateway-client.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator.ts';
import type { VirtualSdc } from '../../src/array/virtual-sdc.ts';

interface Scene {
  sim: Simulator;
  client: GatewayClient;
  id: string;
  a: VirtualSdc;
  b: VirtualSdc;
  map: (body: Json) => Promise<Reply>;
  unmap: (body: Json) => Promise<Reply>;
  info: () => Promise<Json[] | null>;
}

async function scene(options: SimulatorOptions = {}): Promise<Scene> {
  const { sim, client } = await simulate(options);
  const id = await client.createVolume({ name: 'db' });
  const a = await sim.connectSdc({ guid: guidA, ip: '10.0.0.1', name: 'host-a' });
  const b = await sim.connectSdc({ guid: guidB, ip: '10.0.0.2' });
  return {
    sim,
    client,
    id,
    a,
    b,
    map: (body) => client.act('Volume', id, 'addMappedSdc', body),
    unmap: (body) => client.act('Volume', id, 'removeMappedSdc', body),
    info: async () => (await client.object('Volume', id))['mappedSdcInfo'] as Json[] | null,
  };
}

describe('one SDC at a time', () => {
  test.each([
    ['2.6', 'Only a single SDC may be mapped to this volume at a time'],
    ['3.6', 'This volume is already mapped and may not be mapped to additional SDCs.'],
    ['4.5', 'This volume is already mapped and may not be mapped to additional SDCs.'],
  ] as const)('[flocker, codes] a second SDC is 306, version %s', async (version, text) => {
    const { a, b, map, info } = await scene({ version });
    expect(await map({ sdcId: a.id })).toMatchObject({ status: 200, text: '{}' });
    expect(await map({ sdcId: b.id })).toMatchObject(refused(306, text));
    expect(await map({ sdcId: b.id, allowMultipleMappings: 'FALSE' })).toMatchObject(refused(306));
    expect(await info()).toMatchObject([{ sdcId: a.id }]);
  });

  test.each(['TRUE', 'true', 'True', true])(
    '[csi, rexray, cinder] allowMultipleMappings %s lets more in',
    async (yes) => {
      const { a, b, map, info } = await scene();
      await map({ sdcId: a.id });
      expect((await map({ sdcId: b.id, allowMultipleMappings: yes })).status).toBe(200);
      expect(await info()).toHaveLength(2);
    },
  );

  test('[siolib] what the first mapping said holds until the volume is unmapped', async () => {
    const { a, b, map, unmap } = await scene();
    await map({ sdcId: a.id, allowMultipleMappings: 'TRUE' });
    expect((await map({ sdcId: b.id })).status).toBe(200);
    await unmap({ sdcId: a.id });
    await unmap({ sdcId: b.id });
    await map({ sdcId: a.id });
    expect(await map({ sdcId: b.id })).toMatchObject(refused(306));
  });

  test.each([
    ['2.6', 81],
    ['3.6', 81],
    ['4.5', 4037],
  ] as const)(
    '[pysio, os-brick] the same SDC again is an error whatever the flag, version %s',
    async (version, code) => {
      const { a, map } = await scene({ version });
      await map({ sdcId: a.id });
      expect(await map({ sdcId: a.id, allowMultipleMappings: 'TRUE' })).toMatchObject(refused(code));
    },
  );

  test.each([
    ['2.6', 84],
    ['3.6', 84],
    ['4.5', 4039],
  ] as const)('[os-brick, siolib] unmapping what is not mapped, version %s', async (version, code) => {
    const { a, b, map, unmap } = await scene({ version });
    expect(await unmap({ sdcId: a.id })).toMatchObject(refused(code));
    expect(await unmap({ allSdcs: '' })).toMatchObject(refused(code));
    await map({ sdcId: a.id });
    expect(await unmap({ sdcId: b.id })).toMatchObject(refused(code));
    expect((await unmap({ sdcId: a.id })).status).toBe(200);
  });
});

describe('who is meant', () => {
  test('[os-brick] by GUID, in any case of letters', async () => {
    const { a, map, unmap, info } = await scene();
    expect((await map({ guid: guidA.toLowerCase(), allowMultipleMappings: 'TRUE' })).status).toBe(200);
    expect(await info()).toMatchObject([{ sdcId: a.id }]);
    expect((await unmap({ guid: guidA })).status).toBe(200);
  });

  test('[codes] an unknown SDC is 80, a GUID that is none says so, nothing at all is 400', async () => {
    const { map } = await scene();
    expect(await map({ sdcId: '1234' })).toMatchObject(refused(80, 'Could not find the SDC'));
    expect(await map({ guid: 'AAAAAAAA-C20B-43BF-93C8-13339E85AA50' })).toMatchObject(refused(80));
    expect(await map({ guid: 'mine' })).toMatchObject({ status: 500 });
    expect(await map({})).toMatchObject({ status: 400, body: { errorCode: 0 } });
  });

  test.each([{ allSdcs: '' }, { allSdcs: 'true', ignoreScsiInitiators: 'true' }, { allSdcs: 'the id' }])(
    '[cinder, rexray, k8s] allSdcs with any value unmaps all: %o',
    async (body) => {
      const { a, b, map, unmap, info } = await scene();
      await map({ sdcId: a.id, allowMultipleMappings: 'TRUE' });
      await map({ sdcId: b.id });
      expect((await unmap(body)).status).toBe(200);
      expect(await info()).toBeNull();
    },
  );

  test('[siort] mapping to all SDCs', async () => {
    const { client, id, a, map, unmap, info } = await scene({ version: '2.6' });
    expect((await map({ allSdcs: '' })).status).toBe(200);
    expect(await client.object('Volume', id)).toMatchObject({
      mappingToAllSdcsEnabled: true,
      mappedSdcInfo: null,
    });
    expect(a.volumes()).toMatchObject([{ volumeId: id }]);
    expect(await map({ sdcId: a.id })).toMatchObject(refused(82));
    expect((await unmap({ allSdcs: '' })).status).toBe(200);
    expect(await info()).toBeNull();
    expect(a.volumes()).toEqual([]);
  });

  test('[lxd] from 4.0 hosts can be mapped too', async () => {
    const { client, id, a, info } = await scene({ version: '4.5' });
    expect((await client.act('Volume', id, 'addMappedHost', { hostId: a.id })).status).toBe(200);
    expect(await info()).toMatchObject([{ sdcId: a.id }]);
    expect((await client.act('Volume', id, 'removeMappedHost', { hostId: a.id })).status).toBe(200);
    expect(await client.act('Volume', id, 'removeMappedHost', { hostId: a.id })).toMatchObject(refused(4039));
  });

  test("a disconnected SDC can be mapped: it is the MDM's affair", async () => {
    const { a, map, info } = await scene();
    a.disconnect();
    expect((await map({ sdcId: a.id })).status).toBe(200);
    expect(await info()).toMatchObject([{ sdcId: a.id, sdcIp: '10.0.0.1' }]);
  });
});

describe('shape', () => {
  test.each(versions)(
    '[cinder] mappedSdcInfo is null when nothing is mapped, version %s',
    async (version) => {
      const { client, id, info } = await scene({ version });
      expect(await info()).toBeNull();
      expect((await client.get(`/api/instances/Volume::${id}`)).text).toContain('"mappedSdcInfo":null');
    },
  );

  test('[csi, ansible, gsio] what a mapping shows, by generation', async () => {
    const base = { sdcIp: '10.0.0.1', limitIops: 0, limitBwInMbps: 0 };
    const third = { ...base, sdcName: 'host-a', accessMode: 'ReadWrite', isDirectBufferMapping: false };
    const shown = [base, third, { ...third, nqn: null, hostType: 'SdcHost' }];
    for (const [position, version] of versions.entries()) {
      const { a, map, info } = await scene({ version });
      await map({ sdcId: a.id });
      expect(await info()).toEqual([{ sdcId: a.id, ...shown[position] }]);
    }
  });

  test('a list shows the new name of an SDC too', async () => {
    const { client, a, map } = await scene();
    await map({ sdcId: a.id });
    expect((await client.list('Volume'))[0]?.['mappedSdcInfo']).toMatchObject([{ sdcName: 'host-a' }]);
    await client.act('Sdc', a.id, 'setSdcName', { sdcName: 'renamed' });
    expect((await client.list('Volume'))[0]?.['mappedSdcInfo']).toMatchObject([{ sdcName: 'renamed' }]);
  });
});

describe('limits', () => {
  test('[ansible, tf] IOPS and bandwidth read back; what is left out keeps its value', async () => {
    const { client, id, a, map, info } = await scene();
    await map({ sdcId: a.id });
    const limit = (body: Json) => client.act('Volume', id, 'setMappedSdcLimits', { sdcId: a.id, ...body });
    expect((await limit({ iopsLimit: '1000', bandwidthLimitInKbps: '20480' })).status).toBe(200);
    expect(await info()).toMatchObject([{ limitIops: 1000, limitBwInMbps: 20 }]);
    expect((await limit({ iopsLimit: '11' })).status).toBe(200);
    expect(await info()).toMatchObject([{ limitIops: 11, limitBwInMbps: 20 }]);
    expect((await limit({ bandwidthLimitInKbps: '0' })).status).toBe(200);
    expect(await info()).toMatchObject([{ limitIops: 11, limitBwInMbps: 0 }]);
    expect(a.volumes()).toMatchObject([{ limitIops: 11, limitBandwidthKiBps: 0 }]);
  });

  test('[pysio, ansible] both zero, fewer than 11 IOPS, no whole MB/s are refused', async () => {
    const { client, id, a, b, map } = await scene();
    await map({ sdcId: a.id });
    const limit = (body: Json) => client.act('Volume', id, 'setMappedSdcLimits', { sdcId: a.id, ...body });
    expect((await limit({ iopsLimit: '0', bandwidthLimitInKbps: '0' })).status).toBe(400);
    expect((await limit({ iopsLimit: '10' })).status).toBe(400);
    expect((await limit({ bandwidthLimitInKbps: '1000' })).status).toBe(400);
    expect(await limit({ sdcId: b.id, iopsLimit: '11' })).toMatchObject(refused(84));
  });

  test('limits vanish with the mapping', async () => {
    const { client, id, a, map, unmap, info } = await scene();
    await map({ sdcId: a.id });
    await client.act('Volume', id, 'setMappedSdcLimits', { guid: guidA, iopsLimit: '50' });
    await unmap({ sdcId: a.id });
    await map({ sdcId: a.id });
    expect(await info()).toMatchObject([{ limitIops: 0 }]);
  });
});

describe('access mode', () => {
  test('[ansible] a volume limited to ReadOnly is mapped so, and hosts see it so', async () => {
    const { client, id, a, map, info } = await scene();
    await client.act('Volume', id, 'setVolumeAccessModeLimit', { accessModeLimit: 'ReadOnly' });
    await map({ sdcId: a.id });
    expect(await info()).toMatchObject([{ accessMode: 'ReadOnly' }]);
    expect(a.volumes()).toMatchObject([{ readOnly: true }]);
    await client.act('Volume', id, 'setVolumeAccessModeLimit', { accessModeLimit: 'ReadWrite' });
    expect(a.volumes()).toMatchObject([{ readOnly: false }]);
  });

  test('[gsio] accessMode of the mapping call', async () => {
    const { a, map, info } = await scene();
    await map({ sdcId: a.id, accessMode: 'ReadOnly' });
    expect(await info()).toMatchObject([{ accessMode: 'ReadOnly' }]);
  });

  test('2.x knows no such thing', async () => {
    const { client, id } = await scene({ version: '2.6' });
    const reply = await client.act('Volume', id, 'setVolumeAccessModeLimit', { accessModeLimit: 'ReadOnly' });
    expect(reply.status).toBe(404);
  });
});
