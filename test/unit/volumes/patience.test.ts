import { describe, expect, it } from 'vitest';
import { DeviceHeldError } from '../../../src/errors.ts';
import type { Verdict } from './world/steps.ts';
import { World } from './world/world.ts';

const HELD = new DeviceHeldError('"/dev/scinia" is in use on this host');

/** One host on which something claims the device for so long, counted from the first time it is in the way of `method`. */
function claimed(methods: readonly string[], forMs: number) {
  const world = new World();
  const host = world.host(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  const claim = (): void => {
    let until: number | undefined;
    host.life.steps.hook = ({ method, side }): Verdict => {
      if (!methods.includes(method) || side !== 'before') return 'go';
      until ??= world.clock.elapsed() + forMs;
      const [volume] = world.array.volumes.values();
      if (world.clock.elapsed() >= until) return 'go';
      if (volume !== undefined) host.kernel.hold('multipathd', volume, world.clock.elapsed() + 50);
      return HELD;
    };
  };
  return { world, host, run, claim };
}

describe('while something else on the host claims the device', () => {
  it.each(['proveBlank', 'make', 'mount'])('Create waits: %s', async (method) => {
    const { world, host, run, claim } = claimed([method], 1000);
    claim();
    const began = world.clock.elapsed();
    await run(host.life.create('db'));
    expect(world.clock.elapsed() - began).toBeGreaterThanOrEqual(1000);
    expect(world.leaks()).toEqual([]);
  });

  it.each(['check', 'mount'])('Mount waits: %s', async (method) => {
    const { world, host, run, claim } = claimed([method], 1000);
    await run(host.life.create('db'));
    claim();
    const began = world.clock.elapsed();
    await run(host.life.mount('db', 'a'));
    expect(world.clock.elapsed() - began).toBeGreaterThanOrEqual(1000);
  });

  it.each(['create', 'mount'] as const)('for good, %s says what it is and what to do', async (call) => {
    const { world, host, run, claim } = claimed(['proveBlank', 'mount'], Infinity);
    if (call === 'mount') await run(host.life.create('db'));
    claim();
    const began = world.clock.elapsed();
    const failing = call === 'create' ? run(host.life.create('db')) : run(host.life.mount('db', 'a'));
    await expect(failing).rejects.toThrow(
      /volume "db" failed: something else on this host has claimed ".+" for 10 s: multipathd; nothing was lost\. Keep multipathd and mdadm away/,
    );
    await expect(failing).rejects.toBeInstanceOf(DeviceHeldError);
    expect(world.clock.elapsed() - began).toBeLessThan(20_000);
  });
});
