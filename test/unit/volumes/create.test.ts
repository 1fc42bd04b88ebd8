import { describe, expect, it } from 'vitest';
import { VolumeConflictError } from '../../../src/errors.ts';
import type { HostId, PoolId } from '../../../src/array/ids.ts';
import type { StoredVolume } from './world/fake-array.ts';
import { POLICY } from './world/life.ts';
import type { Verdict } from './world/steps.ts';
import { World } from './world/world.ts';

const OTHER_SDC = 'c0ffee0000000009' as HostId;
const READ_WRITE = { accessMode: 'ReadWrite', limitIops: 0, limitBandwidthKiBps: 0 } as const;

/** One host, and an array with a second pool. */
function aHost() {
  const world = new World();
  const [first] = world.array.pools.values();
  if (first === undefined) throw new Error('the world has no pool');
  const id = 'ff00000000000002' as PoolId;
  world.array.pools.set(id, { ...first, id, name: 'pool2' });
  const host = world.host(1);
  host.defaults = { ...host.defaults, pool: 'pool1' };
  return { world, host, run: <T>(work: Promise<T>): Promise<T> => world.run(work) };
}

describe('Create of a volume that is there', () => {
  it('says that it is in another pool than was asked for', async () => {
    const { host, run } = aHost();
    await run(host.life.create('db', { pool: 'pool1' }));
    await run(host.life.create('db', { pool: 'pool1' }));
    await run(host.life.create('db'));
    const other = run(host.life.create('db', { pool: 'pool2' }));
    await expect(other).rejects.toThrow('it is not in pool "pool2" of domain "domain1"');
    await expect(run(host.life.create('db', { pool: 'pool2' }))).rejects.toBeInstanceOf(VolumeConflictError);
  });
});

describe("Create of a volume that is there, while the operator's pool is not", () => {
  it('does not look for a pool that was not asked for in so many words', async () => {
    const { host, run } = aHost();
    await run(host.life.create('db'));
    host.defaults = { ...host.defaults, pool: 'gone' };
    host.restart();
    await run(host.life.create('db'));
    await expect(run(host.life.create('db', { domain: 'domain1' }))).rejects.toThrow('gone');
  });
});

describe('Create of a volume that is there otherwise', () => {
  it.each<[Record<string, string>, string]>([
    [{ size: '24' }, 'it has 16 GiB, 24 GiB was asked for'],
    [{ provisioning: 'thick' }, 'it is thin, thick was asked for'],
    [{ readonly: 'true' }, 'it can be written, and was asked for to be read only'],
    [{ fs: 'ext4' }, 'its file system is xfs, ext4 was asked for'],
    [{ mount: 'noexec' }, 'its mount options are none, "noexec" was asked for'],
    [{ subpath: 'a' }, 'its subpath is none, "a" was asked for'],
    [{ iops: '500' }, 'its limit is no limit, 500 I/O operations per second was asked for'],
    [{ bandwidth: '100MiB' }, 'its limit is no limit, 100 MiB per second was asked for'],
    [{ failover: 'never' }, 'its failover is "default", "never" was asked for'],
  ])('says how: %o', async (options, says) => {
    const { host, run } = aHost();
    await run(host.life.create('db', { fs: 'xfs' }));
    await expect(run(host.life.create('db', options))).rejects.toThrow(
      `volume "db" exists and differs: ${says}. Use it as it is, or choose another name`,
    );
  });
});

describe('Create on this array', () => {
  it('takes a size for what the array makes of it, whole grains', async () => {
    const { world, host, run } = aHost();
    await run(host.life.create('db', { size: '9GiB' }));
    expect(host.life.host.journal.known('db')?.sizeKiB).toBe(world.volume('db').sizeKiB);
    await run(host.life.create('db', { size: '9GiB' }));
    await expect(run(host.life.create('db', { size: '17GiB' }))).rejects.toThrow('24 GiB was asked for');
  });

  it('makes nothing readonly where the array cannot limit a volume to reading', async () => {
    const { world, host, run } = aHost();
    world.array.version = '2.6';
    await expect(run(host.life.create('db', { readonly: 'true' }))).rejects.toThrow(
      'mount it read-only instead',
    );
    expect(host.life.gateway.calls.get('createVolume')).toBeUndefined();
  });
});

