import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';

/* Rule 18: the program itself, killed as nobody can prevent. */

const main = path.resolve(import.meta.dirname, '../../src/main.ts');

async function folder(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'temporary-folder-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

async function startSimulator(parent: string): Promise<ChildProcess> {
  const program = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], TMPDIR: parent },
  });
  onTestFinished(() => end(program, 'SIGKILL'));
  let said = '';
  program.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  await vi.waitFor(() => {
    expect(said).toContain('Ready.');
  }, 30_000);
  return program;
}

async function end(program: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const gone = once(program, 'exit');
  program.kill(signal);
  await gone;
}

test('the folder of a simulator that was killed goes when the next one starts', async () => {
  const parent = await folder();
  const killed = await startSimulator(parent);
  const [left = ''] = await readdir(parent);
  await end(killed, 'SIGKILL');
  expect(await readdir(parent)).toEqual([left]);
  const next = await startSimulator(parent);
  expect(await readdir(parent)).not.toContain(left);
  await end(next, 'SIGTERM');
  expect(await readdir(parent)).toEqual([]);
});
