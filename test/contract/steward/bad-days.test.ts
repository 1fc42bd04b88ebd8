import { describe, expect, test, vi } from 'vitest';
import {
  createSds,
  plugDisk,
  removeSds,
  setDeviceFailed,
  setSdsConnected,
} from 'scaleio-simulator/operations';
import { MINUTE, Recorded, rounds, spare, stewarded, TIB } from './scene.ts';

/** On a machine with much else to do. */
const PATIENT = { timeout: 20_000 };

type World = Awaited<ReturnType<typeof stewarded>>;

/** Describes the spare disks of every SDS, so that the array looks at what it is given. */
async function plugSpares({ simulator }: World, broken: Readonly<Record<number, 'open' | 'write'>>) {
  const sdss = [...simulator.array.cluster.state.sdss.values()];
  await simulator.array.perform((cluster) => {
    for (let number = 1; number <= 6; number += 1) {
      const sdsId = sdss[(number - 1) % 3]?.id ?? '';
      const disk = { sdsId, path: spare(number), sizeKiB: 4 * TIB, holds: null };
      plugDisk(cluster, { ...disk, broken: broken[number] ?? null });
    }
  });
}

test('the gateway is away for hours: said once, nothing done, and all goes on by itself when it is back', async () => {
  const world = await stewarded();
  const { clock, simulator, fill, steward, added } = world;
  const webhooks = new Recorded();
  const { steward: one, alerts } = steward({ webhooks });
  await fill(50);
  await rounds(clock, 3, one);
  await fill(98);
  await simulator.gateways[0]?.down();
  await rounds(clock, 300, one);
  await alerts.settled();
  expect(webhooks.alerts.map(({ kind, level }) => [kind, level])).toEqual([['blind', 'unknown']]);
  const blind = one.snapshot();
  expect(blind).toMatchObject({ reachable: false, failure: expect.stringContaining('no gateway') as string });
  expect(blind.ageMs).toBeGreaterThan(299 * MINUTE);
  expect(blind.pools[0]?.usedPercent).toBeCloseTo(50, 3);
  await simulator.gateways[0]?.up();
  expect(added()).toEqual([]);
  await rounds(clock, 20, one);
  await alerts.settled();
  expect(webhooks.alerts.slice(1).map(({ kind, level }) => [kind, level])).toEqual([
    ['blind', 'ok'],
    ['level', 'critical'],
    ['level', 'ok'],
  ]);
  expect(one.snapshot()).toMatchObject({ reachable: true, failure: null });
  expect(added()).toEqual([spare(1)]);
});

test('one blip of the gateway is not told to people', async () => {
  const { clock, simulator, steward } = await stewarded();
  const webhooks = new Recorded();
  const { steward: one, alerts } = steward({ webhooks });
  await rounds(clock, 2, one);
  await simulator.gateways[0]?.down();
  await rounds(clock, 2, one);
  await simulator.gateways[0]?.up();
  await rounds(clock, 2, one);
  await alerts.settled();
  expect(webhooks.alerts).toEqual([]);
});

