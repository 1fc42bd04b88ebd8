import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { simulate } from '../../src/command.ts';
import { newSecret } from '../../../test/secrets/used.ts';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'simulate-command-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function run(argv: string[]) {
  let output = '';
  const handlers: (() => void)[] = [];
  const io = {
    stdout: { write: (text: string) => (output += text) },
    onSignal: (_: string, handler: () => void) => void handlers.push(handler),
  };
  const done = simulate(argv, io);
  return {
    done,
    output: () => output,
    end: () => {
      handlers[0]?.();
    },
  };
}

test('says where it listens and what to set, and ends when asked to', async () => {
  const dir = await folder();
  const password = newSecret('password');
  const config = join(dir, 'config.json');
  await writeFile(config, JSON.stringify({ systemName: 'lab', users: [{ name: 'docker', password }] }));
  const command = run([
    '--dir',
    join(dir, 'state'),
    '--version',
    '4.5',
    '--gateways',
    '2',
    '--config',
    config,
    '--faults',
  ]);
  await vi.waitFor(
    () => {
      expect(command.output()).toContain('Ready.');
    },
    { timeout: 5000 },
  );
  const endpoints = /SCALEIO_ENDPOINT=(\S+)/.exec(command.output())?.[1]?.split(',') ?? [];
  expect(endpoints).toHaveLength(2);
  const authorization = `Basic ${btoa(`docker:${password}`)}`;
  for (const endpoint of endpoints) {
    expect((await fetch(`${endpoint}/login`, { headers: { authorization } })).status).toBe(200);
  }
  expect(command.output()).toContain('SCALEIO_USERNAME=docker');
  expect(command.output()).not.toContain(password);
  command.end();
  await command.done;
  await expect(fetch(`${endpoints[0] ?? ''}/login`)).rejects.toThrow();
});

test('help, and wrong options, start nothing', async () => {
  const help = run(['--help']);
  await expect(help.done).rejects.toMatchObject({ exitCode: 0 });
  expect(help.output()).toContain('Usage: simulate');
  await expect(run(['--version', '1.0']).done).rejects.toThrow('2.6, 3.6, 4.5');
  await expect(run(['--listen', 'nowhere']).done).rejects.toThrow('HOST:PORT');
  await expect(run(['--nonsense']).done).rejects.toThrow('nonsense');
});
