import { describe, expect, test } from 'vitest';
import type { NewDevice } from '../../../src/array/pool.ts';
import { soon } from '../gateway/simulated.ts';
import { MINUTE, rounds, spare, stewarded, TIB } from './scene.ts';

test('a pool at 98 % grows device by device, each after the rebalance of the last, until it is below the limit', async () => {
  const { clock, fill, steward, added, devices } = await stewarded();
  await fill(98);
  const { steward: one, audit } = steward();
  const seen: number[] = [];
  for (let minute = 0; minute < 60; minute += 1) {
    await rounds(clock, 1, one);
    const { usedPercent, health } = one.snapshot().pools[0] ?? {};
    if (health?.rebalancing === false) seen.push(usedPercent ?? 0);
  }
  expect(added()).toEqual([spare(1)]);
  expect(seen.at(0)).toBeCloseTo(98, 3);
  // 10.6 TiB of 14.4 instead of 10.8.
  expect(seen.at(-1)).toBeCloseTo(73.5, 3);
  expect(devices()).toHaveLength(4);
  expect(audit.last.filter(({ outcome }) => outcome === 'done')).toMatchObject([
    { action: 'alert' },
    { action: 'grow', target: 'pool "pd1/sp1"', why: expect.stringContaining(spare(1)) as string },
    { action: 'alert' },
  ]);
});

