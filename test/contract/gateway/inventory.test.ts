import { describe, expect, test } from 'vitest';
import type { ArrayHost } from '../../../src/array/host.ts';
import type { ArrayName } from '../../../src/array/ids.ts';
import type { ArrayVolume } from '../../../src/array/volume.ts';
import { newVolume, simulated, soon, twoSdcs } from './simulated.ts';

const named = <T extends ArrayVolume | ArrayHost>(list: readonly T[], name: string): T | undefined =>
  list.find((found) => found.name === name);

describe.each(['2.6', '3.6', '4.5'] as const)('version %s', (version) => {
  test('all volumes are read in one call: ours, others, snapshots, and who has them', async () => {
    const { gateway, simulator, calls } = await simulated({ version });
    const { one } = await twoSdcs(simulator);
    const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
    const bare = await gateway.createVolume(await newVolume(gateway, 'datastore'), soon());
    await gateway.snapshotVolume(id, 'docker-snap' as ArrayName, soon());
    await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
    await gateway.limitAttachment({ volumeId: id, hostId: one }, { iops: 100, bandwidthKiBps: 4096 }, soon());
    calls();
    const volumes = await gateway.inventory.readVolumes(soon());
    expect(calls()).toEqual(['GET /api/types/Volume/instances']);
    expect(volumes).toHaveLength(3);
    const held = named(volumes, 'docker-db');
    const volume = await gateway.getVolume(id, soon());
    expect(held).toEqual(volume);
    expect(held?.attachments).toMatchObject([
      { hostId: one, hostKind: 'sdc', hostAddress: '10.0.0.1', limitIops: 100, limitBandwidthKiBps: 4096 },
    ]);
    expect(named(volumes, 'docker-snap')).toMatchObject({
      kind: 'snapshot',
      familyId: volume?.familyId,
      attachments: [],
    });
    expect(named(volumes, 'datastore')).toMatchObject({ id: bare, kind: 'thin' });
  });

  test('all SDCs are read in one call, with those that are away', async () => {
    const { gateway, simulator, calls } = await simulated({ version });
    const { one, two } = await twoSdcs(simulator);
    await gateway.registry.renameHost(one, 'node-1', soon());
    simulator.silence('22222222-2222-2222-2222-222222222222');
    calls();
    const sdcs = await gateway.inventory.readHosts(soon());
    expect(calls()).toEqual(['GET /api/types/Sdc/instances']);
    expect(sdcs).toHaveLength(2);
    expect(named(sdcs, 'node-1')).toMatchObject({
      id: one,
      guid: '11111111-1111-1111-1111-111111111111',
      address: '10.0.0.1',
      state: 'connected',
      isApproved: true,
    });
    expect(sdcs.find(({ id }) => id === two)).toMatchObject({ name: null, state: 'disconnected' });
  });
});

test('an SDC that is not let in is told apart', async () => {
  const { gateway, simulator } = await simulated({ version: '3.6', restrictedSdcMode: 'Guid' });
  await twoSdcs(simulator);
  const sdcs = await gateway.inventory.readHosts(soon());
  expect(sdcs.map(({ isApproved }) => isApproved)).toEqual([false, false]);
});

test('a list with an element that cannot be understood is no list', async () => {
  const { gateway, simulator } = await simulated({}, { retry: { minDelayMs: 1, maxDelayMs: 2 } });
  const body = [{ id: 'aa', sizeInKb: 'many', storagePoolId: 'bb' }];
  simulator.faults.add({ kind: 'error', path: 'types/Volume/instances$', status: 200, body });
  await expect(gateway.inventory.readVolumes(soon(3000))).rejects.toThrow('cannot list all volumes');
});
