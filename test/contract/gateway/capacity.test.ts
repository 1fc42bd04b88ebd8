import { describe, expect, test } from 'vitest';
import type { NewDevice } from '../../../src/array/pool.ts';
import { GatewayRejectedError } from '../../../src/errors.ts';
import { fillPool, plugDisk, setDeviceFailed, setSdsConnected } from 'scaleio-simulator/operations';
import { GIB, simulated, soon } from './simulated.ts';

const TIB = 1024 * GIB;
const path = '/dev/disk/by-id/spare-1';

async function scene(options: Parameters<typeof simulated>[0] = {}) {
  const given = await simulated({ movementKiBPerSecond: GIB, ...options });
  const { gateway, simulator } = given;
  const first = await gateway.capacity.readCluster(soon());
  const [pool, sds] = [first.pools[0], first.sdss[0]];
  if (pool === undefined || sds === undefined) throw new Error('nothing there');
  const device: NewDevice = { poolId: pool.id, sdsId: sds.id, path, name: 'steward-1' };
  const plug = (disk: { holds?: string; broken?: 'open' | 'write' } = {}, at = path) =>
    simulator.array.perform((cluster) => {
      const { holds = null, broken = null } = disk;
      plugDisk(cluster, { sdsId: sds.id, path: at, sizeKiB: 4 * TIB, holds, broken });
    });
  const devices = async () => (await gateway.capacity.readCluster(soon())).devices;
  return { ...given, array: gateway.capacity, first, pool, sds, device, plug, devices };
}

describe.each(['2.6', '3.6', '4.5'] as const)('version %s', (version) => {
  test('the whole cluster is read in five calls, and its numbers add up', async () => {
    const { array, pool, simulator, calls } = await scene({ version });
    await fillPool(simulator.array, pool.id, 98);
    calls();
    const { pools, sdss, devices } = await array.readCluster(soon());
    expect(calls()).toHaveLength(5);
    const { capacity } = pools[0] ?? pool;
    expect(capacity.limitKiB).toBe(12 * TIB);
    expect(capacity.usedKiB + capacity.spareKiB + capacity.unusedKiB).toBe(capacity.limitKiB);
    expect(capacity.usedKiB / (capacity.limitKiB - capacity.spareKiB)).toBeCloseTo(0.98, 6);
    expect(sdss.map(({ trouble }) => trouble)).toEqual([undefined, undefined, undefined]);
    expect(devices.map(({ paths, trouble }) => [paths.includes('/dev/sdb'), trouble])).toEqual(
      Array.from({ length: 3 }, () => [true, undefined]),
    );
  });

  test('an array that refuses the short form of statistics is read the long way', async () => {
    const { array, simulator, pool, calls } = await scene({ version });
    const body = { message: 'unknown property', httpStatusCode: 400, errorCode: 0 };
    simulator.faults.add({ kind: 'error', path: 'querySelectedStatistics', status: 400, body });
    expect((await array.readCluster(soon())).pools[0]?.capacity).toEqual(pool.capacity);
    calls();
    await array.readCluster(soon());
    expect(calls().filter((call) => call.includes('Statistics'))).toHaveLength(1);
  });

  test('a device is added once, also when the reply is lost', async () => {
    const { array, simulator, device, devices } = await scene({ version });
    simulator.faults.add({ kind: 'reply-lost', method: 'POST', path: 'types/Device/instances$', count: 1 });
    const id = await array.addDevice(device, soon());
    const added = (await devices()).filter(({ name }) => name === 'steward-1');
    expect(added).toMatchObject([{ id, sdsId: device.sdsId, poolId: device.poolId, paths: [path, path] }]);
  });
});

test('what is wrong with a pool, an SDS, a device is told', async () => {
  const { array, simulator, pool, sds, first } = await scene();
  await fillPool(simulator.array, pool.id, 50);
  const [, , third] = first.devices;
  await simulator.array.perform((cluster) => {
    setSdsConnected(cluster, sds.id, false);
    setDeviceFailed(cluster, third?.id ?? '', true);
  });
  const seen = await array.readCluster(soon());
  expect(seen.sdss[0]?.trouble).toBe('Disconnected');
  expect(seen.devices[2]?.trouble).toBe('Error');
  expect(seen.pools[0]?.capacity.degradedKiB).toBeGreaterThan(TIB);
  expect(seen.pools[0]?.capacity.rebuildKiB).toBeGreaterThan(TIB);
});

describe('the array refuses', () => {
  const refusedWith = (arrayCode: number) => expect.objectContaining({ arrayCode }) as GatewayRejectedError;

  test('the same disk twice: by name, and by path', async () => {
    const { array, device, devices } = await scene();
    await array.addDevice(device, soon());
    await expect(array.addDevice({ ...device, path: '/dev/disk/by-id/other' }, soon())).rejects.toMatchObject(
      {
        refusal: 'disk-taken',
      },
    );
    await expect(array.addDevice({ ...device, name: 'other' }, soon())).rejects.toBeInstanceOf(
      GatewayRejectedError,
    );
    expect(await devices()).toHaveLength(4);
  });

  test.each([
    ['a disk that holds something', { holds: 'ext4' }, 909],
    ['a disk that cannot be opened', { broken: 'open' }, 71],
  ] as const)('%s', async (_, disk, code) => {
    const { array, device, plug, devices } = await scene();
    await plug(disk);
    await expect(array.addDevice(device, soon())).rejects.toEqual(refusedWith(code));
    expect(await devices()).toHaveLength(3);
  });

  test('a path without a disk', async () => {
    const { array, device, plug } = await scene();
    await plug({}, '/dev/disk/by-id/spare-2');
    await expect(array.addDevice(device, soon())).rejects.toEqual(refusedWith(71));
  });
});

test('a disk that fails while it is added is a device in trouble', async () => {
  const { array, device, plug, devices } = await scene();
  await plug({ broken: 'write' });
  const id = await array.addDevice(device, soon());
  expect((await devices()).find((found) => found.id === id)?.trouble).toBe('Error');
});
