import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { pino } from 'pino';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { startApp, type App, type SettingsNow } from '../../../src/apps/plugin.ts';
import { FlawedSettingsError, loadSettings } from '../../../src/config/load-settings.ts';
import { readBootId } from '../../../src/host/boot.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { lockDirectory } from '../../../src/journal/directory-lock.ts';
import { journalFiles } from '../../../src/journal/journal-files.ts';
import { until } from '../../../lab/hosts/until.ts';
import { socketClient } from './target.ts';

/* The program in this process, whose settings are now wrong, now right and yet of no use, now wrong as before. */

let app: App | undefined;
let directory = '';

afterEach(async () => {
  await app?.close();
  await rm(directory, { recursive: true, force: true });
});

function settingsWith(more: Readonly<Record<string, string>>): SettingsNow {
  const env = {
    SCALEIO_ENDPOINT: 'http://127.0.0.1:9',
    SCALEIO_USERNAME: 'docker',
    SCALEIO_PASSWORD: 'of nobody',
    SCALEIO_GUID: 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50',
    SCALEIO_SOCKET: path.join(directory, 's.sock'),
    SCALEIO_STATE_DIR: path.join(directory, 'state'),
    SCALEIO_MOUNT_ROOT: path.join(directory, 'mounts'),
    ...more,
  };
  try {
    return loadSettings({
      env,
      readFile: (file) => (file.endsWith('gone.pem') ? (rootCertificates[0] ?? '') : ''),
    });
  } catch (error) {
    if (error instanceof FlawedSettingsError) return error;
    throw error;
  }
}

test('a file that goes while the settings are taken up leaves nobody behind whose records are closed', async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'dvs-change-'));
  const flawed = (): SettingsNow => settingsWith({ SCALEIO_FS: 'ext5' });
  // Right when it is read, and gone when it is opened.
  const gone = (): SettingsNow => settingsWith({ SCALEIO_CA_FILE: path.join(directory, 'gone.pem') });
  let now = flawed;
  let reads = 0;
  app = await startApp({
    log: pino({ level: 'silent' }),
    droppedLines: () => 0,
    version: '1',
    lockDir: directory,
    mendedMs: 5,
    readSettings: () => {
      reads += 1;
      return now();
    },
    systemd: { listenFds: undefined, listenPid: undefined, ownPid: process.pid },
  });
  const client = socketClient(path.join(directory, 's.sock'));
  const create = async (): Promise<string> => {
    const outcome = await client.request({ path: '/VolumeDriver.Create', body: '{"Name":"db"}' });
    return outcome.kind === 'dropped' ? '' : outcome.text;
  };
  const hasLock = (): Promise<boolean> =>
    readFile(path.join(directory, 'state/lock')).then(
      () => true,
      () => false,
    );
  expect(await create()).toContain('SCALEIO_FS');
  expect(await hasLock()).toBe(true);
  now = gone;
  await until('the reason to be told', async () => (await create()).includes('ENOENT'));
  now = flawed;
  const before = reads;
  await until('the mistakes to be looked at again', () => Promise.resolve(reads > before + 2));
  expect(await create()).toContain('SCALEIO_FS');
  expect(await hasLock()).toBe(true);
  client.end();
});

test('a warning is told once the settings are in force, and not at each try before', async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'dvs-change-'));
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => lines.push(line) });
  const told = (what: string): number => lines.filter((line) => line.includes(what)).length;
  const holder = spawn('sleep', ['600']);
  await once(holder, 'spawn');
  onTestFinished(() => void holder.kill());
  // Another process works with the state directory.
  await mkdir(path.join(directory, 'state'));
  const owner = { pid: holder.pid ?? 0, bootId: await readBootId(process.pid), clock: systemClock };
  const letGo = await lockDirectory({
    ...owner,
    dir: path.join(directory, 'state'),
    files: journalFiles,
    log,
  });
  let reads = 0;
  app = await startApp({
    log,
    droppedLines: () => 0,
    version: '1',
    lockDir: directory,
    mendedMs: 5,
    readSettings: () => {
      reads += 1;
      return settingsWith({});
    },
    systemd: { listenFds: undefined, listenPid: undefined, ownPid: process.pid },
  });
  await until('many tries', () => Promise.resolve(reads > 10));
  expect(told('cannot serve volumes')).toBe(1);
  expect(told('works with it')).toBe(1);
  expect(told('is not encrypted')).toBe(0);
  await letGo();
  await until('the settings to be in force', () => Promise.resolve(told('mended: serving volumes') > 0));
  expect(told('is not encrypted')).toBe(1);
});
