import { describe, expect, it } from 'vitest';
import {
  GatewayUnavailableError,
  AttachError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../../src/errors.ts';
import { World } from './world/world.ts';

/** One host with a volume "db". */
async function hostWithVolume(options: Record<string, string> = {}) {
  const world = new World();
  const host = world.host(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  await run(host.life.create('db', options));
  const start = async (id: string): Promise<void> => {
    host.kernel.bind(id, await run(host.life.mount('db', id)));
  };
  const stop = async (id: string): Promise<void> => {
    host.kernel.letGo(id);
    await run(host.life.unmount('db', id));
  };
  return { world, host, kernel: host.kernel, run, start, stop };
}

const isMapped = (world: World): boolean => world.volume('db').mappings.size > 0;

describe('Mount IDs as engines use them', () => {
  it('two containers: the first to stop takes nothing from the other', async () => {
    const { world, kernel, start, stop } = await hostWithVolume();
    await start('a');
    await start('b');
    await stop('a');
    kernel.write('b', 'file', 'data');
    expect(isMapped(world)).toBe(true);
    await stop('b');
    expect(world.leaks()).toEqual([]);
  });

  it('docker cp on a running container nests its ID: the container keeps its device until it stops', async () => {
    const { world, host, kernel, run, start, stop } = await hostWithVolume();
    await start('a');
    await run(host.life.mount('db', 'a'));
    await run(host.life.unmount('db', 'a'));
    kernel.write('a', 'file', 'after cp');
    expect(isMapped(world)).toBe(true);
    await run(host.life.reconcile());
    kernel.write('a', 'file', 'after a round');
    await stop('a');
    expect(world.leaks()).toEqual([]);
  });

  it('docker cp twice on a running container, and a second container: the path is usable again', async () => {
    const { world, host, kernel, run, start, stop } = await hostWithVolume();
    await start('a');
    for (let copy = 0; copy < 2; copy += 1) {
      await run(host.life.mount('db', 'a'));
      await run(host.life.unmount('db', 'a'));
    }
    await start('b');
    await stop('b');
    kernel.write('a', 'file', 'data');
    await stop('a');
    expect(world.leaks()).toEqual([]);
  });

  it('an engine that crashed repeats its ID: one Unmount releases it', async () => {
    const { world, host, run, start, stop } = await hostWithVolume();
    await start('a');
    host.kernel.letGo('a');
    host.restart();
    await start('a');
    await run(host.life.reconcile());
    await stop('a');
    expect(world.leaks()).toEqual([]);
  });

  it('clients without IDs count as one', async () => {
    const { world, host, run } = await hostWithVolume();
    for (let time = 0; time < 3; time += 1) await run(host.life.mount('db', ''));
    await run(host.life.unmount('db', ''));
    expect(world.leaks()).toEqual([]);
  });

  it('a path of a client without IDs survives a restart of the plugin, whoever uses it', async () => {
    const { world, host, run } = await hostWithVolume();
    const path = await run(host.life.mount('db', ''));
    host.restart();
    await world.reconcileAll();
    expect(host.kernel.mountAt(path)).toBeDefined();
  });

  it('running containers survive a restart of the plugin, and their path too', async () => {
    const { world, host, kernel, run, start, stop } = await hostWithVolume();
    await start('a');
    const path = await run(host.life.driver.path('db'));
    host.restart();
    await world.reconcileAll();
    kernel.write('a', 'file', 'data');
    expect(await run(host.life.driver.path('db'))).toBe(path);
    await stop('a');
    expect(world.leaks()).toEqual([]);
  });

  it.each([
    ['db', 'never heard of'],
    ['nowhere', 'a'],
  ])('Unmount of %s by %s is success', async (name, id) => {
    const { world, host, kernel, run, start } = await hostWithVolume();
    await start('a');
    await run(host.life.unmount(name, id));
    kernel.write('a', 'file', 'data');
    expect(kernel.mounts).toHaveLength(1);
    expect(isMapped(world)).toBe(true);
  });
});

describe('a client that hung up', () => {
  it('holds nothing: its mount waits for the repeated call, then goes', async () => {
    const { world, host, run } = await hostWithVolume();
    const call = host.life.call();
    const mounted = host.life.mount('db', 'a', call);
    call.leave();
    await run(mounted);
    await world.pass(0);
    expect(host.disk.entries.get('db')).toMatchObject({ phase: 'mounted', holders: [] });

    await world.pass(host.policy.abandonedMountMs / 2);
    await run(host.life.reconcile());
    expect(host.kernel.mounts).toHaveLength(1);
    host.life.gateway.calls.clear();
    await run(host.life.mount('db', 'b'));
    expect(host.life.gateway.totalCalls).toBe(0);
    await run(host.life.unmount('db', 'b'));
    expect(world.leaks()).toEqual([]);
  });

  it('and never came back: its mount is released after a while', async () => {
    const { world, host, run } = await hostWithVolume();
    const call = host.life.call();
    await run(host.life.mount('db', 'a', call));
    call.leave();
    await world.pass(host.policy.abandonedMountMs + 1);
    await run(host.life.reconcile());
    expect(world.leaks()).toEqual([]);
  });

  it('does not take the volume from another holder', async () => {
    const { world, host, kernel, run, start } = await hostWithVolume();
    await start('a');
    const call = host.life.call();
    await run(host.life.mount('db', 'b', call));
    call.leave();
    await world.pass(0);
    expect(host.disk.entries.get('db')?.holders).toEqual(['a']);
    kernel.write('a', 'file', 'data');
  });
});

describe('while no gateway answers', () => {
  it('Unmount succeeds, and the reconciler finishes it later', async () => {
    const { world, host, run, start, stop } = await hostWithVolume();
    await start('a');
    host.gatewayUp = false;
    await stop('a');
    expect(host.life.nudges).toBeGreaterThan(0);
    await expect(run(host.life.reconcile())).rejects.toThrow(GatewayUnavailableError);
    expect(isMapped(world)).toBe(true);
    host.gatewayUp = true;
    expect((await run(host.life.reconcile())).finished).toEqual(['db']);
    expect(world.leaks()).toEqual([]);
  });

  it('Get is stale for what this host has seen, and rejects for what it has not', async () => {
    const { host, run } = await hostWithVolume();
    host.gatewayUp = false;
    await expect(run(host.life.get('db'))).resolves.toMatchObject({ name: 'db', status: { stale: true } });
    await expect(run(host.life.get('unknown'))).rejects.toThrow(GatewayUnavailableError);
    host.gatewayUp = true;
    await expect(run(host.life.get('unknown'))).rejects.toThrow(VolumeNotFoundError);
  });

  it('Get of a mounted volume is answered even if what was known of it is lost', async () => {
    const { host, run, start } = await hostWithVolume();
    await start('a');
    host.disk.known.clear();
    host.restart();
    host.gatewayUp = false;
    const described = await run(host.life.get('db'));
    expect(described).toMatchObject({ name: 'db', mountpoint: '/run/volumes/docker-db' });
    await run(host.life.unmount('db', 'a'));
    await expect(run(host.life.get('db'))).resolves.toMatchObject({ name: 'db', mountpoint: '' });
  });

  it.each([true, false])(
    'a subpath is not forgotten with what was known (asked meanwhile: %s)',
    async (asked) => {
      const { host, run, start } = await hostWithVolume({ subpath: 'data' });
      await start('a');
      host.disk.known.clear();
      host.restart();
      if (asked) await run(host.life.get('db'));
      await expect(run(host.life.mount('db', 'b'))).resolves.toBe('/run/volumes/docker-db/data');
    },
  );

  it('Mount of what is mounted here still counts one more holder', async () => {
    const { host, run, start } = await hostWithVolume();
    await start('a');
    host.gatewayUp = false;
    await expect(run(host.life.mount('db', 'b'))).resolves.toBe('/run/volumes/docker-db');
  });
});

describe('Remove', () => {
  it('does not mind IDs that a crashed engine never gave back', async () => {
    const { world, host, run, start } = await hostWithVolume();
    await start('leaked');
    host.kernel.letGo('leaked');
    await world.pass(11_000);
    await run(host.life.remove('db'));
    expect(world.exists('db')).toBe(false);
    expect(world.leaks()).toEqual([]);
  });

  it('is refused in the moment before a container has bound what it was given', async () => {
    const { world, host, run } = await hostWithVolume();
    await run(host.life.mount('db', 'a'));
    await expect(run(host.life.remove('db'))).rejects.toThrow('mounted on this host a moment ago');
    expect(world.exists('db')).toBe(true);
  });

  it('is refused while a container uses the volume, which does not notice', async () => {
    const { world, host, kernel, run, start, stop } = await hostWithVolume();
    await start('a');
    await expect(run(host.life.remove('db'))).rejects.toThrow(VolumeInUseError);
    kernel.write('a', 'file', 'data');
    await stop('a');
    expect(world.leaks()).toEqual([]);
    await run(host.life.remove('db'));
    await run(host.life.remove('db'));
  });

  it('clears what a killed Create of the same name left', async () => {
    const { world, host, run } = await hostWithVolume();
    await run(host.life.remove('db'));
    host.life.steps.hook = ({ method, side }) =>
      method === 'renameVolume' && side === 'after' ? 'die' : 'go';
    await world.runToEnd(host.life.create('db'), host.life);
    host.restart();
    await run(host.life.remove('db'));
    expect(world.exists('db')).toBe(false);
    await world.reconcileAll();
    expect(world.leaks()).toEqual([]);
  });
});

describe('a Mount that fails', () => {
  it('leaves nothing mapped: the engine sends no Unmount for it', async () => {
    const { world, host, run } = await hostWithVolume();
    host.kernel.neverArrives.add(world.volume('db').id);
    await expect(run(host.life.mount('db', 'a'))).rejects.toThrow(AttachError);
    expect(world.leaks()).toEqual([]);
  });

  it('says what is wrong with the SDC when the device does not come', async () => {
    const { world, host, run } = await hostWithVolume();
    host.kernel.neverArrives.add(world.volume('db').id);
    host.life.sdc.problem = 'not-connected';
    await expect(run(host.life.mount('db', 'a'))).rejects.toMatchObject({ problem: 'not-connected' });
  });
});
