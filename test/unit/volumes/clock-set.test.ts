import { asArrayName, asVolumeId, asSystemId } from '../../../src/array/ids.ts';
import { describe, expect, it } from 'vitest';
import { AddressWitness } from '../../../src/volumes/address-witness.ts';
import { LateRequests } from '../../../src/volumes/life/late-requests.ts';
import { LossWatch } from '../../../src/volumes/upkeep/loss-watch.ts';
import { recordedVolume, type HostVolume, type VolumeRecord } from '../../../src/volumes/host-volume.ts';
import { ProvisionalSweep } from '../../../src/volumes/upkeep/provisional-sweep.ts';
import { POLICY } from './world/life.ts';
import { World } from './world/world.ts';

/* Rule 17: whoever sets the machine's time makes nothing older or younger. */

const HOUR_MS = 3_600_000;
const BOTH_WAYS = [['back', -2 * HOUR_MS] as const, ['forward', 2 * HOUR_MS] as const];
const { graceMs, moveLimit, moveWindowMs } = POLICY.takeover;

async function hostWithVolume(options: Record<string, string> = {}) {
  const world = new World(2);
  const [one, two] = [world.host(1), world.host(2)];
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(one.life.create('db', options));
  const holders = (): string[] => [...world.volume('db').mappings.keys()];
  return { world, one, two, run, holders };
}

function entryOf(name: string, changes: Partial<VolumeRecord>): HostVolume {
  const facts = {
    systemId: asSystemId('s'),
    phase: 'mounting',
    holders: [],
    mountpoint: '/m',
    since: '',
  } as const;
  const ids = { arrayName: asArrayName(name), volumeId: asVolumeId('a1') };
  return recordedVolume({ ...facts, name, ...ids, ...changes });
}

