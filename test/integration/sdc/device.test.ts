import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isDeviceHeld } from '../../../src/filesystem/exclusive-open.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { createRunner } from '../../../src/host/run.ts';
import { createLocalSdc } from '../../../src/sdc/local-sdc.ts';
import type { SystemId, VolumeId } from '../../../src/array/ids.ts';
import type { Attacher } from '../../../src/attach/attacher.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';
import { LoopDevice, MIB, sh } from '../filesystem/loop-device.ts';

const never = new AbortController().signal;
const system = '3ef46cbf2aaf5d0f' as SystemId;
const volume = '6c33633100000009' as VolumeId;
const other = '6c3363310000000a' as VolumeId;

describe('the device of a volume', () => {
  let directory: string;
  let byId: string;
  let udevData: string;
  let loop: LoopDevice;
  let sdc: Attacher;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'by-id-'));
    byId = path.join(directory, 'disk/by-id');
    udevData = path.join(directory, 'udev');
    loop = await LoopDevice.create(24 * MIB);
    sdc = create();
  });
  afterEach(async () => {
    await loop.detach();
    await rm(directory, { recursive: true });
  });

  const create = (sysDevBlock = '/sys/dev/block') =>
    createLocalSdc({
      runner: createRunner(),
      clock: systemClock,
      log: silentLog,
      drvCfgPath: path.resolve(import.meta.dirname, '../../fixtures/bin/drv_cfg'),
      places: { byId, sysDevBlock, udevData },
    });
  const link = async (id: VolumeId, target: string) => {
    await mkdir(byId, { recursive: true });
    await symlink(target, path.join(byId, `emc-vol-${system}-${id}`));
  };
  const udevRecord = async (record: string) => {
    await mkdir(udevData);
    await writeFile(path.join(udevData, `b${loop.number}`), record);
  };

  it('is described by what the kernel says', async () => {
    await link(volume, loop.node);
    expect(await sdc.findDevice(system, volume)).toEqual({
      path: path.join(byId, `emc-vol-${system}-${volume}`),
      node: loop.node,
      number: loop.number,
      sizeBytes: 24 * MIB,
      diskSequence: (await readFile(`/sys/dev/block/${loop.number}/diskseq`, 'utf8')).trim(),
    });
  });

  describe('that is held', () => {
    const hold = async () => {
      await link(volume, loop.node);
      const device = await sdc.findDevice(system, volume);
      if (device === undefined) throw new Error('no device');
      return { device, held: await sdc.holdDevice(system, volume, device, never) };
    };

    it('is the same while nothing happens, and can be claimed and mounted by others', async () => {
      const { device, held } = await hold();
      await held.assertSame(never);
      await expect(isDeviceHeld(device)).resolves.toBe(false);
      await held.close();
      await expect(held.assertSame(never)).rejects.toMatchObject({ problem: 'device-mismatch' });
    });

    it('keeps the kernel from giving its number to another disk', async () => {
      const { held } = await hold();
      const rival = await LoopDevice.create(24 * MIB);
      await sh('losetup', '--detach', loop.node);
      await expect(sh('losetup', loop.node, rival.file)).rejects.toThrow('busy');
      await held.close();
      await expect
        .poll(() =>
          sh('losetup', loop.node, rival.file).then(
            () => true,
            () => false,
          ),
        )
        .toBe(true);
      await rival.detach();
    });

    it('is another when its link leads elsewhere, is gone, or its size changes', async () => {
      const { held } = await hold();
      const rival = await LoopDevice.create(24 * MIB);
      const name = path.join(byId, `emc-vol-${system}-${volume}`);
      for (const target of [rival.node, undefined]) {
        await rm(name);
        if (target !== undefined) await link(volume, target);
        await expect(held.assertSame(never)).rejects.toMatchObject({ problem: 'device-mismatch' });
        if (target === undefined) await link(volume, loop.node);
      }
      await held.assertSame(never);
      await loop.resize(32 * MIB);
      await expect(held.assertSame(never)).rejects.toThrow('sizeBytes');
      await held.close();
      await rival.detach();
    });

    it('is another when its number bears another disk', async () => {
      await link(volume, loop.node);
      const device = await sdc.findDevice(system, volume);
      if (device === undefined) throw new Error('no device');
      await sh('losetup', '--detach', loop.node);
      await sh('losetup', loop.node, loop.file);
      await expect(sdc.holdDevice(system, volume, device, never)).rejects.toThrow('diskSequence');
    });

    it('is not believed when its disk does not answer', async () => {
      const { held } = await hold();
      await truncate(loop.file, 0);
      await expect(held.assertSame(never)).rejects.toThrow('does not answer (EIO');
      await held.close();
    });
  });

  it('is there as soon as udev made its directory and link', async () => {
    const waiting = sdc.waitForDevice(system, volume, never);
    await link(volume, loop.node);
    const before = performance.now();
    expect((await waiting).number).toBe(loop.number);
    expect(performance.now() - before).toBeLessThan(400);
  });

  it('is refused while another volume has the same device', async () => {
    await link(volume, loop.node);
    await link(other, loop.node);
    await expect(sdc.findDevice(system, volume)).rejects.toMatchObject({
      problem: 'device-mismatch',
      message: expect.stringContaining(`emc-vol-${system}-${other}`) as string,
    });
  });

  it('is refused when udev has its link for another volume', async () => {
    await link(volume, loop.node);
    await udevRecord(`S:disk/by-id/emc-vol-${system}-${other}\nE:ID_X=1\n`);
    await expect(sdc.findDevice(system, volume)).rejects.toThrow('is stale: udev has its device as');
  });

  it('is taken when udev agrees', async () => {
    await link(volume, loop.node);
    await udevRecord(`S:disk/by-id/emc-vol-${system}-${volume}\nS:disk/by-id/wwn-0x1\n`);
    expect(await sdc.findDevice(system, volume)).toMatchObject({ node: loop.node });
  });

  it('is not there while the kernel does not know it, or not its size', async () => {
    await link(volume, loop.node);
    const sys = path.join(directory, 'sys');
    expect(await create(sys).findDevice(system, volume)).toBeUndefined();
    await mkdir(path.join(sys, loop.number), { recursive: true });
    await writeFile(path.join(sys, loop.number, 'size'), '0\n');
    expect(await create(sys).findDevice(system, volume)).toBeUndefined();
  });

  it('is refused when it is a partition', async () => {
    await link(volume, loop.node);
    const sys = path.join(directory, 'sys');
    await mkdir(path.join(sys, loop.number), { recursive: true });
    await writeFile(path.join(sys, loop.number, 'size'), '2048\n');
    await writeFile(path.join(sys, loop.number, 'partition'), '1\n');
    await expect(create(sys).findDevice(system, volume)).rejects.toThrow('leads to a partition');
  });

  it('is refused when it is a character device', async () => {
    await link(volume, '/dev/null');
    await expect(sdc.findDevice(system, volume)).rejects.toMatchObject({ problem: 'device-mismatch' });
  });
});