test('fault units grow evenly, one device at a time, never during a rebalance', async () => {
  const { clock, fill, steward, devices, simulator } = await stewarded();
  const { steward: one } = steward({ grow: { above: 50 } });
  await fill(98);
  for (let minute = 0; minute < 200; minute += 1) {
    const before = devices().length;
    const isMoving = simulator.array.cluster.state.movements.size > 0;
    await rounds(clock, 1, one);
    await simulator.array.measure();
    expect(devices().length - before).toBeLessThanOrEqual(isMoving ? 0 : 1);
    const perSds = Map.groupBy(devices(), ({ sdsId }) => sdsId);
    const counts = [...perSds.values()].map((list) => list.length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }
  expect(devices()).toHaveLength(6);
});

describe('bounds', () => {
  test('dry run, the default, changes nothing and says once what it would do', async () => {
    const { clock, fill, steward, added } = await stewarded();
    await fill(98);
    const { steward: one, audit } = steward({ act: false });
    await rounds(clock, 30, one);
    expect(added()).toEqual([]);
    const planned = audit.last.filter(({ outcome }) => outcome === 'planned');
    expect(planned).toHaveLength(1);
    expect(planned[0]?.why).toContain(`would add ${spare(1)} of SDS "pd1-sds1"`);
  });

  test.each([
    ['most devices', { maxDevices: 4 }, 4],
    ['most capacity', { maxCapacity: '20TiB' }, 5],
    ['declared disks', { devices: [{ sds: 'pd1-sds2', path: spare(2) }] }, 4],
  ])('%s', async (_, grow, count) => {
    const { clock, fill, steward, devices } = await stewarded();
    await fill(98);
    await rounds(clock, 120, steward({ grow: { above: 10, ...grow } }).steward);
    expect(devices()).toHaveLength(count);
  });

  test('a new steward waits for one cool-down, since it does not know what happened before it', async () => {
    const { clock, fill, steward, added } = await stewarded();
    await fill(98);
    const { steward: one } = steward({ grow: { cooldown: '20m' } });
    await rounds(clock, 20, one);
    expect(added()).toEqual([]);
    await rounds(clock, 3, one);
    expect(added()).toEqual([spare(1)]);
  });
});

test('a device that an operator adds starts the cool-down, too', async () => {
  const { clock, fill, steward, added, gateway, poolId, simulator } = await stewarded();
  const { steward: one } = steward({ grow: { cooldown: '20m' } });
  await fill(50);
  await rounds(clock, 30, one);
  const sdsId = [...simulator.array.cluster.state.sdss.values()][0]?.id ?? '';
  const byHand = { poolId, sdsId, path: '/dev/sdz', name: 'by-hand' } as NewDevice;
  await gateway.capacity.addDevice(byHand, soon());
  await fill(98);
  await rounds(clock, 19, one);
  expect(added()).toEqual([]);
  await rounds(clock, 5, one);
  expect(added()).toHaveLength(1);
});

describe('two stewards by accident', () => {
  const twice = async (grow: object, second: object) => {
    const world = await stewarded();
    const { clock, fill, steward, devices } = world;
    await fill(98);
    const stewards = [steward({ grow }).steward, steward({ grow: { ...grow, ...second } }).steward];
    const counts: number[] = [];
    for (let minute = 0; minute < 40; minute += 1) {
      await rounds(clock, 1, ...stewards);
      counts.push(devices().length);
    }
    return { ...world, counts };
  };

  test('with one policy, in step to the millisecond: each device is added once, no more than one would add', async () => {
    const { added } = await twice({}, {});
    expect(added()).toEqual([spare(1)]);
  });

  test('with policies that want different disks at the same instant: at most one step too far, then both wait', async () => {
    const { counts, added } = await twice({}, { devices: [{ sds: 'pd1-sds2', path: spare(2) }] });
    expect(counts.at(-1)).toBeLessThanOrEqual(5);
    expect(new Set(added()).size).toBe(added().length);
  });

  test('that race for the very same device between look and change: the array takes one', async () => {
    const { fill, gateway, devices, poolId, simulator } = await stewarded();
    await fill(98);
    const sdsId = [...simulator.array.cluster.state.sdss.values()][0]?.id ?? '';
    const device = { poolId, sdsId, path: spare(1), name: 'steward-x' } as NewDevice;
    const add = () => gateway.capacity.addDevice(device, soon());
    const both = await Promise.allSettled([add(), add()]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(devices()).toHaveLength(4);
  });
});

describe('a provider of disks', () => {
  test('is asked with a key that stays until the pool has one more device; what it names is added', async () => {
    const asked: { key: string }[] = [];
    const webhooks = {
      post: (target: { url: string }, payload: object) => {
        if (target.url.includes('alerts')) return Promise.resolve('');
        asked.push(payload as { key: string });
        const made = { sds: 'pd1-sds3', path: spare(30) };
        return Promise.resolve(JSON.stringify(asked.length < 3 ? { wait: 'disk is being made' } : made));
      },
    };
    const { clock, fill, steward, added, devices } = await stewarded();
    await fill(98);
    const provider = { url: 'http://disks.example.com', secretFile: '/run/secrets/d' };
    const { steward: one, audit } = steward({ webhooks, grow: { devices: [], provider } });
    await rounds(clock, 40, one);
    expect(added()).toEqual([spare(30)]);
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(new Set(asked.slice(0, 3).map(({ key }) => key)).size).toBe(1);
    expect(devices()).toHaveLength(4);
    expect(audit.last.map(({ why }) => why).join()).toContain('the provider says: disk is being made');
  });

  test.each([
    ['an unstable path', '{"sds":"pd1-sds1","path":"/dev/sdz"}'],
    ['no JSON', 'done'],
    ['an unknown SDS', `{"sds":"nobody","path":"${spare(9)}"}`],
  ])('that answers with %s adds nothing', async (_, answer) => {
    const { clock, fill, steward, devices } = await stewarded();
    await fill(98);
    const webhooks = { post: () => Promise.resolve(answer) };
    const provider = { url: 'http://disks.example.com', secretFile: '/run/secrets/d' };
    const { steward: one } = steward({ webhooks, grow: { devices: [], provider } });
    await rounds(clock, 20, one);
    expect(devices()).toHaveLength(3);
  });
});

test('usage that falls meanwhile ends the wish', async () => {
  const { clock, fill, steward, added } = await stewarded();
  await fill(98);
  const { steward: one } = steward({ grow: { confirm: 5, cooldown: '1s' } });
  await rounds(clock, 4, one);
  await fill(20);
  await rounds(clock, 10, one);
  expect(added()).toEqual([]);
  expect(one.snapshot().pools[0]?.reading.capacity.limitKiB).toBe(12 * TIB);
  expect(clock.elapsed()).toBeGreaterThanOrEqual(14 * MINUTE);
});
