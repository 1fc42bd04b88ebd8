import { describe, expect, it } from 'vitest';
import { FrozenError } from '../../../src/errors.ts';
import { World } from './world/world.ts';

async function frozenVolume() {
  const world = new World();
  const { life, kernel } = world.host(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(life.create('db'));
  await run(life.mount('db', 'a'));
  kernel.frozen.add(world.volume('db'));
  return { world, life, kernel, run };
}

describe('a mounted volume whose file system is frozen', () => {
  it('is not handed out a second time: the Mount says how to thaw it, and the first holder keeps it', async () => {
    const { world, life, run } = await frozenVolume();
    const began = world.clock.elapsed();
    const second = run(life.mount('db', 'b'));
    await expect(second).rejects.toBeInstanceOf(FrozenError);
    await expect(second).rejects.toThrow(
      'the file system of volume "db" is frozen (fsfreeze -f) for longer than 10 s, and whoever writes to it waits; ' +
        'thaw it with "fsfreeze -u /run/volumes/docker-db"',
    );
    expect(world.clock.elapsed() - began).toBeLessThan(20_000);
    expect(life.host.journal.get('db')).toMatchObject({ phase: 'mounted', holders: ['a'] });
  });

  it('is waited for: a back-up freezes it for a moment', async () => {
    const { world, life, kernel, run } = await frozenVolume();
    const began = world.clock.elapsed();
    life.steps.hook = ({ method }) => {
      if (method === 'isFrozen' && world.clock.elapsed() - began > 3000) kernel.frozen.clear();
      return 'go';
    };
    await run(life.mount('db', 'b'));
    expect(life.host.journal.get('db')?.holders).toEqual(['a', 'b']);
  });

  it('is still answered by Path and Get at once', async () => {
    const { world, life, run } = await frozenVolume();
    const began = world.clock.elapsed();
    await expect(run(life.driver.path('db'))).resolves.toBe('/run/volumes/docker-db');
    await expect(run(life.get('db'))).resolves.toMatchObject({ mountpoint: '/run/volumes/docker-db' });
    expect(world.clock.elapsed() - began).toBeLessThan(1000);
  });

  it('stays mounted at its last Unmount, so that it can be thawed there, and leaves this host after that', async () => {
    const { world, life, kernel, run } = await frozenVolume();
    await world.pass(3_600_000);
    await run(life.unmount('db', 'a'));
    expect(kernel.mountAt('/run/volumes/docker-db')).toBeDefined();
    expect(life.host.journal.get('db')).toMatchObject({ phase: 'releasing', holders: [] });
    expect(life.lines.join()).toContain('fsfreeze -u');
    await run(life.reconcile());
    expect(kernel.mountAt('/run/volumes/docker-db')).toBeDefined();
    kernel.frozen.clear();
    await run(life.reconcile());
    expect(world.leaks()).toEqual([]);
  });

  it('is not kept for ever at its last Unmount, since it only looks frozen', async () => {
    const { world, life, kernel, run } = await frozenVolume();
    await run(life.unmount('db', 'a'));
    await world.pass(599_000);
    await run(life.reconcile());
    expect(kernel.mountAt('/run/volumes/docker-db')).toBeDefined();
    await world.pass(2000);
    await run(life.reconcile());
    expect(world.leaks()).toEqual([]);
  });

  it('counts as used when the kernel is asked about what an earlier life has mounted', async () => {
    const { world, life, kernel, run } = await frozenVolume();
    const host = world.host(1);
    host.restart();
    await world.pass(host.life.host.policy.inheritedMountMs + 1);
    await run(host.life.reconcile());
    expect(kernel.mountAt('/run/volumes/docker-db')).toBeDefined();
    expect(host.life.host.journal.get('db')).toMatchObject({ phase: 'mounted', holders: ['a'] });
    expect(life.steps.isDead).toBe(true);
    kernel.frozen.clear();
    await run(host.life.reconcile());
    expect(world.leaks()).toEqual([]);
  });

  it('is not unmounted by the next Mount either, which waits for the thaw', async () => {
    const { world, life, kernel, run } = await frozenVolume();
    await run(life.unmount('db', 'a'));
    await expect(run(life.mount('db', 'b'))).rejects.toThrow(
      'thaw it with "fsfreeze -u /run/volumes/docker-db"',
    );
    expect(kernel.mountAt('/run/volumes/docker-db')).toBeDefined();
    const began = world.clock.elapsed();
    life.steps.hook = ({ method }) => {
      if (method === 'isFrozen' && world.clock.elapsed() - began > 3000) kernel.frozen.clear();
      return 'go';
    };
    await run(life.mount('db', 'c'));
    expect(life.host.journal.get('db')).toMatchObject({ phase: 'mounted', holders: ['c'] });
  });

  it('is not removed: the refusal says that it is frozen, and where to thaw it', async () => {
    const { world, life, kernel, run } = await frozenVolume();
    await run(life.unmount('db', 'a'));
    await expect(run(life.remove('db'))).rejects.toThrow(
      'removing volume "db" failed: its file system is frozen (fsfreeze -f); thaw it with "fsfreeze -u /run/volumes/docker-db", then try again',
    );
    expect(world.exists('db')).toBe(true);
    kernel.frozen.clear();
    await run(life.remove('db'));
    expect(world.exists('db')).toBe(false);
  });
});
