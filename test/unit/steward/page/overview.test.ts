import { describe, expect, it } from 'vitest';
import type { StewardSnapshot } from '../../../../src/steward/steward.ts';
import type { ArrayHost } from '../../../../src/array/host.ts';
import type { ArrayVolume } from '../../../../src/array/volume.ts';
import { overviewOf, type OverviewSources } from '../../../../src/steward/page/overview.ts';
import { arrayViewOf } from '../../../../src/steward/page/array-view.ts';
import type { VolumeOrder } from '../../../../src/steward/page/page-data.ts';
import { device, sds, TIB } from '../capacity/cluster.ts';
import { POOL, sdc, snapshot, START, volume } from './scene.ts';

const CURRENT = { readAt: null, state: 'current', failure: null } as const;

function sources(
  volumes: readonly ArrayVolume[],
  sdcs: readonly ArrayHost[],
  steward: Partial<StewardSnapshot> = {},
  busy: Readonly<Record<string, number>> = {},
): OverviewSources {
  const first = arrayViewOf('docker-', { volumes: [], hosts: [] }, START, undefined);
  const sighting = arrayViewOf('docker-', { volumes, hosts: sdcs }, START + 1000, first);
  return {
    snapshot: () => snapshot(steward),
    watch: { sighting, revision: 7, freshness: () => CURRENT, timeline: () => [], movesOf: () => [] },
    io: {
      revision: 0,
      nowOf: (id) => {
        const iops = busy[id];
        return iops === undefined ? undefined : { iops, kibPerSecond: 4 * iops };
      },
    },
    now: () => START + 5000,
    prefix: 'docker-',
    intervalMs: 60_000,
  };
}

const ask = (from: OverviewSources, search = '', limit = 200, order: VolumeOrder = 'name') =>
  overviewOf(from, { search, limit, order });

