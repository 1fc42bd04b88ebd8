import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, expect, test } from 'vitest';
import { socketClient } from '../../contract/docker/target.ts';
import { until } from '../../../lab/hosts/until.ts';
import { startBundledStack, type BundledStack } from '../docker/bundled-stack.ts';

/* The bundled program with an array and a real device, at the level that logs each gateway request and each program that it runs. */

/** What the kernel keeps for the reader of a pipe, bytes. */
const PIPE_HOLDS = 64 * 1024;

let stack: BundledStack;
let end = (): Promise<unknown> => Promise.resolve();

afterEach(async () => {
  await end();
  await stack.close();
});

test('500 calls are answered while nobody reads the log, and who reads it later finds it', async () => {
  stack = await startBundledStack();
  await stack.endPlugin();
  const pipe = path.join(stack.directory, 'stdout');
  await execa('mkfifo', [pipe]);
  const reader = await open(pipe, 'r+');
  // Opened by the shell, so that writing to it waits, unless the program sees to that.
  const program = spawn('sh', ['-c', 'exec "$@" >"$0"', pipe, ...stack.plugin.argv], {
    stdio: 'ignore',
    env: { ...process.env, ...stack.plugin.env, SCALEIO_LOG_LEVEL: 'debug' },
  });
  const gone = once(program, 'exit');
  end = async () => {
    program.kill('SIGKILL');
    await gone;
    await reader.close();
  };
  const client = socketClient(stack.socketPath);
  const call = async (operation: string, body: object): Promise<string> => {
    const outcome = await client.request({ path: `/VolumeDriver.${operation}`, body: JSON.stringify(body) });
    if (outcome.kind === 'dropped') throw new Error(`${operation} was not answered`);
    return outcome.text;
  };
  await until('the plugin to listen', () => call('Capabilities', {}).then(Boolean, () => false));
  expect(await call('Create', { Name: 'db', Opts: {} })).toBe('{}');
  expect(await call('Mount', { Name: 'db', ID: 'a' })).toContain('/docker-db');
  for (let answered = 2; answered < 500; answered += 10) {
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => call('Get', { Name: 'db' })),
      call('List', {}),
      call('Path', { Name: 'db' }),
    ]);
    for (const answer of answers) expect(answer).toContain('docker-db');
  }
  expect(await call('Unmount', { Name: 'db', ID: 'a' })).toBe('{}');
  expect(await call('Remove', { Name: 'db' })).toBe('{}');
  client.end();
  let read = 0;
  while (read < 1.5 * PIPE_HOLDS) read += (await reader.read()).bytesRead;
});
