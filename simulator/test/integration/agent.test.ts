import { execa } from 'execa';
import { readFileSync, rmdirSync, statSync, truncateSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startAgent } from '../../src/sdc/agent.ts';
import { sweepHost } from '../../src/sdc/sweep.ts';
import { SYSTEM_ID } from './fake-mdm.ts';
import { Machine, ONE, TWO, VOLUME } from './machine.ts';

let machine: Machine;
beforeEach(async () => {
  machine = await Machine.start();
});
afterEach(async () => {
  await machine.end();
});

const OTHER = '6c33633100000010';

async function sizeKiB(link: string): Promise<number> {
  return Number((await execa('blockdev', ['--getsize64', link])).stdout) / 1024;
}

describe('devices', () => {
  test('come and go with the mapping, and the MDM is told', async () => {
    const agent = await machine.agent(ONE);
    const volume = machine.volume();
    machine.mdm.map(volume, [ONE]);
    expect(await sizeKiB(await machine.appeared(ONE))).toBe(volume.sizeKiB);
    await vi.waitFor(() => {
      expect(machine.mdm.acks.at(-1)).toEqual({ guid: ONE, volumeIds: [VOLUME] });
    }, 20_000);
    expect([...agent.devices.keys()]).toEqual([machine.link(ONE)]);
    machine.mdm.map(volume, []);
    await machine.vanished(ONE);
    await vi.waitFor(() => {
      expect(machine.mdm.acks.at(-1)).toEqual({ guid: ONE, volumeIds: [] });
    }, 20_000);
  });

  test('come to an SDC that started before its array ever did', async () => {
    rmdirSync(join(machine.dir, 'fence'));
    await machine.agent(ONE);
    mkdirSync(join(machine.dir, 'fence'));
    machine.mdm.map(machine.volume(), [ONE]);
    await machine.appeared(ONE);
  });

  test('appear after the delay, which other mappings do not prolong', async () => {
    await machine.agent(ONE, { appearDelayMs: 400 });
    const since = performance.now();
    machine.mdm.map(machine.volume(), [ONE]);
    machine.mdm.map(machine.volume({ volumeId: OTHER, deviceFault: 'never' }), [ONE]);
    const others = setInterval(() => {
      machine.mdm.map(machine.volume({ volumeId: OTHER, deviceFault: 'never' }), [ONE]);
    }, 100);
    await machine.appeared(ONE).finally(() => {
      clearInterval(others);
    });
    expect(performance.now() - since).toBeGreaterThan(390);
    expect(await machine.links(ONE)).toHaveLength(1);
  });

  test('of a volume that is mapped to both hosts show both the same bytes', async () => {
    await machine.agent(ONE);
    await machine.agent(TWO);
    machine.mdm.map(machine.volume(), [ONE, TWO]);
    const flags = ['bs=4k', 'count=1', 'iflag=fullblock', 'status=none'];
    const one = await machine.appeared(ONE);
    await execa('dd', [...flags, `of=${one}`, 'oflag=direct', 'conv=notrunc'], { input: 'x'.repeat(4096) });
    const two = await execa('dd', [...flags, `if=${await machine.appeared(TWO)}`]);
    expect(two.stdout).toBe('x'.repeat(4096));
  });

  test.each(['ext4', 'xfs', 'btrfs'])('take %s while one with that is mounted', async (fs) => {
    await machine.agent(ONE);
    const at = join(machine.dir, 'at');
    mkdirSync(at);
    for (const volumeId of [VOLUME, OTHER]) {
      machine.mdm.map(machine.volume({ volumeId }), [ONE]);
      const link = await machine.appeared(ONE, volumeId);
      await execa(`mkfs.${fs}`, [link]);
      if (volumeId === VOLUME) await execa('mount', [link, at]);
    }
    await execa('umount', [at]);
  });

  test.each([false, true])('take what is flushed, whether it is to be durable (%s)', async (durable) => {
    await machine.agent(ONE);
    machine.mdm.map(machine.volume({ durable }), [ONE]);
    const link = await machine.appeared(ONE);
    await execa('dd', ['bs=4k', `of=${link}`, 'conv=fsync,notrunc'], { input: 'x'.repeat(65_536) });
  });

  test('of a read-only mapping refuse writing', async () => {
    await machine.agent(ONE);
    machine.mdm.map(machine.volume({ readOnly: true }), [ONE]);
    const link = await machine.appeared(ONE);
    expect((await execa('blockdev', ['--getro', link])).stdout).toBe('1');
    await expect(execa('dd', ['if=/dev/zero', `of=${link}`, 'count=1'])).rejects.toThrow();
  });

  test('take a new size on rescan, under a mounted file system too', async () => {
    await machine.agent(ONE);
    const volume = machine.volume();
    machine.mdm.map(volume, [ONE]);
    const link = await machine.appeared(ONE);
    await execa('mkfs.xfs', ['-f', '-q', link]);
    const mountpoint = join(machine.dir, 'm');
    mkdirSync(mountpoint);
    await execa('mount', [link, mountpoint]);
    truncateSync(volume.file, volume.sizeKiB * 2048);
    expect(await sizeKiB(link)).toBe(volume.sizeKiB);
    await drvCfg('--rescan');
    expect(await sizeKiB(link)).toBe(volume.sizeKiB * 2);
    await execa('xfs_growfs', [mountpoint]);
  });

  test.each(['pushed', 'rescan'] as const)(
    'hear of a new size from the MDM, or not: %s',
    async (sizeNews) => {
      await machine.agent(ONE, { sizeNews });
      const volume = machine.volume();
      machine.mdm.map(volume, [ONE]);
      const link = await machine.appeared(ONE);
      truncateSync(volume.file, volume.sizeKiB * 2048);
      machine.mdm.map({ ...volume, sizeKiB: volume.sizeKiB * 2 }, [ONE]);
      if (sizeNews === 'rescan') {
        // What is told later has been heard, so what came before has been, too.
        machine.mdm.map(machine.volume({ volumeId: OTHER }), [ONE]);
        await machine.appeared(ONE, OTHER);
        expect(await sizeKiB(link)).toBe(volume.sizeKiB);
        await drvCfg('--rescan');
      }
      await vi.waitFor(async () => {
        expect(await sizeKiB(link)).toBe(volume.sizeKiB * 2);
      }, 20_000);
    },
  );

  test('give space back to the volume on discard', async () => {
    await machine.agent(ONE);
    const volume = machine.volume();
    machine.mdm.map(volume, [ONE]);
    const link = await machine.appeared(ONE);
    await execa('dd', ['if=/dev/urandom', `of=${link}`, 'bs=1M', 'count=8', 'oflag=direct', 'conv=notrunc']);
    const used = statSync(volume.file).blocks;
    await execa('blkdiscard', [link]);
    expect(statSync(volume.file).blocks).toBeLessThan(used - 8 * 2048 + 64);
  });

  test('keep to the limits of the mapping', async () => {
    await machine.agent(ONE);
    machine.mdm.map(machine.volume({ limitBandwidthKiBps: 2048 }), [ONE]);
    const link = await machine.appeared(ONE);
    const since = performance.now();
    await execa('dd', ['if=/dev/zero', `of=${link}`, 'bs=256k', 'count=9', 'oflag=direct', 'conv=notrunc']);
    expect(performance.now() - since).toBeGreaterThan(990);
  });

  test('that are to be another volume’s differ in size', async () => {
    await machine.agent(ONE);
    const volume = machine.volume({ deviceFault: 'wrong' });
    machine.mdm.map(volume, [ONE]);
    expect(await sizeKiB(await machine.appeared(ONE))).toBe(volume.sizeKiB + 8 * 1024 * 1024);
  });

  test('can be nodes of their own, named as in the field', async () => {
    const agent = await machine.agent(ONE, { naming: 'scini' });
    machine.mdm.map(machine.volume(), [ONE]);
    machine.mdm.map(machine.volume({ volumeId: OTHER }), [ONE]);
    const links = await Promise.all([machine.appeared(ONE), machine.appeared(ONE, OTHER)]);
    const targets = await execa('readlink', links);
    expect(targets.stdout.split('\n').sort()).toEqual(['../../scinia', '../../scinib']);
    await agent.close();
    expect((await execa('ls', [join(machine.dir, ONE, 'dev')])).stdout).toBe('disk');
  });
});

