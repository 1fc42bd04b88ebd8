import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../../lab/hosts/until.ts';

/* The program as it runs, with stdout or stderr a pipe that somebody holds and does not read. */

const main = path.resolve(import.meta.dirname, '../../../src/main.ts');

interface Program {
  readonly process: ChildProcess & { readonly stdout: NonNullable<ChildProcess['stdout']> };
  /** Posts a call of an engine, or gets a page; answers its body. */
  readonly ask: (method: 'POST' | 'GET', path: string) => Promise<string>;
}

/** `serve` in front of a gateway that is away: each call of an engine is a line at least. */
async function unreadPlugin(env: Record<string, string> = {}): Promise<Program> {
  const dir = await mkdtemp(path.join(tmpdir(), 'unread-output-'));
  const socketPath = path.join(dir, 'plugin.sock');
  const places = ['--socket', socketPath, '--state-dir', dir, '--mount-root', path.join(dir, 'volumes')];
  const process = spawn(globalThis.process.execPath, [main, 'serve', ...places], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: globalThis.process.env['PATH'],
      SCALEIO_ENDPOINT: 'http://127.0.0.1:1',
      SCALEIO_USERNAME: 'admin',
      SCALEIO_PASSWORD: 'not-a-password-of-anybody',
      SCALEIO_GUID: '00000000-0000-0000-0000-000000000000',
      SCALEIO_LOG_LEVEL: 'debug',
      ...env,
    },
  });
  onTestFinished(async () => {
    if (process.exitCode === null && process.signalCode === null) {
      process.kill('SIGKILL');
      await once(process, 'exit');
    }
    await rm(dir, { recursive: true });
  });
  const ask = async (method: 'POST' | 'GET', where: string): Promise<string> => {
    const sent = request({
      socketPath,
      path: where,
      method,
      agent: false,
      signal: AbortSignal.timeout(10_000),
    });
    sent.end(method === 'POST' ? JSON.stringify({ Name: 'x'.repeat(200) }) : undefined);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return text(response);
  };
  await until('the plugin to listen', () => ask('GET', '/healthz').then(Boolean, () => false));
  return { process, ask };
}

async function droppedLines(program: Program): Promise<number> {
  const metrics = await program.ask('GET', '/metrics');
  return Number(/^scaleio_log_lines_dropped_total (\d+)$/m.exec(metrics)?.[1]);
}

/** More lines than a pipe and the program's own buffer can hold. */
async function callUntilDropped(program: Program): Promise<void> {
  for (let calls = 0; calls < 20_000; calls += 100) {
    await Promise.all(Array.from({ length: 100 }, () => program.ask('POST', '/VolumeDriver.Capabilities')));
    if ((await droppedLines(program)) > 0) return;
  }
  throw new Error('no line was dropped');
}

test('no call waits for a log that nobody reads; what is lost is counted, and said when it flows again', async () => {
  const program = await unreadPlugin();
  await callUntilDropped(program);
  expect(await program.ask('POST', '/Plugin.Activate')).toContain('VolumeDriver');
  const dropped = await droppedLines(program);
  let read = '';
  program.process.stdout.setEncoding('utf8').on('data', (chunk: string) => (read += chunk));
  await until('the line that says so', () => read.includes('lines of this log were dropped'));
  const lines = read.trimEnd().split('\n');
  const said = lines.map((line) => JSON.parse(line) as { msg: string; dropped?: number });
  expect(said.find(({ msg }) => msg.startsWith('lines of this log'))?.dropped).toBe(dropped);
});

test('a program whose log nobody reads ends when it is asked to', async () => {
  const program = await unreadPlugin();
  await callUntilDropped(program);
  program.process.kill('SIGTERM');
  const [code] = (await once(program.process, 'exit', { signal: AbortSignal.timeout(10_000) })) as [number];
  expect(code).toBe(0);
});

test('what was logged is there when the program was killed in the next moment', async () => {
  const program = await unreadPlugin();
  await program.ask('POST', '/VolumeDriver.Capabilities');
  program.process.kill('SIGKILL');
  expect(await text(program.process.stdout)).toContain('"msg":"listening"');
});

test('a program that fails ends, and says why, also where stderr is a pipe', async () => {
  const process = spawn(globalThis.process.execPath, [main, 'config'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { SCALEIO_ENDPOINT: 'nonsense' },
  });
  onTestFinished(() => void process.kill('SIGKILL'));
  const [[code], said] = await Promise.all([
    once(process, 'exit') as Promise<[number]>,
    text(process.stderr),
  ]);
  expect(code).toBe(1);
  expect(said).toContain('docker-volume-scaleio: ');
});
