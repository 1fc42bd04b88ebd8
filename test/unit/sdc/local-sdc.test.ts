import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CancelledError } from '../../../src/errors.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { createRunner } from '../../../src/host/run.ts';
import { linkedVolumes } from '../../../src/sdc/device-link.ts';
import { createLocalSdc, type LocalSdcOptions } from '../../../src/sdc/local-sdc.ts';
import type { SystemId, VolumeId } from '../../../src/array/ids.ts';
import { silentLog } from './silent-log.ts';

const bin = path.resolve(import.meta.dirname, '../../fixtures/bin');
const never = new AbortController().signal;
const system = '3ef46cbf2aaf5d0f' as SystemId;
const volume = '6c33633100000009' as VolumeId;

describe('createLocalSdc', () => {
  let directory: string;
  let byId: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'sdc-'));
    byId = path.join(directory, 'disk', 'by-id');
  });
  afterEach(() => rm(directory, { recursive: true }));

  const sdc = (options: Partial<LocalSdcOptions> = {}) =>
    createLocalSdc({
      runner: createRunner(),
      clock: systemClock,
      log: silentLog,
      drvCfgPath: path.join(bin, 'drv_cfg'),
      places: { byId, sysDevBlock: path.join(directory, 'sys'), udevData: path.join(directory, 'udev') },
      controlDevice: path.join(directory, 'scini'),
      modules: path.join(directory, 'modules'),
      ...options,
    });
  const link = (name: string, target: string) =>
    mkdir(byId, { recursive: true }).then(() => symlink(target, path.join(byId, name)));

  it('believes the configured GUID where drv_cfg cannot be asked, or says the same', async () => {
    const guid = 'b0e3bfb8-c20b-43bf-93c8-13339e85aa50';
    for (const options of [{ drvCfgPath: path.join(directory, 'none') }, {}]) {
      const configured = sdc({ ...options, guid });
      expect(await configured.guid(never)).toBe(guid.toUpperCase());
      expect(await configured.currentGuid(never)).toBe(guid.toUpperCase());
    }
  });

  it('refuses a configured GUID that drv_cfg contradicts', async () => {
    const wrong = sdc({ guid: 'b0e3bfb8-c20b-43bf-93c8-13339e85aa51' });
    for (const asked of [wrong.guid(never), wrong.currentGuid(never)]) {
      await expect(asked).rejects.toMatchObject({
        problem: 'guid-mismatch',
        message: expect.stringMatching(
          /AA51" is not this host's: drv_cfg says ".*AA50"; remove SCALEIO_GUID/,
        ) as string,
      });
    }
  });

  it('asks drv_cfg for the GUID once', async () => {
    const runner = createRunner();
    const run = vi.spyOn(runner, 'run');
    const asking = sdc({ runner });
    await asking.guid(never);
    await asking.guid(never);
    expect(run).toHaveBeenCalledOnce();
  });

  it('is usable when connected to the system', async () => {
    await sdc().assertUsable(system, never);
  });

  it('is not connected to a system that drv_cfg does not show', async () => {
    await expect(sdc().assertUsable('aaaaaaaaaaaaaaaa' as SystemId, never)).rejects.toMatchObject({
      problem: 'not-connected',
      message: expect.stringContaining('10.0.0.1, 10.0.0.2, 10.9.9.9') as string,
    });
  });

  it('needs drv_cfg only when no GUID is configured', async () => {
    const drvCfgPath = path.join(bin, 'no-drv_cfg');
    await expect(sdc({ drvCfgPath }).assertUsable(system, never)).rejects.toMatchObject({
      problem: 'not-installed',
    });
    await sdc({ drvCfgPath, guid: 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50' }).assertUsable(system, never);
  });

  it('lists the volumes of one system, without partitions and others', async () => {
    expect(linkedVolumes(byId, system)).toEqual([]);
    await link(`emc-vol-${system}-${volume}`, '../../scinia');
    await link(`emc-vol-${system}-${volume}-part1`, '../../scinia1');
    await link('emc-vol-aaaaaaaaaaaaaaaa-6c3363310000000a', '../../scinib');
    await link('wwn-0x5000c500a', '../../sda');
    expect(linkedVolumes(byId, system)).toEqual([volume]);
  });

  it('finds no device without a link, nor behind a dangling one', async () => {
    expect(await sdc().findDevice(system, volume)).toBeUndefined();
    await link(`emc-vol-${system}-${volume}`, path.join(directory, 'gone'));
    expect(await sdc().findDevice(system, volume)).toBeUndefined();
  });

  it('refuses a link to something else than a block device', async () => {
    await writeFile(path.join(directory, 'file'), 'x');
    await link(`emc-vol-${system}-${volume}`, path.join(directory, 'file'));
    await expect(sdc().findDevice(system, volume)).rejects.toMatchObject({ problem: 'device-mismatch' });
  });

  it('gives up on a device after the wait, having asked for rescans', async () => {
    const runner = createRunner();
    const run = vi.spyOn(runner, 'run');
    const waiting = sdc({ runner, deviceWaitMs: 120, rescanAfterMs: 40 });
    await expect(waiting.waitForDevice(system, volume, never)).rejects.toMatchObject({
      problem: 'device-missing',
      retryable: true,
      message: expect.stringContaining('the SDC has the volume but udev made no link') as string,
    });
    expect(run.mock.calls[0]?.[1]).toEqual(['--rescan']);
  });

  it('waits on when a rescan cannot be done', async () => {
    const waiting = sdc({ drvCfgPath: path.join(bin, 'no-drv_cfg'), deviceWaitMs: 100, rescanAfterMs: 10 });
    await expect(waiting.waitForDevice(system, volume, never)).rejects.toMatchObject({
      problem: 'device-missing',
      message: expect.stringContaining('see "drv_cfg --query_vols"') as string,
    });
  });

  it('says that the SDC does not list the volume', async () => {
    const unknown = '00000000000000ff' as VolumeId;
    await expect(sdc({ deviceWaitMs: 10 }).waitForDevice(system, unknown, never)).rejects.toThrow(
      'the SDC does not list the volume',
    );
  });

  it('says at the end of the wait what contradicts itself', async () => {
    await link(`emc-vol-${system}-${volume}`, directory);
    await expect(sdc({ deviceWaitMs: 50 }).waitForDevice(system, volume, never)).rejects.toMatchObject({
      problem: 'device-mismatch',
    });
  });

  it('stops waiting at the signal', async () => {
    const controller = new AbortController();
    const waiting = sdc().waitForDevice(system, volume, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow(CancelledError);
  });
});
