import { describe, expect, it, onTestFinished } from 'vitest';
import type { VolumeIo } from '../../../../src/array/copies.ts';
import type { PoolId, VolumeId } from '../../../../src/array/ids.ts';
import { GatewayUnavailableError } from '../../../../src/errors.ts';
import { arrayViewOf } from '../../../../src/steward/page/array-view.ts';
import { IoRing, KEPT_SAMPLES, sumOf } from '../../../../src/steward/page/io-ring.ts';
import { IoWatch } from '../../../../src/steward/page/io-watch.ts';
import { poolDetailOf } from '../../../../src/steward/page/pool-detail.ts';
import { FakeClock, POOL, silent, snapshot, START, volume } from './scene.ts';

const OTHER = 'pool2' as PoolId;

const io = (iops: number | null, latency: number | null = 100): VolumeIo => ({
  read: { iops, kibPerSecond: iops === null ? null : iops * 4, latencyMicroseconds: latency },
  write: { iops: 1, kibPerSecond: 8, latencyMicroseconds: null },
});

/** A watch over "db" of ours and a volume of others in one pool, and one of others in another; a test sets what the array says. */
function scene(count = 1) {
  const clock = new FakeClock();
  const ours = Array.from({ length: count }, (_, index) => volume(index === 0 ? 'db' : `v${index}`));
  const foreign = volume('foreign', [], { name: 'foreign' });
  const elsewhere = volume('elsewhere', [], { name: 'elsewhere', poolId: OTHER });
  const sighting = arrayViewOf(
    'docker-',
    { volumes: [...ours, foreign, elsewhere], hosts: [] },
    START,
    undefined,
  );
  const state: { said: ReadonlyMap<VolumeId, VolumeIo>; failure: Error | undefined; calls: number } = {
    said: new Map([
      [volume('db').id, io(100, 200)],
      [foreign.id, io(300, 1000)],
      [elsewhere.id, io(5)],
      ['gone' as VolumeId, io(7)],
    ]),
    failure: undefined,
    calls: 0,
  };
  const lines: string[] = [];
  const watch = new IoWatch({
    array: {
      ioOf: () => {
        state.calls += 1;
        return state.failure === undefined ? Promise.resolve(state.said) : Promise.reject(state.failure);
      },
    },
    clock,
    log: { ...silent, warn: (_facts, message) => lines.push(message) },
    sighting: () => sighting,
  });
  watch.start();
  onTestFinished(() => watch.stop());
  return { clock, watch, state, lines };
}

describe('the I/O of the last hour', () => {
  it('is sampled every 30 s, for each pool over all its volumes and for each volume of ours', async () => {
    const { clock, watch, state } = scene();
    await clock.pass(1000);
    expect(watch.ofPool(POOL)).toEqual({
      atSeconds: [START / 1000 + 1],
      readIops: [400],
      writeIops: [2],
      readKiBps: [1600],
      writeKiBps: [16],
      readLatencyUs: [800],
      writeLatencyUs: [null],
    });
    expect(watch.ofPool(OTHER)).toMatchObject({ readIops: [5] });
    expect(watch.ofVolume(volume('db').id)).toMatchObject({ readIops: [100], readLatencyUs: [200] });
    expect(watch.ofVolume(volume('foreign').id)).toBeUndefined();
    expect(watch.ofPools.get(POOL)?.read.iops).toBe(400);
    expect(watch.nowOf(volume('db').id)).toEqual({ iops: 101, kibPerSecond: 408 });
    expect(watch.nowOf(volume('foreign').id)).toBeUndefined();
    await clock.pass(60_000);
    expect(state.calls).toBe(3);
    expect(watch.ofPool(POOL)?.atSeconds).toEqual([1, 31, 61].map((seconds) => START / 1000 + seconds));
  });

  it('has a gap where the array could not be read, which is logged once', async () => {
    const { clock, watch, state, lines } = scene();
    await clock.pass(1000);
    state.failure = new GatewayUnavailableError('no gateway answers');
    await clock.pass(60_000);
    expect(watch.ofPools.size).toBe(0);
    expect(watch.nowOf(volume('db').id)).toBeUndefined();
    state.failure = undefined;
    await clock.pass(30_000);
    expect(watch.ofPool(POOL)?.readIops).toEqual([400, null, null, 400]);
    expect(lines).toHaveLength(1);
  });

  it('is kept of pools alone where there are very many volumes', async () => {
    const { clock, watch } = scene(2001);
    await clock.pass(1000);
    expect(watch.ofVolume(volume('db').id)).toBeUndefined();
    expect(watch.nowOf(volume('db').id)).toMatchObject({ iops: 101 });
    expect(watch.ofPool(POOL)).toMatchObject({ readIops: [400] });
  });
});

describe('the ring of samples', () => {
  it('keeps the last 120, oldest first, and forgets what is in none of them', () => {
    const ring = new IoRing<string>();
    ring.add(0, new Map([['old', io(9)]]));
    for (let at = 1; at < KEPT_SAMPLES; at += 1) ring.add(at, new Map([['pool', io(at)]]));
    expect(ring.historyOf('old', (at) => at)?.readIops.filter((value) => value !== null)).toEqual([9]);
    ring.add(KEPT_SAMPLES, new Map([['pool', io(KEPT_SAMPLES)]]));
    expect(ring.historyOf('old', (at) => at)).toBeUndefined();
    const history = ring.historyOf('pool', (at) => at);
    expect(history?.atSeconds).toEqual(Array.from({ length: KEPT_SAMPLES }, (_, index) => index + 1));
    expect(history?.readIops).toEqual(history?.atSeconds);
  });

  it('adds up what is known, and says nothing where nothing is', () => {
    expect(sumOf([io(100, 200), io(null, null), io(50, null)]).read).toEqual({
      iops: 150,
      kibPerSecond: 600,
      latencyMicroseconds: 200,
    });
    expect(sumOf([]).read).toEqual({ iops: null, kibPerSecond: null, latencyMicroseconds: null });
  });
});

describe('a pool that is opened', () => {
  it('tells its I/O, and what was used when, with the forecast', async () => {
    const { clock, watch } = scene();
    await clock.pass(1000);
    const detail = poolDetailOf(POOL, { snapshot: snapshot(), io: watch, clock });
    expect(detail).toMatchObject({
      version: 1,
      io: { readIops: [400] },
      capacity: {
        atSeconds: [START / 1000],
        usedKiB: [5400 * 1024 ** 2],
        roomKiB: 10_800 * 1024 ** 2,
        forecast: { kind: 'full', kibPerDay: 1024 ** 2 },
      },
    });
    expect(poolDetailOf('none', { snapshot: snapshot(), io: watch, clock })).toBeUndefined();
  });
});
