import { readdir, readlink, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { createVolume, onVolume, Writer } from '../../lab/stage/containers.ts';
import { damages, digest } from './damage.ts';
import { volumeNamed, volumesOf } from './gateway-login.ts';
import { mappedTo, untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

describe('a Mount that cannot be done', () => {
  let stage: ArrayStage;
  let one: Host;
  let other: Host;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 2, plugin: { SCALEIO_DEVICE_TIMEOUT: '2s' } });
    one = stage.lab.host(1);
    other = stage.lab.host(2);
  });

  afterEach(async () => {
    await stage.array.request('DELETE', '/simulator/faults');
  });

  afterAll(async () => {
    await stage.close();
  });

  interface Filled {
    readonly id: string;
    /** Where the array keeps its data. */
    readonly file: string;
  }

  /** A volume that holds a file, and is mapped to nobody. */
  async function filled(name: string, options = { size: '8GiB', fs: 'ext4' }): Promise<Filled> {
    await createVolume(one, name, options);
    await onVolume(one, name, `echo data of ${name} >/data/a; sync`);
    await untilNothingLeft(stage.array, one);
    const { id } = await volumeNamed(stage.array, `docker-${name}`);
    return { id, file: path.join(stage.lab.directory, 'array/state/volumes', id) };
  }

  async function expectHolds(name: string, host = one): Promise<void> {
    expect(await onVolume(host, name, 'cat /data/a')).toBe(`data of ${name}`);
  }

  async function setDeviceFault(
    volumeId: string | undefined,
    fault: 'never' | 'wrong' | null,
  ): Promise<void> {
    const { status } = await stage.array.request('POST', '/simulator/devices', { volumeId, fault });
    expect(status).toBe(200);
  }

  test('for want of its device says where it looked, and lets go', async () => {
    const { id, file } = await filled('late');
    const before = await digest(file);
    await setDeviceFault(id, 'never');
    await expect(onVolume(one, 'late', 'true')).rejects.toThrow(
      new RegExp(
        `mounting volume "late" failed: device "\\S+/emc-vol-\\w+-${id}" did not appear within 2 s: .*, and try again`,
        's',
      ),
    );
    await untilNothingLeft(stage.array, one);
    expect(await digest(file)).toBe(before);
    await setDeviceFault(id, null);
    await expectHolds('late');
  });

  test('because the device has another size touches nothing and lets go', async () => {
    const { id, file } = await filled('swapped');
    const before = await digest(file);
    await setDeviceFault(id, 'wrong');
    await expect(onVolume(one, 'swapped', 'true')).rejects.toThrow(
      /mounting volume "swapped" failed: device "\S+" has \d+ bytes and volume "\w+" has 8589934592, .*; nothing was touched; run "drv_cfg --rescan" and try again/s,
    );
    await untilNothingLeft(stage.array, one);
    expect(await digest(file)).toBe(before);
    await setDeviceFault(id, null);
    await expectHolds('swapped');
  });

  test('is no worse than a Create that gets the wrong device: it formats nothing and leaves no volume', async () => {
    await setDeviceFault(undefined, 'wrong');
    await expect(createVolume(one, 'never')).rejects.toThrow(
      /creating volume "never" failed: device "\S+" has \d+ bytes .*; nothing was touched/s,
    );
    await untilNothingLeft(stage.array, one);
    expect((await volumesOf(stage.array)).map(({ name }) => name).sort()).toEqual([
      'docker-late',
      'docker-swapped',
    ]);
  });

  test('because the link leads to another volume, as large and in use, spares both and lets go', async () => {
    const { id, file } = await filled('hidden');
    const before = await digest(file);
    const writer = await Writer.start(one, 'late');
    const [held = ''] = await mappedTo(stage.array, one);
    const byId = path.join(one.directory, 'by-id');
    const link = (await readdir(byId)).find((name) => name.endsWith(held)) ?? '';
    const stale = path.join(byId, link.replace(held, id));
    await setDeviceFault(id, 'never');
    await symlink(await readlink(path.join(byId, link)), stale);
    await expect(onVolume(one, 'hidden', 'true')).rejects.toThrow(
      new RegExp(
        `mounting volume "hidden" failed: device link "\\S+${id}" leads to the same "\\S+" as "${link}"; ` +
          'nothing was touched; run "udevadm trigger" and try again',
        's',
      ),
    );
    await expect.poll(() => mappedTo(stage.array, one)).toEqual([held]);
    expect(await digest(file)).toBe(before);
    await writer.goesOn();
    await rm(stale);
    await setDeviceFault(id, null);
    await expectHolds('hidden');
    await writer.remove();
    await untilNothingLeft(stage.array, one);
  });

  test('after a takeover leaves the volume to nobody, and the next one has it', async () => {
    const { id, file } = await filled('taken');
    const sleeper = ['--name', 'holder', '--volume', 'taken:/data', 'busybox', 'sleep', '600'];
    await one.docker(['run', '--detach', ...sleeper]);
    await one.powerOff();
    const before = await digest(file);
    await setDeviceFault(id, 'never');
    await expect(onVolume(other, 'taken', 'true')).rejects.toThrow(/did not appear within 2 s/);
    await untilNothingLeft(stage.array, other);
    expect((await volumeNamed(stage.array, 'docker-taken')).mappedSdcInfo ?? []).toEqual([]);
    expect(await digest(file)).toBe(before);
    await setDeviceFault(id, null);
    await expectHolds('taken', other);
    await untilNothingLeft(stage.array, other);
    await one.boot();
    await untilNothingLeft(stage.array, one);
  });

  test.each(damages)('on $what changes nothing, lets go, and is done after the repair', async (damage) => {
    const name = `damaged-${damages.indexOf(damage)}`;
    const { file } = await filled(name, { size: '8GiB', fs: damage.fs });
    await damage.inflict(file);
    const before = await digest(file);
    await expect(onVolume(one, name, 'true')).rejects.toThrow(damage.says);
    await untilNothingLeft(stage.array, one);
    expect(await digest(file)).toBe(before);
    await damage.repair(file);
    await expectHolds(name);
  });

  test('is not a full pool: what is there is mounted, and only new volumes are refused', async () => {
    const { storagePoolId } = await volumeNamed(stage.array, 'docker-late');
    const fill = async (fillPercent: number): Promise<void> => {
      const body = { poolId: storagePoolId, fillPercent };
      expect((await stage.array.request('POST', '/simulator/pools', body)).status).toBe(200);
    };
    const before = await volumesOf(stage.array);
    await fill(98);
    await expect(createVolume(one, 'more')).rejects.toThrow(
      /critical capacity utilization.*add capacity to the storage pool, remove volumes and erase them from the trash, or use another pool/s,
    );
    expect((await volumesOf(stage.array)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    await expectHolds('late');
    await fill(0);
    await createVolume(one, 'more');
  });
});
