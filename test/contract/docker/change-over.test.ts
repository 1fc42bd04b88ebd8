import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { startApp, type App, type SettingsNow } from '../../../src/apps/plugin.ts';
import { FlawedSettingsError, loadSettings } from '../../../src/config/load-settings.ts';
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
    ...{
      log: pino({ level: 'silent' }),
      droppedLines: () => 0,
      version: '1',
      lockDir: directory,
      mendedMs: 5,
    },
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
