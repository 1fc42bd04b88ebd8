import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { startSimulator } from 'scaleio-simulator';
import { expect, onTestFinished, test, vi } from 'vitest';
import { nothingLeaked, prepareSearch } from '../../secrets/check.ts';
import { formsOf } from '../../secrets/forms.ts';
import { keepLogs } from '../../../lab/secrets/kept-logs.ts';
import { newSecret, usesSecret } from '../../../lab/secrets/used.ts';

async function scene() {
  const base = await mkdtemp(path.join(tmpdir(), 'secrets-'));
  onTestFinished(() => rm(base, { recursive: true }));
  const [logs, secrets] = [path.join(base, 'logs'), path.join(base, 'secrets')];
  await prepareSearch({ logs, secrets });
  vi.stubEnv('TEST_SECRETS', secrets);
  vi.stubEnv('TEST_LOGS', path.join(logs, 'kept'));
  const said: string[] = [];
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(base, file)), { recursive: true });
    await writeFile(path.join(base, file), text);
  };
  const isClean = async (expected: readonly RegExp[] = [/unit\.log/]): Promise<boolean> =>
    nothingLeaked({ logs, secrets, expected }, (line) => said.push(line));
  return { base, logs, secrets, said, write, isClean };
}

test('logs without a secret are clean', async () => {
  const { isClean, write, said } = await scene();
  newSecret('password');
  await write('logs/unit.log', 'all is well\n');
  expect(await isClean()).toBe(true);
  expect(said).toEqual(['looked for 1 secrets (password: 1) in 1 files, 12 bytes']);
});

const anywhere: [string, (secret: string) => string][] = [
  ['plain', (secret) => `password=${secret}!`],
  ['in a Basic header', (secret) => `Basic ${Buffer.from(`admin:${secret}`).toString('base64')}`],
  ['in the Basic header of a token', (secret) => `Basic ${Buffer.from(`:${secret}`).toString('base64')}`],
  ['among bytes that are no text', (secret) => `\u0000\u0001${secret}`],
  ['twice encoded by an engine', (secret) => JSON.stringify(JSON.stringify({ msg: `got ${secret}` }))],
];

test.each(anywhere)('%s, it is found, and the place is told without it', async (_, shown) => {
  const { isClean, write, said } = await scene();
  const secret = newSecret('webhook key');
  await write('logs/unit.log', 'all is well\n');
  await write('logs/lab1/host1/dockerd.log', `one\ntwo ${shown(secret)}\n`);
  expect(await isClean()).toBe(false);
  expect(said[0]).toMatch(/^LEAK: a webhook key stands in \S+logs\/lab1\/host1\/dockerd\.log, line 2$/);
  expect(said.join()).not.toContain(secret);
});

test('every base64 of a text that contains a secret contains a form of it', () => {
  const secret = fc.string({ minLength: 8, unit: 'binary' });
  fc.assert(
    fc.property(fc.string(), secret, fc.string(), (before, hidden, after) => {
      const bytes = Buffer.from(before + hidden + after);
      const forms = [...formsOf(hidden)];
      const shows = (text: string): boolean => forms.some((form) => text.includes(form));
      return shows(bytes.toString('base64')) && shows(bytes.toString('base64url'));
    }),
  );
});

test('passwords and tokens of simulated gateways are known without a word', async () => {
  const { secrets } = await scene();
  const user = { name: 'admin', password: newSecret('x'), role: 'Monitor' } as const;
  const simulator = await startSimulator({ users: [user] });
  onTestFinished(() => simulator.close());
  const token = simulator.sessions.login(user);
  const [file = ''] = await readdir(secrets);
  const noted = await readFile(path.join(secrets, file), 'utf8');
  expect(noted).toContain(JSON.stringify({ what: 'password', secret: user.password }));
  expect(noted).toContain(JSON.stringify({ what: 'session token', secret: token }));
});

test('it does not pass when there is nothing to look for, or nothing to look at', async () => {
  const { isClean, write, said } = await scene();
  await write('logs/unit.log', 'x');
  expect(await isClean()).toBe(false);
  expect(said[0]).toBe('no test has noted a secret: nothing was looked for');
  newSecret('password');
  expect(await isClean([/unit\.log/, /dockerd\.log/])).toBe(false);
  await write('logs/unit.log', '');
  expect(await isClean()).toBe(false);
  expect(await isClean([])).toBe(false);
  await write('logs/unit.log', 'x');
  expect(await isClean()).toBe(true);
});

test('a secret that could stand anywhere by chance is refused', () => {
  expect(() => usesSecret({ what: 'password', secret: 'secret1' })).toThrow('password of 7 characters');
});

test('the logs of a directory are kept, but not what containers or volumes hold', async () => {
  const { base, logs, write } = await scene();
  await write('lab/host1/dockerd.log', 'x');
  await write('lab/host1/docker/containers/c1/c1-json.log', 'x');
  await write('lab/host1/docker/overlay2/o/diff/var/log/a.log', 'x');
  await write('lab/host1/empty.log', '');
  await write('lab/lab.json', '{}');
  await keepLogs(path.join(base, 'lab'));
  const kept = await readdir(logs, { recursive: true, withFileTypes: true });
  const files = kept.filter((entry) => entry.isFile());
  expect(
    files.map(({ parentPath, name }) => path.relative(logs, path.join(parentPath, name))).sort(),
  ).toEqual(['kept/lab/host1/docker/containers/c1/c1-json.log', 'kept/lab/host1/dockerd.log']);
});
