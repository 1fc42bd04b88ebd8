import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { socketClient } from '../../contract/docker/target.ts';
import { until } from '../../hosts/until.ts';
import { startBundledStack, type BundledStack } from '../docker/bundled-stack.ts';

/* The bundled program with an array and a real device, at the level that logs each gateway request and each program that it runs. */

let stack: BundledStack;
let end = (): Promise<unknown> => Promise.resolve();

afterEach(async () => {
  await end();
  await stack.close();
});

test('1000 calls are answered while nobody reads the log, and who reads it later finds it', async () => {
  stack = await startBundledStack();
  await stack.endPlugin();
  const [node, ...args] = stack.plugin.argv;
  const program = spawn(node, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...stack.plugin.env, SCALEIO_LOG_LEVEL: 'debug' },
  });
  const gone = once(program, 'exit');
  end = () => {
    program.kill('SIGTERM');
    return gone;
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
  for (let answered = 2; answered < 1000; answered += 20) {
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => call('Get', { Name: 'db' })),
      call('List', {}),
      call('Path', { Name: 'db' }),
    ]);
    for (const answer of answers) expect(answer).toContain('docker-db');
    // Each a long line of the log.
    const long = Array.from({ length: 10 }, () => call('Path', { Name: 'x'.repeat(200) }));
    for (const answer of await Promise.all(long)) expect(answer).toContain('Mountpoint');
  }
  expect(await call('Unmount', { Name: 'db', ID: 'a' })).toBe('{}');
  expect(await call('Remove', { Name: 'db' })).toBe('{}');
  client.end();
  // More by far than the kernel holds for a reader (208 KiB): the program kept it for whoever would read after all.
  const log = text(program.stdout);
  program.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
  expect((await log).length).toBeGreaterThan(256 * 1024);
});
