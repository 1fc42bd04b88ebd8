import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { connectGateway } from '../../../src/apps/array-connection.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { startSimulator } from 'scaleio-simulator';
import { PASSWORD, soon } from './simulated.ts';

const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

test('a password that was wrong at the start works as soon as its file is right', async () => {
  const simulator = await startSimulator({ users: [{ name: 'admin', password: PASSWORD }] });
  onTestFinished(() => simulator.close());
  const directory = await mkdtemp(path.join(tmpdir(), 'password-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = path.join(directory, 'password');
  await writeFile(file, 'not yet\n');
  const env = {
    SCALEIO_ENDPOINT: simulator.urls.join(),
    SCALEIO_USERNAME: 'admin',
    SCALEIO_PASSWORD_FILE: file,
  };
  const { settings, passwordFile } = loadSettings({ env, readFile: (name) => readFileSync(name, 'utf8') });
  expect(passwordFile).toBe(file);
  const gateway = await connectGateway(settings, log, { passwordFile });
  onTestFinished(() => gateway.close());
  await expect(gateway.identity(soon())).rejects.toMatchObject({ code: 'GATEWAY_AUTH' });
  await writeFile(file, `${PASSWORD}\n`);
  // A refusal is believed for five seconds, so that no account gets locked.
  const identity = await vi.waitFor(() => gateway.identity(soon()), { timeout: 15_000, interval: 200 });
  expect(identity.systemId).toBe(simulator.systemId);
});

test('a password that is no file stays as it is', () => {
  const env = { SCALEIO_ENDPOINT: 'https://gw', SCALEIO_USERNAME: 'u', SCALEIO_PASSWORD: 'p' };
  expect(loadSettings({ env, readFile: () => '' }).passwordFile).toBeUndefined();
});
