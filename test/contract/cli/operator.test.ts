import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { startApp, type App } from '../../../src/apps/plugin.ts';
import type { HostId } from '../../../src/array/ids.ts';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { FlawedSettingsError, loadSettings } from '../../../src/config/load-settings.ts';
import { readBootId } from '../../../src/host/boot.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { lockDirectory } from '../../../src/journal/directory-lock.ts';
import { journalFiles } from '../../../src/journal/journal-files.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';
import { pluginEnv } from '../docker/plugin-env.ts';
import { newVolume, simulated, soon } from '../gateway/simulated.ts';

/* Commands that change something, beside the plugin that runs on this host, beside none, and beside one that cannot be asked. */

const OTHER = '22222222-2222-2222-2222-222222222222';

/** "db" held by another host; the settings of this host's plugin, and the commands. */
async function scene(more: Record<string, string> = {}) {
  const directory = await mkdtemp(path.join(tmpdir(), 'dvs-operator-'));
  onTestFinished(async () => {
    await execa('umount', ['--recursive', path.join(directory, 'mounts')], { reject: false });
    await rm(directory, { recursive: true });
  });
  const { simulator, gateway } = await simulated({ version: '3.6' });
  const other = await simulator.connectSdc({ guid: OTHER, ip: '10.0.0.2', name: 'host2' });
  const id = await gateway.createVolume(await newVolume(gateway, 'docker-db'), soon());
  await gateway.attachVolume({ volumeId: id, hostId: other.id as HostId, readOnly: false }, soon());
  const env = pluginEnv(directory, simulator.urls.join());
  const lines: string[] = [];
  const app = (): Promise<App> =>
    startApp({
      log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
      droppedLines: () => 0,
      version: '1',
      lockDir: directory,
      readSettings: () => {
        try {
          return loadSettings({ env: { ...env, ...more }, readFile: () => '' });
        } catch (error) {
          if (error instanceof FlawedSettingsError) return error;
          throw error;
        }
      },
      systemd: { listenFds: undefined, listenPid: undefined, ownPid: process.pid },
    });
  const started = async (): Promise<void> => {
    const running = await app();
    onTestFinished(() => running.close());
  };
  const run = async (...args: readonly string[]) => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCommandLine({
      argv: ['volume', ...args],
      env,
      pid: process.pid,
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
      onSignal: () => undefined,
    });
    return { code, out: out.join(''), err: err.join('') };
  };
  const isHeld = async (): Promise<boolean> =>
    (await gateway.getVolume(id, soon()))?.attachments.length === 1;
  const stateDir = env.SCALEIO_STATE_DIR;
  return { simulator, id, stateDir, started, run, isHeld, said: () => lines.join('') };
}

it('has the running plugin take a volume by force, count it, and keep the record', async () => {
  const { started, run, isHeld, said, stateDir } = await scene();
  await started();
  const { code, out, err } = await run('force-release', 'db', '--yes');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/taken: from host host2 .* by operator \w+ on \S+, policy forced/);
  expect(await isHeld()).toBe(false);
  expect(said()).toContain('operator asks');
  expect(said()).toContain('"policy":"forced"');
  await expect(readFile(path.join(stateDir, 'forced-fences'))).rejects.toThrow('ENOENT');
  expect((await run('show', 'db')).out).toMatch(/last fence .* policy forced/);
});

it('has the running plugin change a failover policy', async () => {
  const { simulator, id, started, run, said } = await scene();
  await started();
  expect(await run('failover', 'db', 'never', '--yes')).toMatchObject({ code: 0, err: '' });
  const names = [...simulator.array.cluster.state.volumes.values()].map(({ name }) => name);
  expect(names).toContain(`~never.${id}`);
  expect(said()).toContain('operator asks');
});

it('does it by itself where no plugin runs, says so, and lets go of the directory', async () => {
  const { run, isHeld, stateDir, started, said } = await scene();
  const { code, err } = await run('force-release', 'db', '--yes');
  expect([code, err]).toEqual([
    0,
    `no plugin works with "${stateDir}" on this host, so this command does it by itself\n`,
  ]);
  expect(await isHeld()).toBe(false);
  await expect(readFile(path.join(stateDir, 'lock'))).rejects.toThrow('ENOENT');
  await started();
  expect(said()).not.toContain('cannot serve volumes');
});

it('passes on why a plugin whose settings have mistakes does nothing, and does not do it behind its back', async () => {
  const { started, run, isHeld } = await scene({ SCALEIO_FS: 'ext5' });
  await started();
  const { code, err } = await run('force-release', 'db', '--yes');
  expect([code, err]).toEqual([1, expect.stringContaining('SCALEIO_FS')]);
  expect(await isHeld()).toBe(true);
});

it('does nothing beside a plugin that works with the directory and cannot be asked', async () => {
  const { run, isHeld, stateDir } = await scene();
  const holder = spawn('sleep', ['600']);
  await once(holder, 'spawn');
  onTestFinished(() => void holder.kill());
  await mkdir(stateDir);
  const owner = { pid: holder.pid ?? 0, bootId: await readBootId(process.pid), clock: systemClock };
  await lockDirectory({ ...owner, dir: stateDir, files: journalFiles, log: silentLog });
  const { code, err } = await run('force-release', 'db', '--yes');
  expect([code, err]).toEqual([
    9,
    expect.stringMatching(
      /^docker-volume-scaleio: nothing was done: a plugin works with .* does not listen to operators/,
    ),
  ]);
  expect(await isHeld()).toBe(true);
});