describe('the overview', () => {
  it('shows pools with what is used, committed and spare, and when they will be full', () => {
    const { pools, systemId, acts } = ask(sources([], []));
    expect({ systemId, acts }).toEqual({ systemId: 'sys1', acts: false });
    expect(pools).toEqual([
      expect.objectContaining({
        name: 'sp1',
        domain: 'pd1',
        usedPercent: 50,
        level: 'ok',
        health: [],
        contradiction: null,
        committedKiB: 9000 * 1024 ** 2,
        forecast: { kind: 'full', at: new Date(START + 86_400_000).toISOString(), kibPerDay: 1024 ** 2 },
      }),
    ]);
  });

  it('shows what the trash holds of a pool, once that was read', () => {
    const of = (more: Partial<StewardSnapshot>) => ask(sources([], [], more)).pools[0]?.trash;
    expect(of({})).toBeNull();
    expect(of({ trash: [] })).toEqual({ volumes: 0, sizeKiB: 0 });
    const held = { volumes: 2, sizeKiB: 8 };
    expect(of({ trash: [{ poolId: POOL, ...held }] })).toEqual(held);
  });

  it('says what is wrong with a pool in words', () => {
    const [pool] = snapshot().pools;
    if (pool === undefined) throw new Error('no pool');
    const capacity = { ...pool.reading.capacity, degradedKiB: 1024 ** 2, rebuildKiB: 2 * 1024 ** 2 };
    const ill = {
      ...pool,
      reading: { ...pool.reading, capacity },
      health: { impaired: true, rebuilding: true, rebalancing: false },
    };
    expect(ask(sources([], [], { pools: [ill] })).pools[0]?.health).toEqual([
      '1 GiB degraded (one healthy copy)',
      'rebuilding, 2 GiB left',
    ]);
  });

  it('shows how far a rebuild has come, and calls the array by its name', () => {
    const [pool] = snapshot().pools;
    if (pool === undefined) throw new Error('no pool');
    const rebuild = { leftKiB: 250, ofKiB: 1000 };
    const { pools, systemName } = ask(sources([], [], { pools: [{ ...pool, rebuild }] }));
    expect(pools).toMatchObject([{ rebuild: { leftKiB: 250, percent: 75 }, rebalance: null }]);
    expect(systemName).toBe('array one');
  });

  it('shows servers with their devices, and first those in trouble', () => {
    const sdss = [sds(1), sds(10), sds(2, { trouble: 'Disconnected' }), sds(3)];
    const devices = [
      ...[device(1), device(2)],
      device(3, { trouble: 'Error', poolId: POOL }),
      device(4, { sdsId: sds(1).id, name: 'fast', poolId: null }),
    ];
    const { servers } = ask(sources([], [], { sdss, devices }), '', 3);
    expect(servers).toMatchObject({ total: 4, troubled: 1, devices: 4, troubledDevices: 1 });
    expect(servers.shown.map(({ name }) => name)).toEqual(['sds2', 'sds3', 'sds1']);
    expect(servers.shown.map(({ trouble }) => trouble)).toEqual(['Disconnected', null, null]);
    expect(servers.shown[1]?.shownDevices).toMatchObject([{ trouble: 'Error', pool: 'pd1/sp1' }]);
    expect(servers.shown[2]).toMatchObject({
      devices: 2,
      limitKiB: 8 * TIB,
      shownDevices: [
        { name: '/dev/disk/by-id/first-1', trouble: null },
        { name: 'fast', pool: null },
      ],
    });
  });

  it('shows of a server with very many devices those in trouble', () => {
    const many = Array.from({ length: 100 }, (_, index) =>
      device(index, { sdsId: sds(1).id, trouble: index === 99 ? 'Error' : undefined }),
    );
    const { servers } = ask(sources([], [], { sdss: [sds(1)], devices: many }));
    expect(servers.shown[0]).toMatchObject({ devices: 100, troubledDevices: 1 });
    expect(servers.shown[0]?.shownDevices).toHaveLength(32);
    expect(servers.shown[0]?.shownDevices[0]?.trouble).toBe('Error');
  });

  it('does not say of a host what the array does not say', () => {
    const { volumes, hosts } = ask(sources([volume('db', ['host1'])], [sdc('host1', { state: 'unknown' })]));
    expect(volumes.shown[0]?.holders).toMatchObject([{ isConnected: null }]);
    expect(volumes.atRisk).toBe(0);
    expect(hosts).toMatchObject({ disconnected: 0, shown: [{ isConnected: null }] });
  });

  it('shows volumes with holder, its state, since when, and limits', () => {
    const limited = volume('db', ['host1']);
    const attachments = limited.attachments.map((one) => ({
      ...one,
      limitIops: 500,
      limitBandwidthKiBps: 10_240,
    }));
    const lost = [sdc('host1', { state: 'disconnected' })];
    const { volumes, hosts } = ask(sources([{ ...limited, attachments }, volume('free')], lost));
    expect(volumes).toMatchObject({ total: 2, matching: 2, attached: 1, atRisk: 1 });
    expect(volumes.shown.map(({ name }) => name)).toEqual(['db', 'free']);
    expect(volumes.shown[0]).toMatchObject({ pool: 'pd1/sp1', sizeKiB: 8 * 1024 ** 2 });
    expect(volumes.shown[0]?.holders).toEqual([
      {
        sdcId: 'sdc of host1',
        label: 'host1',
        ip: '10.0.0.1',
        isConnected: false,
        isLastKnown: false,
        since: new Date(START + 1000).toISOString(),
        limitIops: 500,
        limitBwKiBs: 10_240,
      },
    ]);
    expect(hosts).toMatchObject({ total: 1, disconnected: 1, shown: [{ label: 'host1', volumes: 1 }] });
  });

  it('does not claim to know the state of an SDC that the array does not list', () => {
    const { volumes } = ask(sources([volume('db', ['ghost'])], []));
    expect(volumes.shown[0]?.holders[0]).toMatchObject({ label: 'SDC sdc of ghost', isConnected: null });
    expect(volumes.atRisk).toBe(0);
  });

  it('shows a long name as the array has it, without the prefix', () => {
    const name = 'docker-averylong~abcdefghijklm2';
    const long = volume('long', [], { name: name.padEnd(31, 'x') });
    const hashed = volume('hashed', [], { name: `docker-averylongb~${'a2'.repeat(6)}a` });
    expect(ask(sources([long, hashed], [])).volumes.shown.map((one) => one.name)).toEqual([
      `averylongb~${'a2'.repeat(6)}a`,
    ]);
  });

  it('counts numbers in names as numbers', () => {
    const names = ['db10', 'db9', 'app'].map((name) => volume(name));
    expect(ask(sources(names, [])).volumes.shown.map(({ name }) => name)).toEqual(['app', 'db9', 'db10']);
  });

  it('shows first what is asked for first, and those alike by name', () => {
    const all = [
      volume('a', ['host1']),
      volume('b', [], { sizeKiB: 16 * 1024 ** 2, createdAtSeconds: null }),
      volume('c', ['away'], { createdAtSeconds: START / 1000 + 60 }),
      volume('d', ['host1', 'away'], { sizeKiB: 24 * 1024 ** 2 }),
    ];
    const busy = { 'id of b': 3, 'id of d': 0, 'id of a': 700 };
    const from = sources(all, [sdc('host1'), sdc('away', { state: 'disconnected' })], {}, busy);
    const first = (order: VolumeOrder) => ask(from, '', 3, order).volumes.shown.map(({ name }) => name);
    expect(first('name')).toEqual(['a', 'b', 'c']);
    expect(first('trouble')).toEqual(['c', 'd', 'a']);
    expect(first('io')).toEqual(['a', 'b', 'd']);
    expect(first('size')).toEqual(['d', 'b', 'a']);
    expect(first('newest')).toEqual(['c', 'a', 'd']);
    const { shown } = ask(from).volumes;
    expect(shown.map(({ io }) => io)).toEqual([
      { iops: 700, kibPerSecond: 2800 },
      { iops: 3, kibPerSecond: 12 },
      null,
      { iops: 0, kibPerSecond: 0 },
    ]);
  });

  it('finds volumes by name, pool and holder, all words together, and shows the first of many', () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      volume(`v${index}`, index % 2 === 0 ? ['host1'] : ['host2']),
    );
    const from = sources(many, [sdc('host1'), sdc('host2')]);
    expect(ask(from).volumes).toMatchObject({ total: 10_000, matching: 10_000, attached: 10_000 });
    expect(ask(from).volumes.shown).toHaveLength(200);
    const matching = (search: string): number => ask(from, search).volumes.matching;
    expect([matching('HOST1'), matching('v999 host2'), matching(' sp1 '), matching('nothing')]).toEqual([
      5000, 6, 10_000, 0,
    ]);
  });

  it('puts hosts that hold volumes first', () => {
    const hosts = ['host1', 'host2', 'host10'].map((name) => sdc(name));
    const from = sources([volume('db', ['host10'])], hosts);
    expect(ask(from).hosts.shown.map(({ label }) => label)).toEqual(['host10', 'host1', 'host2']);
    expect(ask(from, '', 1).hosts).toMatchObject({ total: 3, shown: [{ label: 'host10' }] });
  });

  it('says how far the pools can be believed', () => {
    const state = (steward: Partial<StewardSnapshot>): string => ask(sources([], [], steward)).space.state;
    expect(state({})).toBe('current');
    expect(state({ ageMs: 200_000 })).toBe('stale');
    expect(state({ failure: 'no gateway', reachable: false })).toBe('unreachable');
    expect(state({ pools: [], readAt: null, ageMs: null, reachable: false })).toBe('waiting');
  });
});
