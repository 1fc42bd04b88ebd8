import { describe, expect, test } from 'vitest';
import {
  CapacityError,
  GatewayAuthError,
  GatewayRejectedError,
  InvalidRequestError,
} from '../../../src/errors.ts';
import type { ArrayName, PoolId, VolumeId } from '../../../src/array/ids.ts';
import { GIB, newVolume, simulated, somePool, soon, twoSdcs } from './simulated.ts';

const VERSIONS = ['2.6', '3.6', '4.5'] as const;
const WAYS = VERSIONS.flatMap((version) => [
  { version, tls: false },
  { version, tls: true },
]);
const gateways = (tls: boolean): { host: string; port: number; tls: boolean }[] => [
  { host: '127.0.0.1', port: 0, tls },
];

describe.each(WAYS)('version $version, TLS $tls', ({ version, tls }) => {
  test('a volume from creation to removal, each step one call', async () => {
    const { simulator, gateway, calls } = await simulated({ version, gateways: gateways(tls) });
    const { one } = await twoSdcs(simulator);
    const wanted = await newVolume(gateway, 'docker-~db');
    calls();

    const id = await gateway.createVolume(wanted, soon());
    expect(calls()).toEqual(['POST /api/types/Volume/instances']);
    await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
    expect(calls()).toEqual([`POST /api/instances/Volume::${id}/action/addMappedSdc`]);
    await gateway.limitAttachment({ volumeId: id, hostId: one }, { iops: 100, bandwidthKiBps: 2048 }, soon());
    expect(calls()).toHaveLength(1);
    await gateway.renameVolume(id, 'docker-db' as ArrayName, soon());
    expect(calls()).toHaveLength(1);

    expect(await gateway.findVolumeId('docker-db' as ArrayName, soon())).toBe(id);
    expect(calls()).toEqual(['POST /api/types/Volume/instances/action/queryIdByKey']);
    const volume = await gateway.getVolume(id, soon());
    expect(calls()).toEqual([`GET /api/instances/Volume::${id}`]);
    expect(volume).toMatchObject({
      id,
      name: 'docker-db',
      sizeKiB: 16 * GIB,
      kind: 'thin',
      accessModeLimit: 'ReadWrite',
      attachedToAll: false,
      attachments: [{ hostId: one, accessMode: 'ReadWrite', limitIops: 100, limitBandwidthKiBps: 2048 }],
    });
    expect(Math.abs((volume?.createdAtSeconds ?? 0) - Date.now() / 1000)).toBeLessThan(60);

    await gateway.detachVolume(id, one, soon());
    expect(calls()).toEqual([`POST /api/instances/Volume::${id}/action/removeMappedSdc`]);
    await gateway.growVolume(id, 24 * GIB, soon());
    expect((await gateway.getVolume(id, soon()))?.sizeKiB).toBe(24 * GIB);
    calls();
    await gateway.removeVolume(id, soon());
    expect(calls()).toEqual([`POST /api/instances/Volume::${id}/action/removeVolume`]);
    expect(await gateway.getVolume(id, soon())).toBeUndefined();
    expect(await gateway.findVolumeId('docker-db' as ArrayName, soon())).toBeUndefined();
  });

  test('identity, SDCs and pools', async () => {
    const { simulator, gateway, calls } = await simulated({ version, gateways: gateways(tls) });
    const { one } = await twoSdcs(simulator);
    expect(await gateway.identity(soon())).toEqual({
      systemId: simulator.systemId,
      name: 'simulated',
      version,
      capabilities: {
        grainKiB: 8 * GIB,
        readOnlyLimit: version !== '2.6',
        secureSnapshots: version !== '2.6',
        snapshotPolicies: version !== '2.6',
      },
    });
    expect(calls()).toEqual([]);
    const sdc = await gateway.findHost('11111111-1111-1111-1111-111111111111', soon());
    expect(sdc).toMatchObject({ id: one, address: '10.0.0.1', isApproved: true, state: 'connected' });
    expect(await gateway.getHost(one, soon())).toEqual(sdc);
    expect(calls()).toHaveLength(2);
    const pool = await somePool(gateway);
    expect(pool).toMatchObject({ name: 'sp1', domainName: 'pd1', zeroPadding: true });
    expect(await gateway.describePool(pool.id, soon())).toEqual(pool);
    expect(calls()).toHaveLength(2);
    await expect(gateway.findPool({ pool: 'sp2', domain: 'pd1' }, soon())).rejects.toThrow(
      'no storage pool "sp2" in protection domain "pd1"; did you mean "sp1"?',
    );
  });
});

