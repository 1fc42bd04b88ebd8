import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { EXIT_STATUSES, statusOf } from '../../../src/cli/exit-status.ts';
import { ERROR_CODES, InvalidRequestError, UsageError, VolumeInUseError } from '../../../src/errors.ts';
import { readFileSync } from 'node:fs';

async function printed(...argv: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const status = await runCommandLine({
    argv,
    env: {},
    pid: process.pid,
    stdout: { write: (words) => (out += words) },
    stderr: { write: (words) => (err += words) },
    onSignal: () => undefined,
  });
  return { status, out, err };
}

/** The script in a file of a directory that also holds "file-of-mine". */
async function scriptFor(shell: string): Promise<{ file: string; dir: string }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'completion-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = path.join(dir, 'script');
  await writeFile(file, (await printed('completion', shell)).out);
  await writeFile(path.join(dir, 'file-of-mine'), '');
  return { file, dir };
}

/** What a bash offers where the line ends; its last word is being typed. */
async function offered(line: string): Promise<string[]> {
  const { file, dir } = await scriptFor('bash');
  const words = line.split(' ');
  const program = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _docker_volume_scaleio; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await execa('bash', ['-c', program, 'bash', file, ...words], { cwd: dir });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

const PROGRAM = 'docker-volume-scaleio';

test.each([
  ['vol', ['volume']],
  ['volume sn', ['snapshot', 'snapshots']],
  ['volume trash ', ['erase', '--json', '--state-dir', '--config', '--version', '--help']],
  ['volume trash erase db --j', ['--json']],
  ['volume trash erase db --wi', ['--with-snapshots']],
  ['volume create db --opt size=8GiB --j', ['--json']],
  ['volume create db --opt ', []],
  ['volume ls --state-dir file-', ['file-of-mine']],
  ['volume ls --state-dir = file-', ['file-of-mine']],
  // A value that is called like a command leads nowhere.
  ['volume ls --state-dir trash --js', ['--json']],
  ['completion ', ['bash', 'zsh', 'fish', '--version', '--help']],
  ['volume release --', ['--state-dir', '--config', '--yes', '--json', '--version', '--help']],
])('bash completes "%s"', async (line, words) => {
  const all = await offered(`${PROGRAM} ${line}`);
  expect(new Set(all)).toEqual(new Set(words));
});

/** As the help of `volume` lists them. */
async function commandsOfVolumes(): Promise<string[]> {
  const [, list = ''] = /^Commands:\n((?: .*\n)+)/m.exec((await printed('volume', '--help')).out) ?? [];
  const names = [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name);
  return names.filter((name) => name !== 'help');
}

test('bash is offered every command that the help lists', async () => {
  const commands = await commandsOfVolumes();
  expect(commands.length).toBeGreaterThan(10);
  expect(await offered(`${PROGRAM} volume `)).toEqual(expect.arrayContaining(commands));
});

test('the help of every command has examples', async () => {
  const top = ['serve', 'config', 'doctor', 'steward', 'completion', 'volume'].map((name) => [name]);
  const ofVolumes = (await commandsOfVolumes()).map((name) => ['volume', name]);
  for (const words of [...top, ...ofVolumes, ['volume', 'trash', 'erase']])
    expect([words, (await printed(...words, '--help')).out]).toEqual([
      words,
      expect.stringMatching(/\nExamples:\n(?: {2}.*\n)+/),
    ]);
});

/** A shell that is installed here; others are looked at where they are. */
async function isInstalled(shell: string): Promise<boolean> {
  return (await execa('which', [shell], { reject: false })).exitCode === 0;
}

test.each(['bash', 'zsh', 'fish'])('%s takes the script for it', async (shell) => {
  const { file } = await scriptFor(shell);
  const text = readFileSync(file, 'utf8');
  for (const word of ['undelete', 'adopt', 'with-snapshots', 'force-release']) expect(text).toContain(word);
  if (await isInstalled(shell))
    expect(await execa(shell, ['-n', file])).toMatchObject({ exitCode: 0, stderr: '' });
});

test('a shell that is not known is told which are', async () => {
  const { status, err } = await printed('completion', 'tcsh');
  expect(status).toBe(2);
  expect(err).toMatch(/bash, zsh, fish/);
});

test('each kind of failure has its exit status, and the docs have them all', () => {
  expect(Object.keys(EXIT_STATUSES).toSorted()).toEqual([...ERROR_CODES].toSorted());
  expect(statusOf(new VolumeInUseError('x'))).toBe(5);
  expect(statusOf(new InvalidRequestError('x'))).toBe(2);
  expect(statusOf(new UsageError('x'))).toBe(2);
  expect(statusOf(new TypeError('x'))).toBe(1);
  const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/commands.md'), 'utf8');
  const documented = [...page.matchAll(/^\| (\d+) +\|/gm)].map(([, status]) => Number(status));
  expect(documented).toEqual(
    [0, ...new Set(Object.values(EXIT_STATUSES))].toSorted((one, other) => one - other),
  );
});