describe('the connection', () => {
  test('tells who it is', async () => {
    await machine.agent(ONE);
    expect(machine.mdm.hellos[0]).toEqual({
      guid: ONE,
      ip: '10.0.0.9',
      osType: 'Linux',
      version: 'R3_6.0.0',
    });
  });

  test('counts as lost without pings, and is made again', async () => {
    const agent = await machine.agent(ONE);
    machine.mdm.pings = false;
    await vi.waitFor(() => {
      expect(machine.mdm.hellos.length).toBeGreaterThan(1);
    }, 20_000);
    machine.mdm.pings = true;
    await vi.waitFor(() => {
      expect(agent.connected).toBe(true);
    }, 20_000);
  });

  test('keeps trying an MDM that refuses it', async () => {
    machine.mdm.refuses = 'The SDC is not approved';
    const log: string[] = [];
    const agent = await startAgent(machine.options(ONE, { log: (line) => log.push(line) }));
    machine.agents.push(agent);
    await vi.waitFor(() => {
      expect(log.join()).toContain('not approved');
    }, 20_000);
    machine.mdm.refuses = undefined;
    await vi.waitFor(() => {
      expect(agent.connected).toBe(true);
    }, 20_000);
  });

  test('carries what the devices did', async () => {
    await machine.agent(ONE);
    machine.mdm.map(machine.volume(), [ONE]);
    const link = await machine.appeared(ONE);
    await execa('dd', ['if=/dev/zero', `of=${link}`, 'bs=1M', 'count=4', 'oflag=direct', 'conv=notrunc']);
    await vi.waitFor(() => {
      const written = machine.mdm.io.flatMap((report) => report.volumes.map((volume) => volume.writeKiB));
      expect(written.reduce((sum, each) => sum + each, 0)).toBe(4096);
    }, 20_000);
  });
});