describe.each(BOTH_WAYS)('a clock that is set %s by two hours', (_way, setByMs) => {
  it('leaves Remove its ten seconds after a Mount, and no more', async () => {
    const { world, one, run } = await hostWithVolume();
    await run(one.life.mount('db', 'leaked'));
    world.clock.setBy(setByMs);
    await world.pass(9000);
    await expect(run(one.life.remove('db'))).rejects.toThrow('a moment ago');
    await world.pass(1001);
    await run(one.life.remove('db'));
    expect(world.exists('db')).toBe(false);
  });

  it('leaves a mount whose client hung up its minute, and no more', async () => {
    const { world, one, run } = await hostWithVolume();
    const call = one.life.call();
    await run(one.life.mount('db', 'a', call));
    call.leave();
    await world.pass(0);
    world.clock.setBy(setByMs);
    await world.pass(POLICY.abandonedMountMs / 2);
    await run(one.life.reconcile());
    expect(one.kernel.mounts).toHaveLength(1);
    await world.pass(POLICY.abandonedMountMs / 2 + 1);
    await run(one.life.reconcile());
    expect(world.leaks()).toEqual([]);
  });

  it.each(['before', 'after'])(
    'leaves a mount of an earlier life, when it was set %s the start, its time from the start',
    async (when) => {
      const { world, one, run } = await hostWithVolume();
      await run(one.life.mount('db', 'a'));
      if (when === 'before') world.clock.setBy(setByMs);
      expect(one.restart().lines).toEqual([]);
      if (when === 'after') world.clock.setBy(setByMs);
      await world.pass(POLICY.inheritedMountMs - 1);
      await run(one.life.reconcile());
      expect(one.kernel.mounts).toHaveLength(1);
      await world.pass(1);
      await run(one.life.reconcile());
      expect(world.leaks()).toEqual([]);
    },
  );

  it('leaves a holder that is alive its grace to let go, and no more', async () => {
    const { world, one, two, run, holders } = await hostWithVolume({ failover: 'always' });
    await run(one.life.mount('db', 'a'));
    const began = world.clock.elapsed();
    const mounting = two.life.mount('db', 'b');
    await world.pass(graceMs / 4);
    world.clock.setBy(setByMs);
    await run(mounting);
    expect(world.clock.elapsed() - began).toBeGreaterThanOrEqual(graceMs);
    expect(world.clock.elapsed() - began).toBeLessThan(2 * graceMs);
    expect(holders()).toEqual([two.sdcId]);
    expect(two.disk.fences.at(-1)?.durationMs).toBeGreaterThanOrEqual(graceMs);
    expect(two.disk.fences.at(-1)?.durationMs).toBeLessThan(2 * graceMs);
  });

  it('neither forgets nor prolongs that a volume moved too often', async () => {
    const { world, one, two, run, holders } = await hostWithVolume({ failover: 'always' });
    await run(one.life.mount('db', 'a'));
    for (let move = 0; move < moveLimit; move += 1) {
      await run(two.life.mount('db', 'b'));
      await run(one.life.mount('db', 'a2'));
    }
    world.clock.setBy(setByMs);
    await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('move limit reached');
    await world.pass(moveWindowMs);
    await run(two.life.mount('db', 'b'));
    expect(holders()).toEqual([two.sdcId]);
  });

  it('does not change how long an Unmount waits for the kernel to let go', async () => {
    const { world, one, run } = await hostWithVolume();
    one.kernel.bind('a', await run(one.life.mount('db', 'a')));
    const began = world.clock.elapsed();
    const unmounting = one.life.unmount('db', 'a');
    await world.pass(POLICY.releaseWaitMs / 2);
    world.clock.setBy(setByMs);
    await run(unmounting);
    const tookMs = world.clock.elapsed() - began;
    expect(tookMs).toBeGreaterThanOrEqual(POLICY.releaseWaitMs);
    expect(tookMs).toBeLessThan(2 * POLICY.releaseWaitMs);
  });

  it('does not change how often a lost device is told', async () => {
    const { world, one, run } = await hostWithVolume();
    await run(one.life.mount('db', 'a'));
    const { journal, clock, log } = one.life.host;
    let losses = 0;
    const attacher = { findDevice: () => Promise.resolve(undefined) };
    const watch = new LossWatch({ journal, attacher, clock, log }, { lookMs: 2000, againMs: 5000 }, () => {
      losses += 1;
    });
    watch.start();
    await world.pass(2001);
    expect(losses).toBe(1);
    world.clock.setBy(setByMs);
    await world.pass(3000);
    expect(losses).toBe(1);
    await world.pass(3000);
    expect(losses).toBe(2);
    await run(watch.stop());
  });

  it('does not change how long a request without an answer is waited for', async () => {
    const { world, one } = await hostWithVolume();
    const late = new LateRequests(one.life.host);
    late.observe([entryOf('db', { attachment: 'intended' })]);
    world.clock.setBy(setByMs);
    await world.pass(POLICY.lateMs - 1);
    expect(late.isOver('db')).toBe(false);
    await world.pass(1);
    expect(late.isOver('db')).toBe(true);
  });

  it('does not change how often unfinished volumes are looked for', async () => {
    const { world, one, run } = await hostWithVolume();
    const { clock } = one.life.host;
    const sweep = new ProvisionalSweep({ ...one.life.host, clock: { ...clock, randomHex: () => '0000' } });
    const { signal } = one.life.call();
    const me = await run(one.life.host.identity.current(signal));
    const lists = async (): Promise<number> => {
      one.life.gateway.calls.clear();
      await run(sweep.find(me, signal));
      return one.life.gateway.calls.get('listVolumes') ?? 0;
    };
    world.clock.setBy(setByMs);
    await world.pass(HOUR_MS / 4 - 1);
    expect(await lists()).toBe(0);
    await world.pass(1);
    expect(await lists()).toBe(1);
    world.clock.setBy(setByMs);
    await world.pass(HOUR_MS - 1);
    expect(await lists()).toBe(0);
    await world.pass(1);
    expect(await lists()).toBe(1);
  });

  it.each([
    ['as long as it takes', POLICY.releaseWaitMs / 2],
    ['no longer than it should', Infinity],
  ])('waits for a mkfs that is still dying %s', async (_how, heldMs) => {
    const { world, one, run } = await hostWithVolume();
    one.life.steps.hook = ({ method, side }) => (method === 'make' && side === 'after' ? 'die' : 'go');
    await world.runToEnd(one.life.create('half'), one.life);
    const half = [...world.array.volumes.values()].find(({ name }) => name.startsWith('~new.'));
    if (half === undefined) throw new Error('nothing was left');
    await world.pass(1000);
    one.restart();
    const began = world.clock.elapsed();
    one.kernel.hold('mkfs', half, began + heldMs);
    let looks = 0;
    one.life.steps.hook = ({ method, side }) => {
      if (method !== 'isHeld' || side !== 'before') return 'go';
      looks += 1;
      if (looks === 2) world.clock.setBy(setByMs);
      return 'go';
    };
    await run(one.life.reconcile());
    expect(world.clock.elapsed() - began).toBeLessThan(2 * POLICY.releaseWaitMs);
    expect(world.array.volumes.has(half.id)).toBe(heldMs === Infinity);
    if (heldMs === Infinity)
      expect(world.clock.elapsed() - began).toBeGreaterThanOrEqual(POLICY.releaseWaitMs);
  });

  it('gives who only looks at a device that was mapped by hand the time to close it, and no more', async () => {
    const { world, one, run } = await hostWithVolume();
    const volume = world.volume('db');
    world.array.map(volume.id, one.sdcId, false);
    await world.pass(100);
    one.kernel.openRaw('udev', volume);
    const began = world.clock.elapsed();
    const mounting = one.life.mount('db', 'a');
    mounting.catch(() => undefined);
    await world.pass(500);
    world.clock.setBy(setByMs);
    await expect(run(mounting)).rejects.toThrow('udev');
    const tookMs = world.clock.elapsed() - began;
    expect(tookMs).toBeGreaterThanOrEqual(1500);
    expect(tookMs).toBeLessThan(3000);
  });

  it('does not change for how long a foreign address of our SDC is held against it', async () => {
    const { world, one } = await hostWithVolume();
    const { clock, log } = one.life.host;
    const witness = new AddressWitness(() => ['10.0.0.1'], clock, log);
    witness.see(['10.9.9.9']);
    world.clock.setBy(setByMs);
    await world.pass(HOUR_MS - 1);
    expect(witness.doubt).toBeDefined();
    await world.pass(1);
    expect(witness.doubt).toBeUndefined();
  });

  it('does not change how often new users of a mapping that is not ours are told', async () => {
    const { world, one, run } = await hostWithVolume();
    const volume = world.volume('db');
    world.array.map(volume.id, one.sdcId, false);
    await world.pass(100);
    const told = async (): Promise<number> => {
      await run(one.life.reconcile());
      return one.life.lines.filter((line) => line.includes('not by this plugin')).length;
    };
    expect(await told()).toBe(1);
    world.clock.setBy(setByMs);
    one.kernel.openRaw('dd', volume);
    await world.pass(9000);
    expect(await told()).toBe(1);
    await world.pass(1001);
    expect(await told()).toBe(2);
  });
});

it('a fence of an earlier life that is said to come from the future counts as recent', async () => {
  const { world, one, two, run } = await hostWithVolume({ failover: 'always' });
  await run(one.life.mount('db', 'a'));
  for (let move = 0; move < moveLimit; move += 1) {
    await run(two.life.mount('db', 'b'));
    await run(one.life.mount('db', 'a2'));
  }
  two.restart();
  world.clock.setBy(-2 * HOUR_MS);
  await expect(run(two.life.mount('db', 'b'))).rejects.toThrow('move limit reached');
});
