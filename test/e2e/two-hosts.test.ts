import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { createVolume, onVolume, Writer } from '../../lab/stage/containers.ts';
import { askGateway, volumeNamed, volumesOf } from './gateway-login.ts';
import { untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

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

  test('one name created on both hosts at once is one volume', async () => {
    await Promise.all([createVolume(one, 'raced'), createVolume(other, 'raced')]);
    expect((await volumesOf(stage.array)).map(({ name }) => name)).toEqual(['docker-raced']);
    await onVolume(one, 'raced', 'echo shared >/data/a; sync');
    await untilNothingLeft(stage.array, one);
    expect(await onVolume(other, 'raced', 'cat /data/a')).toBe('shared');
    await one.docker(['volume', 'rm', 'raced']);
  });
});