describe('statistics that do not add up', () => {
  const wrong = { capacityLimitInKb: 12 * TIB, spareCapacityInKb: TIB, unusedCapacityInKb: TIB };
  test.each([
    ['used, spare and unused are not the limit', { ...wrong, capacityInUseInKb: TIB }],
    ['more used than there is', { ...wrong, capacityInUseInKb: 13 * TIB }],
    ['nothing there, and much of it used', { ...wrong, capacityLimitInKb: 0, capacityInUseInKb: TIB }],
  ])('%s: the level is unknown, nothing is done or told, until they do again', async (_, numbers) => {
    const { clock, simulator, fill, steward, added, poolId } = await stewarded();
    await fill(98);
    const webhooks = new Recorded();
    const { steward: one, alerts } = steward({ webhooks });
    await rounds(clock, 1, one);
    const zero = Object.fromEntries(
      'failed degradedHealthy degradedFailed inMaintenance unreachableUnused fwdRebuild bckRebuild normRebuild rebalance'
        .split(' ')
        .map((what) => [`${what}CapacityInKb`, 0]),
    );
    const body = { [poolId]: { ...zero, ...numbers } };
    simulator.faults.add({ kind: 'error', path: 'querySelectedStatistics', status: 200, body });
    await rounds(clock, 30, one);
    await alerts.settled();
    expect(one.snapshot().pools[0]).toMatchObject({ level: 'unknown' });
    expect(one.snapshot().pools[0]?.contradiction).toBeDefined();
    expect(webhooks.alerts).toHaveLength(1);
    expect(added()).toEqual([]);
    simulator.faults.clear();
    await rounds(clock, 1, one);
    expect(one.snapshot().pools[0]).toMatchObject({ level: 'critical', contradiction: undefined });
    await rounds(clock, 8, one);
    expect(added()).toEqual([spare(1)]);
  });

  test('a reply that leaves out what is degraded is no reading at all', async () => {
    const { clock, simulator, fill, steward, added, poolId } = await stewarded();
    await fill(98);
    const body = { [poolId]: { ...wrong, capacityInUseInKb: 10 * TIB } };
    simulator.faults.add({ kind: 'error', path: 'querySelectedStatistics', status: 200, body });
    const { steward: one } = steward();
    await rounds(clock, 20, one);
    expect(one.snapshot()).toMatchObject({ reachable: false, pools: [] });
    expect(added()).toEqual([]);
  });
});

describe('a disk', () => {
  test('that fails while it is added stops growth until it is dealt with', async () => {
    const world = await stewarded();
    const { clock, fill, simulator, steward, devices } = world;
    await fill(98);
    await plugSpares(world, { 1: 'write' });
    const { steward: one, audit } = steward();
    await rounds(clock, 60, one);
    expect(devices()).toHaveLength(4);
    expect(audit.last.at(-1)).toMatchObject({ action: 'grow', outcome: 'blocked' });
    expect(audit.last.at(-1)?.why).toContain('is Error');
    const bad = devices().find(({ failed }) => failed);
    await simulator.array.perform((cluster) => {
      setDeviceFailed(cluster, bad?.id ?? '', false);
    });
    await rounds(clock, 60, one);
    expect(one.snapshot().pools[0]).toMatchObject({ level: 'ok', growth: null });
  });

  test('that cannot be opened is left alone, and the next one is added after the cool-down', async () => {
    const world = await stewarded();
    const { clock, fill, steward, added } = world;
    await fill(98);
    await plugSpares(world, { 1: 'open' });
    const { steward: one, audit } = steward();
    await rounds(clock, 30, one);
    expect(added()).toEqual([spare(2)]);
    const grown = audit.last.filter(({ action }) => action === 'grow');
    expect(grown.filter(({ outcome }) => outcome === 'failed')).toHaveLength(1);
    expect(grown.find(({ outcome }) => outcome === 'failed')?.why).toContain('could not be opened');
  });

  test('whose addition nobody answers is added once, and the cool-down is kept', async () => {
    const { clock, fill, simulator, steward, added } = await stewarded();
    await fill(98);
    simulator.faults.add({ kind: 'reply-lost', method: 'POST', path: 'types/Device/instances$', count: 1 });
    await rounds(clock, 20, steward().steward);
    expect(added()).toEqual([spare(1)]);
  });
});