describe.each(VERSIONS)('version %s', (version) => {
  test('what is done already is success; what another holds or has is refused with its meaning', async () => {
    const { simulator, gateway, calls } = await simulated({ version });
    const { one, two } = await twoSdcs(simulator);
    const wanted = await newVolume(gateway, 'docker-db');
    const id = await gateway.createVolume(wanted, soon());
    const map = { volumeId: id, hostId: one, readOnly: false };
    await gateway.attachVolume(map, soon());
    calls();
    await gateway.attachVolume(map, soon());
    await gateway.detachVolume(id, two, soon());
    // Each refused, and then seen to be so.
    expect(calls()).toHaveLength(4);
    const refused = expect.objectContaining({ code: 'GATEWAY_REJECTED' }) as object;
    await expect(gateway.attachVolume({ ...map, hostId: two }, soon())).rejects.toMatchObject({
      refusal: 'held-by-another',
    });
    await expect(gateway.removeVolume(id, soon())).rejects.toMatchObject({ refusal: 'still-attached' });
    await expect(gateway.createVolume(wanted, soon())).rejects.toMatchObject({ refusal: 'name-in-use' });
    await expect(gateway.createVolume(wanted, soon())).rejects.toEqual(refused);
    const other = await gateway.createVolume(await newVolume(gateway, 'docker-x'), soon());
    await expect(gateway.renameVolume(other, 'docker-db' as ArrayName, soon())).rejects.toMatchObject({
      refusal: 'name-in-use',
    });
    await expect(gateway.growVolume(id, 8 * GIB, soon())).rejects.toBeInstanceOf(GatewayRejectedError);
    await expect(gateway.growVolume(id, 17 * GIB, soon())).rejects.toMatchObject({
      httpStatus: 400,
      arrayCode: 0,
    });
    expect((await gateway.getVolume(id, soon()))?.attachments.map(({ hostId }) => hostId)).toEqual([one]);
    await gateway.removeVolume(other, soon());
    await gateway.removeVolume(other, soon());
    await gateway.detachVolume(other, one, soon());
  });

  test('reading only: shared by many, or refused where the array cannot', async () => {
    const { simulator, gateway } = await simulated({ version });
    const { one, two } = await twoSdcs(simulator);
    const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
    if (version === '2.6') {
      await expect(gateway.limitToReadOnly(id, soon())).rejects.toBeInstanceOf(InvalidRequestError);
      return;
    }
    await gateway.limitToReadOnly(id, soon());
    for (const hostId of [one, two])
      await gateway.attachVolume({ volumeId: id, hostId, readOnly: true }, soon());
    const volume = await gateway.getVolume(id, soon());
    expect(volume?.accessModeLimit).toBe('ReadOnly');
    expect(volume?.attachments.map(({ accessMode }) => accessMode)).toEqual(['ReadOnly', 'ReadOnly']);
  });

  test('the I/O of a volume is what its SDC reports, and fades', async () => {
    let now = Date.now();
    const { simulator, gateway, calls } = await simulated({ version, now: () => now });
    const { one } = await twoSdcs(simulator);
    const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
    expect(await gateway.recentIo(id, soon())).toBe(0);
    simulator.array.io.add(one, [
      { volumeId: id, readKiB: 8, reads: 2, writeKiB: 12, writes: 3, seconds: 1 },
    ]);
    calls();
    expect(await gateway.recentIo(id, soon())).toBe(5);
    expect(calls()).toEqual([`GET /api/instances/Volume::${id}/relationships/Statistics`]);
    now += 60_000;
    expect(await gateway.recentIo(id, soon())).toBe(0);
  });

  test('snapshots are volumes of the same VTree', async () => {
    const { gateway, calls } = await simulated({ version });
    const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
    calls();
    const snapshot = await gateway.snapshotVolume(id, 'docker-db~1' as ArrayName, soon());
    expect(calls()).toHaveLength(1);
    const found = await gateway.getVolume(snapshot, soon());
    expect(found).toMatchObject({ kind: 'snapshot', ancestorId: id, accessModeLimit: 'ReadWrite' });
    calls();
    const family = await gateway.volumesOfFamily(found ?? { id, familyId: null }, soon());
    expect(family.map((volume) => volume.id).toSorted()).toEqual([id, snapshot].toSorted());
    expect(calls()).toHaveLength(1);
    await expect(gateway.snapshotVolume(id, 'docker-db~1' as ArrayName, soon())).rejects.toMatchObject({
      refusal: 'name-in-use',
    });
  });

  test('many volumes: listed, read by id, by SDC', async () => {
    const { simulator, gateway, calls } = await simulated({ version });
    const { one } = await twoSdcs(simulator);
    const seeded = (await simulator.seed({ count: 300, prefix: 'other-' })) as VolumeId[];
    const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
    await gateway.attachVolume({ volumeId: id, hostId: one, readOnly: false }, soon());
    calls();
    const listed = await gateway.listVolumes((name) => name.startsWith('docker-'), soon());
    expect(listed.map(({ name }) => name)).toEqual(['docker-db']);
    expect(await gateway.listVolumes(() => true, soon())).toHaveLength(301);
    expect((await gateway.volumesOfHost(one, soon())).map((volume) => volume.id)).toEqual([id]);
    expect(calls()).toHaveLength(3);
    expect(await gateway.getVolumes([...seeded.slice(0, 50), id], soon())).toHaveLength(51);
    expect(calls()).toHaveLength(1);
    const gone = 'ffffffff00000000' as VolumeId;
    expect((await gateway.getVolumes([id, gone], soon())).map((volume) => volume.id)).toEqual([id]);
    expect(calls().length).toBeLessThanOrEqual(2);
  });

  test('a full pool, an unknown pool and a wrong password have their own errors', async () => {
    const { simulator, gateway } = await simulated({
      version,
      domains: [{ name: 'pd1', pools: [{ name: 'sp1', deviceGiB: 100 }] }],
    });
    const wanted = await newVolume(gateway, 'docker-db');
    const huge = { ...wanted, sizeKiB: 100_000 * GIB, provisioning: 'thick' as const };
    await expect(gateway.createVolume(huge, soon())).rejects.toBeInstanceOf(CapacityError);
    const nowhere = { ...wanted, pool: { ...wanted.pool, id: 'ffffffff00000000' as PoolId } };
    await expect(gateway.createVolume(nowhere, soon())).rejects.toBeInstanceOf(GatewayRejectedError);
    const long = { ...wanted, name: 'x'.repeat(32) as ArrayName };
    await expect(gateway.createVolume(long, soon())).rejects.toMatchObject({ arrayCode: 226 });
    const { gateway: stranger } = await simulated(
      { version },
      { password: 'wrong', endpoints: simulator.urls },
    );
    await expect(stranger.identity(soon())).rejects.toBeInstanceOf(GatewayAuthError);
  });

  test('tokens that were revoked or have expired are renewed without anybody noticing', async () => {
    const { simulator, gateway } = await simulated({ version });
    const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
    for (let time = 0; time < 3; time += 1) {
      simulator.sessions.revokeAll();
      const volumes = await Promise.all(Array.from({ length: 20 }, () => gateway.getVolume(id, soon())));
      expect(volumes.every((volume) => volume?.id === id)).toBe(true);
    }
    simulator.sessions.revokeAll();
    await gateway.removeVolume(id, soon());
    const logins = simulator.requests.all().filter(({ path }) => path === '/api/login');
    expect(logins).toHaveLength(5);
  });
});
