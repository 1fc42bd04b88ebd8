import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { until } from '../../lab/hosts/until.ts';
import { createVolume, onVolume, Writer } from '../../lab/stage/containers.ts';
import { askGateway, volumeNamed, volumesOf } from './gateway-login.ts';
import { untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

/** As docs/failover.md, "By hand", has it for the managed plugin. */
const INSTALL = `id=$(docker plugin inspect --format '{{.ID}}' scaleio)
install -m 755 "/var/lib/docker/plugins/$id/rootfs/usr/lib/docker-volume-scaleio/host-command" /usr/local/sbin/docker-volume-scaleio`;

describe('two hosts with one array', () => {
  let stage: ArrayStage;
  let one: Host;
  let other: Host;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 2 });
    one = stage.lab.host(1);
    other = stage.lab.host(2);
  });

  afterAll(async () => {
    await stage.close();
  });

  const long = 'accounts-of-the-northern-department-in-2026';
  const twin = 'accounts-of-the-northern-department-in-2027';

  test('a volume is on the other host what it was made to be on the first', async () => {
    const root = { subpath: 'main/data', uid: '1000', gid: '1001', mode: '2750' };
    const limits = { iops: '500', bandwidth: '20MiB' };
    const made = { size: '9GiB', fs: 'ext4', mkfs: '-m 0', mount: 'commit=30,nodiscard', failover: 'always' };
    await createVolume(one, long, { ...made, ...root, ...limits });
    await onVolume(one, long, 'echo first >/data/a; sync');
    await untilNothingLeft(stage.array, one);
    expect(await other.docker(['volume', 'inspect', '--format', '{{.Name}}', long])).toBe(long);
    const writer = await Writer.start(other, long, ['--user', '1000:1001']);
    const seen = async (host: Host, script: string): Promise<string> =>
      host.docker(['exec', writer.name, 'sh', '-c', script]);
    expect(await seen(other, 'cat /data/a; stat -c "%u %g %a" /data')).toBe('first\n1000 1001 2750');
    const mounted = await seen(other, 'grep " /data " /proc/mounts');
    expect(mounted).toMatch(/ ext4 \S*\bcommit=30\b/);
    expect(mounted).not.toMatch(/[ ,]discard/);
    const status = await statusOn(other, long);
    expect(status).toMatchObject({
      size: '16GiB',
      sizeRequested: '9GiB',
      failover: 'always',
      mountedHere: true,
    });
    const volume = await volumeNamed(stage.array, String(status['arrayName']));
    expect(volume.mappedSdcInfo).toMatchObject([
      { sdcIp: other.address('storage'), limitIops: 500, limitBwInMbps: 20 },
    ]);
    for (const host of [one, other]) {
      expect(await host.docker(['volume', 'ls', '--quiet'])).toContain(long);
    }
    await writer.remove();
    await untilNothingLeft(stage.array, other);
  });

  test('a name that begins with the same 31 characters is another volume', async () => {
    await expect(other.docker(['volume', 'inspect', twin])).rejects.toThrow(/no such volume/i);
    await createVolume(other, twin);
    expect(await onVolume(other, twin, 'ls -A /data')).toBe('');
    expect((await statusOn(other, twin))['id']).not.toBe((await statusOn(other, long))['id']);
    expect(await onVolume(one, long, 'cat /data/a')).toBe('first');
    await other.docker(['volume', 'rm', twin]);
    await one.docker(['volume', 'rm', long]);
    expect(await volumesOf(stage.array)).toEqual([]);
  });

  async function statusOn(host: Host, name: string): Promise<Readonly<Record<string, unknown>>> {
    const text = await host.docker(['volume', 'inspect', '--format', '{{json .Status}}', name]);
    return JSON.parse(text) as Record<string, unknown>;
  }

  test('a volume in use on one host is refused to the other by the name of its holder', async () => {
    await createVolume(one, 'taken');
    const writer = await Writer.start(one, 'taken');
    // The engine does not tell the plugin of ":ro", so a reader is refused as a second writer is.
    for (const mount of ['taken:/data', 'taken:/data:ro']) {
      const refused = other.docker(['run', '--rm', '--volume', mount, 'busybox', 'true']);
      await expect(refused).rejects.toThrow(
        new RegExp(`volume "taken" is held by host .*${one.address('storage')}`),
      );
    }
    await writer.goesOn();
    await writer.remove();
    await untilNothingLeft(stage.array, one);
    expect(Number(await onVolume(other, 'taken', 'wc -l </data/log'))).toBeGreaterThan(0);
    await other.docker(['volume', 'rm', 'taken']);
    await expect(one.docker(['volume', 'inspect', 'taken'])).rejects.toThrow(/no such volume/i);
  });

  test('a read-only volume is mounted on both hosts at once, and written on none', async () => {
    await createVolume(one, 'atlas', { size: '8GiB', readonly: 'true' });
    const name = 'reader';
    const sleeper = ['run', '--detach', '--name', name, '--volume', 'atlas:/data', 'busybox', 'sleep', '600'];
    await one.docker(sleeper);
    await other.docker(sleeper);
    expect((await volumeNamed(stage.array, 'docker-atlas')).mappedSdcInfo).toHaveLength(2);
    for (const host of [one, other]) {
      const write = host.docker(['exec', name, 'sh', '-c', 'echo scribble >/data/a']);
      await expect(write).rejects.toThrow(/Read-only file system/);
      await host.docker(['rm', '--force', name]);
      await untilNothingLeft(stage.array, host);
    }
    await one.docker(['volume', 'rm', 'atlas']);
  });

  test('a volume that was filled and then limited at the array is read on both hosts at once', async () => {
    await createVolume(one, 'map', { size: '8GiB' });
    await onVolume(one, 'map', 'echo filled >/data/a; sync');
    await untilNothingLeft(stage.array, one);
    const limit = async (accessModeLimit: string): Promise<void> => {
      const { id } = await volumeNamed(stage.array, 'docker-map');
      const url = `/api/instances/Volume::${id}/action/setVolumeAccessModeLimit`;
      await askGateway(stage.array, 'POST', url, { accessModeLimit });
    };
    await limit('ReadOnly');
    await one.docker([
      'run',
      '--detach',
      '--name',
      'holder',
      '--volume',
      'map:/data',
      'busybox',
      'sleep',
      '600',
    ]);
    expect(await onVolume(other, 'map', 'cat /data/a')).toBe('filled');
    await expect(onVolume(other, 'map', 'echo more >>/data/a')).rejects.toThrow(/Read-only file system/);
    await one.docker(['rm', '--force', 'holder']);
    for (const host of [one, other]) await untilNothingLeft(stage.array, host);
    await limit('ReadWrite');
    expect(await onVolume(other, 'map', 'echo more >>/data/a; cat /data/a')).toBe('filled\nmore');
    await untilNothingLeft(stage.array, other);
    await one.docker(['volume', 'rm', 'map']);
  });

  test('a snapshot is looked into by docker run, read-only, and nothing of that stays', async () => {
    await createVolume(one, 'shop');
    const shop = ['run', '--detach', '--name', 'shop', '--volume', 'shop:/data', 'busybox', 'sleep', '600'];
    await one.docker(shop);
    const inShop = (script: string): Promise<string> => one.docker(['exec', 'shop', 'sh', '-c', script]);
    // Not synced: the snapshot's log is to be replayed, beside the volume in use.
    await inShop('echo then >/data/a');
    await one.exec(['sh', '-c', INSTALL]);
    const taken = ['volume', 'snapshot', 'shop', '--name', 'before-upgrade'];
    await one.exec(['/usr/local/sbin/docker-volume-scaleio', ...taken]);
    await inShop('echo now >/data/a; sync');
    const names = async (): Promise<string[]> => (await volumesOf(stage.array)).map(({ name }) => name);
    const before = (await names()).toSorted();

    const view = 'shop@before-upgrade';
    const readers = [one, other].map(async (host) => {
      await host.docker([
        'run',
        '--detach',
        '--name',
        'reader',
        '--volume',
        `${view}:/old`,
        'busybox',
        'sleep',
        '600',
      ]);
      const inReader = (script: string): Promise<string> =>
        host.docker(['exec', 'reader', 'sh', '-c', script]);
      expect(await inReader('cat /old/a')).toBe('then');
      await expect(inReader('echo scribble >/old/a')).rejects.toThrow(/Read-only file system/);
      expect((await host.docker(['volume', 'ls', '--quiet'])).split('\n')).toEqual(['shop']);
    });
    await Promise.all(readers);
    for (const host of [one, other]) await host.docker(['rm', '--force', 'reader']);
    await until('the view to go', async () => (await names()).toSorted().join() === before.join());
    await untilNothingLeft(stage.array, other);

    // Where a name may bear no @, as in a Compose file.
    await createVolume(other, 'shop-then', { from: view, readonly: 'true' });
    expect(await onVolume(other, 'shop-then', 'cat /data/a')).toBe('then');
    await expect(onVolume(other, 'shop-then', 'echo scribble >/data/a')).rejects.toThrow(
      /Read-only file system/,
    );
    await untilNothingLeft(stage.array, other);
    await other.docker(['volume', 'rm', 'shop-then']);
    expect(await inShop('cat /data/a')).toBe('now');
    await one.docker(['rm', '--force', 'shop']);
    await untilNothingLeft(stage.array, one);
    await one.exec(['/usr/local/sbin/docker-volume-scaleio', 'volume', 'rm-snapshot', view]);
    await one.docker(['volume', 'rm', 'shop']);
    expect(await names()).toEqual([]);
  });

  test('one name created on both hosts at once is one volume', async () => {
    await Promise.all([createVolume(one, 'raced'), createVolume(other, 'raced')]);
    expect((await volumesOf(stage.array)).map(({ name }) => name)).toEqual(['docker-raced']);
    await onVolume(one, 'raced', 'echo shared >/data/a; sync');
    await untilNothingLeft(stage.array, one);
    expect(await onVolume(other, 'raced', 'cat /data/a')).toBe('shared');
    await one.docker(['volume', 'rm', 'raced']);
  });
});
