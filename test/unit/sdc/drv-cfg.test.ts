import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRunner } from '../../../src/host/run.ts';
import { DrvCfg, parseMdms, parseVolumes } from '../../../src/sdc/drv-cfg.ts';

const bin = path.resolve(import.meta.dirname, '../../fixtures/bin');
const never = new AbortController().signal;

describe('DrvCfg', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'drv-cfg-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const drvCfg = (program: string) =>
    new DrvCfg({
      path: path.join(bin, program),
      runner: createRunner(),
      module: { controlDevice: path.join(directory, 'scini'), modules: path.join(directory, 'modules') },
    });
  const loadModule = () => writeFile(path.join(directory, 'modules'), 'scini 799210 0 - Live 0x0\n');

  it('reads the GUID', async () => {
    expect(await drvCfg('drv_cfg').queryGuid(never)).toBe('B0E3BFB8-C20B-43BF-93C8-13339E85AA50');
  });

  it('reads the volumes and rescans', async () => {
    expect(await drvCfg('drv_cfg').queryVolumes(never)).toHaveLength(2);
    await drvCfg('drv_cfg').rescan(never);
  });

  it('adds and changes MDM addresses with the flags that drv_cfg has', async () => {
    const ran: (readonly string[])[] = [];
    const recording = new DrvCfg({
      path: '/drv_cfg',
      runner: {
        run: (_, args) => {
          ran.push(args);
          return Promise.resolve({ stdout: '', stderr: '', exitCode: 0 });
        },
      },
      module: { controlDevice: '', modules: '' },
    });
    await recording.addMdm(['10.0.0.1', '10.0.0.2'], never);
    await recording.addMdm(['10.0.0.1'], never, '/etc/emc/scaleio/drv_cfg.txt');
    await recording.modifyMdm('10.0.0.1', ['10.0.0.1', '10.0.0.2'], never);
    expect(ran.map((args) => args.join(' '))).toEqual([
      '--add_mdm --ip 10.0.0.1,10.0.0.2',
      '--add_mdm --ip 10.0.0.1 --file /etc/emc/scaleio/drv_cfg.txt',
      '--mod_mdm_ip --ip 10.0.0.1 --new_mdm_ip 10.0.0.1,10.0.0.2',
    ]);
  });

  it('says that the SDC is not installed', async () => {
    await expect(drvCfg('no-drv_cfg').queryGuid(never)).rejects.toMatchObject({
      problem: 'not-installed',
      message: expect.stringContaining('set SCALEIO_GUID') as string,
    });
  });

  it('says that the module is not loaded when that explains the failure', async () => {
    await expect(drvCfg('drv_cfg-broken').queryMdms(never)).rejects.toMatchObject({ problem: 'not-loaded' });
  });

  it.each([
    ['the list of modules', loadModule],
    ['the control device', () => writeFile(path.join(directory, 'scini'), '')],
  ])('says that the command failed, and how, when %s shows the module', async (_, load) => {
    await load();
    await expect(drvCfg('drv_cfg-broken').rescan(never)).rejects.toMatchObject({
      problem: 'command-failed',
      message: expect.stringContaining('"drv_cfg --rescan" failed (Failed to open kernel module)') as string,
    });
  });

  it('does not take other output for a GUID', async () => {
    await loadModule();
    await expect(drvCfg('drv_cfg-mute').queryGuid(never)).rejects.toMatchObject({
      problem: 'command-failed',
    });
  });
});

describe('parseMdms', () => {
  it('reads ids and addresses; an unreachable cluster has none', () => {
    const stdout = [
      'Retrieved 2 mdm(s)',
      'MDM-ID 3EF46cbf2aaf5d0f SDC ID 6b18479c00000003 INSTALLATION ID 68ab55462cbb3ae4 IPs [0]-10.0.0.1 [1]-fe80::1',
      'MDM-ID 0000000000000000 SDC ID 0000000000000000 INSTALLATION ID 0000000000000000 IPs [0]-10.9.9.9',
    ].join('\r\n');
    expect(parseMdms(stdout)).toEqual([
      { systemId: '3ef46cbf2aaf5d0f', sdcId: '6b18479c00000003', addresses: ['10.0.0.1', 'fe80::1'] },
      { systemId: null, sdcId: null, addresses: ['10.9.9.9'] },
    ]);
  });

  it('finds none in other output', () => {
    expect(parseMdms('Retrieved 0 mdm(s)\n')).toEqual([]);
    expect(parseMdms('MDM-ID 3ef46 SDC ID 6b18\n')).toEqual([]);
  });
});

describe('parseVolumes', () => {
  it('reads one volume per line', () => {
    const stdout = 'Retrieved 1 volume(s)\nVOL-ID 6c33633100000009 MDM-ID 218ce1797566a00f\n';
    expect(parseVolumes(stdout)).toEqual([{ volumeId: '6c33633100000009', systemId: '218ce1797566a00f' }]);
  });
});