describe('an SDS', () => {
  test('that is removed between the look and the change: nothing is added to it, the next one gets it', async () => {
    const { clock, fill, simulator, steward, devices, added } = await stewarded();
    await fill(98);
    const { state } = simulator.array.cluster;
    const domainId = [...state.domains.values()][0]?.id ?? '';
    const extra = await simulator.array.perform((cluster) =>
      createSds(cluster, { name: 'extra', domainId, ips: [{ ip: '10.9.9.9', role: 'all' }] }),
    );
    const { steward: one, audit } = steward({
      grow: {
        devices: [
          { sds: 'extra', path: spare(40) },
          { sds: 'pd1-sds2', path: spare(2) },
        ],
      },
    });
    await rounds(clock, 6, one);
    clock.duringSleep = () =>
      simulator.array.perform((cluster) => {
        removeSds(cluster, extra.id);
      });
    await rounds(clock, 30, one);
    expect(devices()).toHaveLength(4);
    expect(added()).toEqual([spare(2)]);
    expect(audit.last.some(({ why }) => why.includes(spare(40)))).toBe(false);
  });

  test('that fails meanwhile: growth waits for the rebuild, and for the SDS', async () => {
    const { clock, fill, simulator, steward, added } = await stewarded();
    await fill(60);
    const { steward: one, audit } = steward({ grow: { above: 55 } });
    const [sds] = simulator.array.cluster.state.sdss.values();
    const connect = (connected: boolean) =>
      simulator.array.perform((cluster) => {
        setSdsConnected(cluster, sds?.id ?? '', connected);
      });
    await rounds(clock, 4, one);
    await connect(false);
    await rounds(clock, 60, one);
    expect(added()).toEqual([]);
    const blocks = audit.last.filter(({ outcome }) => outcome === 'blocked').map(({ why }) => why);
    expect(blocks.join()).toContain('a rebuild is under way');
    expect(blocks.join()).toContain('is Disconnected');
    await connect(true);
    await rounds(clock, 30, one);
    expect(added()).toEqual([spare(1)]);
  });
});

describe('a webhook', () => {
  test('that hangs delays neither the watch nor growth, and does not keep the steward from ending', async () => {
    const hanging = {
      post: (_: object, __: object, signal: AbortSignal) =>
        new Promise<string>((___, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        }),
    };
    const { clock, fill, steward, added } = await stewarded();
    await fill(98);
    const { steward: one, alerts } = steward({ webhooks: hanging });
    await rounds(clock, 20, one);
    expect(added()).toEqual([spare(1)]);
    await alerts.stop();
  });

  test('that fails is tried again with growing pauses, then given up and said so', async () => {
    const world = await stewarded();
    const at: number[] = [];
    const failing = {
      post: () => {
        at.push(world.clock.elapsed());
        return Promise.reject(new Error('HTTP 503'));
      },
    };
    await world.fill(98);
    const { steward: one, alerts, audit } = world.steward({ webhooks: failing });
    await rounds(world.clock, 1, one);
    await alerts.settled();
    expect(at).toHaveLength(5);
    await vi.waitFor(() => {
      expect(audit.last.filter(({ action }) => action === 'alert')).toMatchObject([
        { outcome: 'failed', target: 'webhook "alerts.example.com"' },
      ]);
    }, PATIENT);
  });
});

test('a level is told once, again when it lasts, and its end when use has fallen some points below it', async () => {
  const { clock, fill, steward, lines } = { ...(await stewarded()), lines: [] };
  const webhooks = new Recorded();
  const { steward: one, alerts } = steward({ act: false, webhooks });
  for (const percent of [79, 81, 79, 81, 79]) {
    await fill(percent);
    await rounds(clock, 5, one);
  }
  await rounds(clock, 360, one);
  await fill(77);
  await rounds(clock, 5, one);
  await alerts.settled();
  expect(webhooks.alerts.map(({ kind, level }) => `${kind} ${level}`)).toEqual([
    'level warn',
    'reminder warn',
    'level ok',
  ]);
  expect(lines).toEqual([]);
});

test.each([
  ['ahead by ten years', 10 * 365 * 24 * 60 * MINUTE],
  ['back by ten years', -10 * 365 * 24 * 60 * MINUTE],
])('a clock that jumps %s hurries nothing and stops nothing', async (_, jumpMs) => {
  const { clock, fill, steward, added } = await stewarded();
  await fill(98);
  const webhooks = new Recorded();
  const { steward: one, alerts } = steward({ webhooks });
  await rounds(clock, 3, one);
  clock.jump(jumpMs);
  await rounds(clock, 2, one);
  expect(added()).toEqual([]);
  await rounds(clock, 4, one);
  expect(added()).toEqual([spare(1)]);
  await rounds(clock, 20, one);
  await alerts.settled();
  expect(webhooks.alerts.map(({ level }) => level)).toEqual(['critical', 'ok']);
  expect(one.snapshot().pools[0]?.forecast.kind).toBe('unknown');
});
