import { describe, expect, it } from 'vitest';
import { LossWatch } from '../../../src/volumes/upkeep/loss-watch.ts';
import { World } from './world/world.ts';

const TIMES = { lookMs: 2000, againMs: 5000 };

async function watched() {
  const world = new World();
  const { life } = world.host(1);
  await world.run(life.create('db'));
  const { journal, clock, log } = life.host;
  const device = { path: '/dev/disk/by-id/a', node: '/dev/a', number: '7:0', sizeBytes: 8 };
  const seen = { isThere: true, losses: 0 };
  const attacher = { findDevice: () => Promise.resolve(seen.isThere ? device : undefined) };
  const watch = new LossWatch({ journal, attacher, clock, log }, TIMES, () => {
    seen.losses += 1;
  });
  watch.start();
  return { world, life, seen, watch };
}

describe('LossWatch', () => {
  it('tells of a mounted volume whose device is gone, at once and then now and then, without asking the array', async () => {
    const { world, life, seen, watch } = await watched();
    await world.run(life.mount('db', 'a'));
    life.gateway.calls.clear();
    await world.pass(60_000);
    expect(seen.losses).toBe(0);
    seen.isThere = false;
    await world.pass(TIMES.lookMs + 1);
    expect(seen.losses).toBe(1);
    await world.pass(TIMES.againMs * 4);
    expect(seen.losses).toBeGreaterThan(3);
    expect(seen.losses).toBeLessThan(6);
    seen.isThere = true;
    const before = seen.losses;
    await world.pass(60_000);
    expect(seen.losses).toBe(before);
    expect(life.gateway.calls.size).toBe(0);
    await world.run(watch.stop());
  });

  it('says nothing of volumes that are not mounted, nor after its end', async () => {
    const { world, life, seen, watch } = await watched();
    seen.isThere = false;
    await world.pass(60_000);
    expect(seen.losses).toBe(0);
    await world.run(life.mount('db', 'a'));
    await world.run(watch.stop());
    await world.pass(60_000);
    expect(seen.losses).toBe(0);
  });
});
