import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { simulate, type ArrayCommandNames, type RunningArray } from '../../src/array-command.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

/** On a machine with much else to do. */
const PATIENT = { timeout: 20_000 };

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'simulate-command-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function run(argv: string[], names?: ArrayCommandNames) {
  let output = '';
  const { promise: untilStopped, resolve: end } = Promise.withResolvers<undefined>();
  const print = (text: string) => void (output += `${text}\n`);
  const done = simulate(argv, { print, untilStopped }, names);
  return {
    done,
    output: () => output,
    end: () => {
      end(undefined);
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
  const endpoints = [...command.output().matchAll(/^ {2}gateway +(\S+)$/gm)].map(([, url]) => url ?? '');
  expect(endpoints).toHaveLength(2);
  const authorization = `Basic ${btoa(`docker:${password}`)}`;
  for (const endpoint of endpoints) {
    expect((await fetch(`${endpoint}/login`, { headers: { authorization } })).status).toBe(200);
  }
  expect(command.output()).toContain('user      docker, password as configured');
  expect(command.output()).toMatch(/^scaleio-simulator sdc --guid /m);
  expect(command.output()).not.toContain(password);
  command.end();
  await command.done;
  await expect(fetch(`${endpoints[0] ?? ''}/login`)).rejects.toThrow();
});

test('help, and wrong options, start nothing', async () => {
  const help = run(['--help']);
  await expect(help.done).rejects.toMatchObject({ exitCode: 0 });
  expect(help.output()).toContain('Usage: scaleio-simulator ');
  await expect(run(['--version', '1.0']).done).rejects.toThrow('2.6, 3.6, 4.5');
  await expect(run(['--listen', 'nowhere']).done).rejects.toThrow('HOST:PORT');
  await expect(run(['--nonsense']).done).rejects.toThrow('nonsense');
});

test('a program that offers the command has its own words in what is said', async () => {
  const more = ({ urls, user, password }: RunningArray) => [`${user}:${password ?? '?'} at ${urls.join()}`];
  const command = run(['--dir', await folder()], { array: 'play', sdc: 'play-sdc', more });
  await vi.waitFor(() => {
    expect(command.output()).toContain('Ready.');
  }, PATIENT);
  expect(command.output()).toMatch(/^admin:Scaleio123 at http:\/\/127\.0\.0\.1:\d+$/m);
  expect(command.output()).toMatch(/^play-sdc --guid /m);
  expect(command.output()).not.toContain('scaleio-simulator');
  command.end();
  await command.done;
});
