import { describe, expect, it } from 'vitest';
import { FilesystemError } from '../../../src/errors.ts';
import { World } from './world/world.ts';

/* Rule 18: a mountpoint goes with its volume, and a name that has no volume takes none. */

function aHost() {
  const world = new World();
  const host = world.host(1);
  const run = <T>(work: Promise<T>): Promise<T> => world.run(work);
  return { world, host, run, mountpoints: () => [...host.life.mountpoints] };
}

describe('mountpoints', () => {
  it('are those of the volumes that exist, and no provisional ones', async () => {
    const { host, run, mountpoints } = aHost();
    await run(host.life.create('db'));
    expect(mountpoints()).toEqual(['/run/volumes/docker-db']);
    await run(host.life.mount('db', 'a'));
    await run(host.life.unmount('db', 'a'));
    expect(mountpoints()).toEqual(['/run/volumes/docker-db']);
    await run(host.life.remove('db'));
    expect(mountpoints()).toEqual([]);
  });

  it('are made ahead by a Get, since a Mount may be next', async () => {
    const world = new World(2);
    await world.run(world.host(1).life.create('db'));
    const { life } = world.host(2);
    await world.run(life.get('db'));
    await world.pass(0);
    expect([...life.mountpoints]).toEqual(['/run/volumes/docker-db']);
  });

  it('are not made for a name that no volume has, whoever asks', async () => {
    const { host, run, mountpoints } = aHost();
    await expect(run(host.life.get('ghost'))).rejects.toThrow('no volume');
    await expect(run(host.life.mount('ghost', 'a'))).rejects.toThrow('no such volume');
    await run(host.life.remove('ghost'));
    expect(mountpoints()).toEqual([]);
  });

  it('go when a Create comes to nothing', async () => {
    const { host, run, mountpoints } = aHost();
    const { steps } = host.life;
    const full = new FilesystemError('no room for the label');
    steps.hook = ({ method, side }) => (method === 'writeLabel' && side === 'before' ? full : 'go');
    await expect(run(host.life.create('db'))).rejects.toThrow('no room for the label');
    steps.hook = () => 'go';
    await run(host.life.reconcile());
    expect(mountpoints()).toEqual([]);
  });

  it('go when the volume was removed by another host', async () => {
    const { world, host, run, mountpoints } = aHost();
    await run(host.life.create('db'));
    world.array.volumes.delete(world.volume('db').id);
    await run(host.life.remove('db'));
    expect(mountpoints()).toEqual([]);
  });
});
