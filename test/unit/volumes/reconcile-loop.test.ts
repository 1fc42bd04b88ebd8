import { describe, expect, it } from 'vitest';
import { ReconcileLoop } from '../../../src/volumes/upkeep/reconcile-loop.ts';
import { World } from './world/world.ts';

const TIMES = { intervalMs: 60_000, soonMs: 1000, roundMs: 30_000 };

async function runningLoop() {
  const world = new World();
  const host = world.host(1);
  const { life } = host;
  await world.run(life.create('db'));
  const loop = new ReconcileLoop({ ...life.host, reconciler: life.reconciler }, TIMES);
  const rounds = (): number => life.gateway.calls.get('volumesOfHost') ?? 0;
  loop.start();
  await world.pass(0);
  return { world, host, life, loop, rounds };
}

describe('ReconcileLoop', () => {
  it('runs at start and at every interval, until it is stopped', async () => {
    const { world, loop, rounds } = await runningLoop();
    expect(rounds()).toBe(1);
    await world.pass(TIMES.intervalMs * 3);
    expect(rounds()).toBe(4);
    await world.run(loop.stop());
    await world.pass(TIMES.intervalMs * 3);
    expect(rounds()).toBe(4);
  });

  it('comes soon when work was left, and finishes it', async () => {
    const { world, host, life, loop } = await runningLoop();
    await world.run(life.mount('db', 'a'));
    host.gatewayUp = false;
    await world.run(life.unmount('db', 'a'));
    host.gatewayUp = true;
    loop.nudge();
    await world.pass(TIMES.soonMs + 1);
    expect(world.leaks()).toEqual([]);
    await world.run(loop.stop());
  });

  it('is not woken without work', async () => {
    const { world, life, loop, rounds } = await runningLoop();
    await world.run(life.mount('db', 'a'));
    loop.nudge();
    await world.pass(TIMES.intervalMs / 2);
    expect(rounds()).toBe(1);
    await world.run(loop.stop());
  });

  it('looks soon when it is told to hurry', async () => {
    const { world, loop, rounds } = await runningLoop();
    loop.hurry();
    await world.pass(TIMES.soonMs + 1);
    expect(rounds()).toBe(2);
    await world.run(loop.stop());
  });

  it('tries less and less often while the gateway is away, and finishes when it is back', async () => {
    const { world, host, life, loop, rounds } = await runningLoop();
    await world.run(life.mount('db', 'a'));
    host.gatewayUp = false;
    await world.run(life.unmount('db', 'a'));
    loop.nudge();
    await world.pass(TIMES.intervalMs);
    const often = rounds();
    expect(often).toBeGreaterThan(3);
    expect(often).toBeLessThan(12);
    host.gatewayUp = true;
    await world.pass(TIMES.intervalMs);
    expect(world.leaks()).toEqual([]);
    await world.run(loop.stop());
  });
});