test('a second agent on the same host is refused', async () => {
  await machine.agent(ONE);
  await expect(startAgent(machine.options(ONE))).rejects.toThrow('Another SDC agent answers');
});

test('what a host without power left is swept', async () => {
  const agent = await machine.agent(ONE);
  machine.mdm.map(machine.volume(), [ONE]);
  await machine.appeared(ONE);
  await agent.powerOff();
  expect(await machine.links(ONE)).toHaveLength(1);
  await sweepHost({ guid: ONE, devDir: join(machine.dir, ONE, 'dev'), fenceDir: machine.mdm.fenceDir });
  expect(await machine.links(ONE)).toEqual([]);
});

async function drvCfg(
  ...flags: string[]
): Promise<{ stdout: string; stderr: string; exitCode: number | undefined }> {
  const socket = join(machine.dir, ONE, 'dev/disk/by-id/.scini');
  const ran = await execa(machine.drvCfg, flags, { reject: false, env: { SCINI_SOCKET: socket } });
  return { stdout: ran.stdout, stderr: ran.stderr, exitCode: ran.exitCode };
}

describe('drv_cfg', () => {
  const NO_ID = '0000000000000000';

  test('is linked dynamically', async () => {
    expect((await execa('ldd', [machine.drvCfg])).stdout).toContain('libc.so.6');
  });

  test('prints the GUID in capitals', async () => {
    await machine.agent(ONE);
    expect(await drvCfg('--query_guid')).toMatchObject({ stdout: ONE, stderr: '', exitCode: 0 });
  });

  test('prints what is mapped', async () => {
    await machine.agent(ONE);
    expect((await drvCfg('--query_vols')).stdout).toBe('Retrieved 0 volume(s)');
    machine.mdm.map(machine.volume(), [ONE]);
    await machine.appeared(ONE);
    expect((await drvCfg('--query_vols')).stdout).toBe(
      `Retrieved 1 volume(s)\nVOL-ID ${VOLUME} MDM-ID ${SYSTEM_ID}`,
    );
  });

  test.each(['--query_mdms', '--query_mdm'])('prints the MDMs: %s', async (flag) => {
    await machine.agent(ONE);
    expect((await drvCfg(flag)).stdout).toBe(
      `Retrieved 1 mdm(s)\nMDM-ID ${SYSTEM_ID} SDC ID 6b18479c00000003 INSTALLATION ID 68ab55462cbb3ae4 ` +
        'IPs [0]-10.0.0.1 [1]-10.0.0.2',
    );
  });

  test('lists an unreachable cluster with zero ids', async () => {
    machine.agents.push(await startAgent(machine.options(ONE, { mdms: ['http://127.0.0.1:1'] })));
    expect((await drvCfg('--query_mdms')).stdout).toBe(
      `Retrieved 1 mdm(s)\nMDM-ID ${NO_ID} SDC ID ${NO_ID} INSTALLATION ID ${NO_ID} IPs [0]-127.0.0.1`,
    );
  });

  test('adds, changes and removes MDMs, with and without an equals sign, and saves them', async () => {
    const file = join(machine.dir, 'drv_cfg.txt');
    await machine.agent(ONE);
    expect(await drvCfg('--add_mdm', '--ip=127.0.0.2,127.0.0.3', '--file', file)).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    expect(readFileSync(file, 'utf8')).toBe('mdm 127.0.0.1\nmdm 127.0.0.2,127.0.0.3\n');
    expect(await drvCfg('--add_mdm', '--ip', '127.0.0.3')).toMatchObject({ exitCode: 1 });
    await drvCfg('--mod_mdm_ip', '--ip', '127.0.0.2', '--new_mdm_ip', '127.0.0.4', '--file', file);
    expect(readFileSync(file, 'utf8')).toBe('mdm 127.0.0.1\nmdm 127.0.0.4\n');
    expect(await drvCfg('--remove_mdm', '--ip', '127.0.0.9')).toMatchObject({ exitCode: 1 });
    await drvCfg('--remove_mdm', '--ip', '127.0.0.4', '--file', file);
    expect((await drvCfg('--query_mdms')).stdout).toContain('Retrieved 1 mdm(s)');
    expect(readFileSync(file, 'utf8')).toBe('mdm 127.0.0.1\n');
  });

  test('finds saved MDMs again after a restart', async () => {
    const { stateDir } = machine.options(ONE);
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(join(stateDir, 'drv_cfg.txt'), '# comment\nmdm 127.0.0.7\n');
    machine.agents.push(await startAgent(machine.options(ONE)));
    expect((await drvCfg('--query_mdms')).stdout).toContain('IPs [0]-127.0.0.7');
  });

  test.each([[[]], [['--query_tgts']], [['--add_mdm']], [['stray']], [['--query_guid', '--rescan']]])(
    'explains itself and fails: %s',
    async (flags) => {
      const { exitCode, stderr, stdout } = await drvCfg(...flags);
      expect(exitCode).not.toBe(0);
      expect(stdout).toBe('');
      expect(stderr).toContain('--remove_mdm');
    },
  );

  test('fails when no agent runs', async () => {
    const { exitCode, stderr } = await drvCfg('--query_guid');
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('scini module');
  });

  test('can silence the SDC and let it speak again', async () => {
    const agent = await machine.agent(ONE);
    agent.silence();
    expect((await drvCfg('--query_mdms')).stdout).toContain(NO_ID);
    await vi.waitFor(() => {
      expect(machine.mdm.connected(ONE)).toBe(false);
    }, 20_000);
    agent.resume();
    await vi.waitFor(() => {
      expect(agent.connected).toBe(true);
    }, 20_000);
  });
});
