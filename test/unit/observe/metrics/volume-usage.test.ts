import { describe, expect, it } from 'vitest';
import { VolumeUsage } from '../../../../src/observe/metrics/volume-usage.ts';
import { asVolumeId } from '../../../../src/array/ids.ts';
import type { HostVolume, MountEntry } from '../../../../src/volumes/ports.ts';
import { entryOf, pluginMetrics } from './watched.ts';

const ROOM = { sizeBytes: 100, usedBytes: 40, availableBytes: 50 };

/** Volumes of which those named hang until `wake` is called. */
function volumesWith(names: readonly string[], hanging: readonly string[], limitMs: number) {
  const entries = names.map((name) => entryOf(name));
  const looks: string[] = [];
  const { promise: woken, resolve: wake } = Promise.withResolvers<undefined>();
  const mounts = entries.map(({ mountpoint }): MountEntry => ({
    device: '7:0',
    mountpoint,
    root: '/',
    fsType: 'xfs',
    source: '/dev/loop0',
    readOnly: false,
  }));
  const readUsage = async (mountpoint: string) => {
    const name = mountpoint.slice('/m/'.length);
    looks.push(name);
    if (hanging.includes(name)) await woken;
    return ROOM;
  };
  const journal = { all: (): HostVolume[] => entries };
  const filesystems = { mounts: () => Promise.resolve(mounts) };
  return { usage: new VolumeUsage({ journal, filesystems, readUsage }, limitMs), looks, wake, woken };
}

describe('the room in volumes', () => {
  it('is told for volumes that are mounted here, and for no others', async () => {
    const { watched, scraped } = pluginMetrics();
    watched.entries = [entryOf('a'), entryOf('b', { phase: 'releasing' })];
    expect(await scraped('scaleio_volume_size_bytes', 'volume="a"')).toBe(100);
    expect(await scraped('scaleio_volume_used_bytes', 'volume="a"')).toBe(40);
    expect(await scraped('scaleio_volume_available_bytes', 'volume="a"')).toBe(50);
    expect(await scraped('scaleio_volume_used_bytes', 'volume="b"')).toBeUndefined();
    watched.entries = [];
    expect(await scraped('scaleio_volume_used_bytes', 'volume="a"')).toBeUndefined();
  });

  it('is asked once a scrape', async () => {
    const { watched, pages } = pluginMetrics();
    watched.entries = [entryOf('a')];
    let looks = 0;
    watched.readUsage = () => {
      looks += 1;
      return Promise.resolve(ROOM);
    };
    await pages.registry.metrics();
    expect(looks).toBe(1);
  });

  it('is told of one volume, by a look that another may have begun, and of none while two devices hang', async () => {
    const { usage, looks, wake, woken } = volumesWith(['a', 'b', 'c'], ['a', 'b'], 20);
    expect(await usage.of(entryOf('c').volumeId)).toEqual(ROOM);
    expect(await usage.of(asVolumeId('none'))).toBeUndefined();
    expect(await usage.of(entryOf('a').volumeId)).toBeUndefined();
    expect(await usage.of(entryOf('a').volumeId)).toBeUndefined();
    expect(await usage.of(entryOf('b').volumeId)).toBeUndefined();
    expect(await usage.of(entryOf('c').volumeId)).toBeUndefined();
    expect(looks).toEqual(['c', 'a', 'b']);
    const waited = usage.of(entryOf('a').volumeId);
    wake(undefined);
    await woken;
    expect(await waited).toEqual(ROOM);
    expect(await usage.of(entryOf('c').volumeId)).toEqual(ROOM);
  });

  it('leaves out what the kernel refuses to tell', async () => {
    const { watched, scraped } = pluginMetrics();
    watched.entries = [entryOf('a')];
    watched.readUsage = () => Promise.reject(new Error('EIO'));
    expect(await scraped('scaleio_volume_size_bytes', 'volume="a"')).toBeUndefined();
  });

  it('of a dead device holds up no scrape, and no other volume', async () => {
    const { usage } = volumesWith(['dead', 'b', 'c'], ['dead'], 20);
    expect([...(await usage.read()).keys()]).toEqual(['b', 'c']);
    expect(usage.notAnswering).toBe(1);
  });

  it('is not asked again of a device that has not answered, and of two dead ones at most', async () => {
    const { usage, looks, wake } = volumesWith(['x', 'y', 'z'], ['x', 'y', 'z'], 20);
    expect((await usage.read()).size).toBe(0);
    expect((await usage.read()).size).toBe(0);
    expect(looks).toEqual(['x', 'y']);
    expect(usage.notAnswering).toBe(3);
    wake(undefined);
    // The look that was waiting ends some turns of the event loop after it is woken.
    await expect.poll(async () => (await usage.read()).size).toBe(3);
    expect(usage.notAnswering).toBe(0);
  });
});