describe('Create', () => {
  it('waits until the kernel has let go of the new volume before it takes the mapping back', async () => {
    const { world, host, run } = aHost();
    const heldAtUnmap: string[][] = [];
    host.life.steps.hook = ({ method, side }) => {
      const [volume] = world.array.volumes.values();
      if (volume === undefined || side !== 'before') return 'go';
      // As udev does with each device that changes: it looks at it once more.
      if (method === 'writeLabel') host.kernel.hold('udev', volume, world.clock.elapsed() + 500);
      if (method === 'detachVolume') heldAtUnmap.push(host.kernel.holdersOf(volume));
      return 'go';
    };
    const began = world.clock.elapsed();
    await run(host.life.create('db'));
    expect(heldAtUnmap).toEqual([[]]);
    expect(world.clock.elapsed() - began).toBeGreaterThanOrEqual(500);
    expect(world.leaks()).toEqual([]);
  });

  it.each<[string, (volume: StoredVolume) => void]>([
    ['bears another name', (volume) => (volume.name = 'docker-db')],
    ['is mapped already', (volume) => volume.mappings.set(OTHER_SDC, READ_WRITE)],
    ['is mapped to all hosts', (volume) => (volume.mappedToAllSdcs = true)],
  ])('does nothing to a volume that %s when it is read back (rule 15)', async (_what, change) => {
    const { world, host, run } = aHost();
    host.life.steps.hook = ({ method, side }) => {
      const [volume] = world.array.volumes.values();
      if (method === 'createVolume' && side === 'after' && volume !== undefined) change(volume);
      return 'go';
    };
    await expect(run(host.life.create('db'))).rejects.toThrow('which is not the volume that was asked for');
    const asked = host.life.steps.points.map(({ method }) => method);
    expect(asked).not.toContain('attachVolume');
    expect(asked).not.toContain('make');
  });
});

describe('the last Unmount', () => {
  it('gives the kernel a moment to let go, and then has released the volume by itself', async () => {
    const { world, host, run } = aHost();
    await run(host.life.create('db'));
    await run(host.life.mount('db', 'a'));
    host.kernel.hold(
      'a container that ends',
      world.volume('db'),
      world.clock.elapsed() + POLICY.releaseWaitMs / 2,
    );
    await run(host.life.unmount('db', 'a'));
    expect(world.leaks()).toEqual([]);
  });

  it('does not wait longer than that', async () => {
    const { world, host, run } = aHost();
    await run(host.life.create('db'));
    await run(host.life.mount('db', 'a'));
    host.kernel.hold('a container that stays', world.volume('db'));
    const began = world.clock.elapsed();
    await run(host.life.unmount('db', 'a'));
    expect(world.clock.elapsed() - began).toBeLessThan(2 * POLICY.releaseWaitMs);
    expect(world.volume('db').mappings.size).toBe(1);
  });
});

describe('List', () => {
  it('leaves out a volume that is being removed, and shows one whose removal was refused', async () => {
    const { world, host, run } = aHost();
    await run(host.life.create('db'));
    await run(host.life.create('web'));
    const listed = async (): Promise<string[]> =>
      (await host.life.driver.list(host.life.call())).map(({ name }) => name).toSorted();
    const seen: string[][] = [];
    host.life.steps.hook = async ({ method, side }): Promise<Verdict> => {
      if (method === 'removeVolume' && side === 'before') seen.push(await listed());
      return 'go';
    };
    await run(host.life.mount('web', 'a'));
    await expect(run(host.life.remove('web'))).rejects.toThrow('a moment ago');
    expect(await run(listed())).toEqual(['db', 'web']);
    await run(host.life.remove('db'));
    expect(seen).toEqual([['web']]);
    expect(world.exists('db')).toBe(false);
  });
});

describe('Get of a volume of which only the journal knows', () => {
  it('does not say of its size, pool and limit to reading what it does not know', async () => {
    const { host, run } = aHost();
    await run(host.life.create('db'));
    await run(host.life.mount('db', 'a'));
    host.disk.known.clear();
    host.restart();
    host.gatewayUp = false;
    const { status } = await run(host.life.get('db'));
    expect(status).toMatchObject({ size: null, pool: null, readOnly: null, mountedHere: true });
  });
});
