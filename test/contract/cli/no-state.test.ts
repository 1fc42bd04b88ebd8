import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../../lab/hosts/until.ts';
import { socketClient, type Outcome } from '../docker/target.ts';

const main = path.resolve(import.meta.dirname, '../../../src/main.ts');

/** `serve` on a socket of its own. */
async function serving(env: Record<string, string>) {
  const dir = await mkdtemp(path.join(tmpdir(), 'no-state-'));
  const process = spawn(globalThis.process.execPath, [main, 'serve', '--socket', path.join(dir, 's.sock')], {
    stdio: 'ignore',
    env: {
      PATH: globalThis.process.env['PATH'],
      SCALEIO_ENDPOINT: 'http://127.0.0.1:1',
      SCALEIO_USERNAME: 'admin',
      SCALEIO_PASSWORD: 'not-a-password-of-anybody',
      SCALEIO_MOUNT_ROOT: path.join(dir, 'volumes'),
      ...env,
    },
  });
  const end = async (): Promise<void> => {
    if (process.exitCode !== null || process.signalCode !== null) return;
    process.kill('SIGTERM');
    await once(process, 'exit');
  };
  onTestFinished(async () => {
    await end();
    await rm(dir, { recursive: true });
  });
  const client = socketClient(path.join(dir, 's.sock'));
  onTestFinished(() => {
    client.end();
  });
  const ask = (where: string, body?: object): Promise<Outcome> =>
    client.request({
      path: where,
      method: body === undefined ? 'GET' : 'POST',
      body: body && JSON.stringify(body),
    });
  await until('the plugin to listen', async () => (await ask('/healthz')).kind === 'answer');
  return { ask, end };
}

const VOLUME = { Name: 'db', ID: 'container-1' };

/** That nothing is told and nothing changed, and why. */
async function expectRefusals(
  ask: (where: string, body?: object) => Promise<Outcome>,
  reason: RegExp,
): Promise<void> {
  const text = expect.stringMatching(reason) as string;
  expect(await ask('/Plugin.Activate', {})).toMatchObject({ status: 200 });
  expect(await ask('/VolumeDriver.Get', VOLUME)).toEqual({ kind: 'dropped' });
  for (const call of ['Create', 'Mount', 'Remove', 'Unmount', 'Path', 'List'])
    expect(await ask(`/VolumeDriver.${call}`, VOLUME), call).toMatchObject({ status: 500, text });
  expect(await ask('/readyz')).toMatchObject({ status: 503, text });
}

test('a plugin whose own directories are among the mistakes tells of nothing, changes nothing, and says why', async () => {
  const { ask } = await serving({ SCALEIO_STATE_DIR: 'state' });
  await expectRefusals(ask, /SCALEIO_STATE_DIR: .{1,9}state.{1,3} is not an absolute path/);
});

test('so does one whose state directory another works with, and it goes on by itself when that one has ended', async () => {
  const state = await mkdtemp(path.join(tmpdir(), 'state-'));
  onTestFinished(() => rm(state, { recursive: true }));
  const first = await serving({ SCALEIO_STATE_DIR: state });
  const second = await serving({ SCALEIO_STATE_DIR: state });
  await expectRefusals(second.ask, /process \d+ works with it/);
  await first.end();
  await until('the state directory to be taken up', async () => {
    const outcome = await second.ask('/VolumeDriver.Path', VOLUME);
    return outcome.kind === 'answer' && outcome.status === 200;
  });
});

test('a plugin whose state directory cannot be made listens, and makes and mounts nothing', async () => {
  // Node would try for ever to make it.
  const { ask } = await serving({ SCALEIO_STATE_DIR: '/proc/none/state' });
  for (const call of ['Create', 'Mount'])
    expect(await ask(`/VolumeDriver.${call}`, VOLUME)).toMatchObject({ status: 500 });
});
