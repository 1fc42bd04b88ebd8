import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { createFreezer } from '../../../src/filesystem/freezer.ts';
import { runLater } from '../../../src/host/delayed-run.ts';
import { createRunner } from '../../../src/host/run.ts';
import { frozenRecord } from '../../../src/journal/frozen-record.ts';
import type { PluginAnswer } from '../../../lab/hosts/plugin-socket.ts';
import { socketClient } from '../../contract/docker/target.ts';
import { servedApi } from '../../contract/steward/api-scene.ts';
import { doorFiles, hostsPolicy } from '../../contract/steward/door-scene.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';
import { answerOf, mountNew, startBundledStack, volumeCommand, type BundledStack } from './bundled-stack.ts';

/* Snapshots of volumes in use, frozen for real: the program, block devices, file systems. */

interface Shown extends PluginAnswer {
  readonly Volume?: { readonly Status?: Record<string, unknown> };
}

const PATIENT = { timeout: 30_000, interval: 100 };

let stack: BundledStack;
let client: ReturnType<typeof socketClient>;

beforeAll(async () => {
  stack = await startBundledStack();
  client = socketClient(stack.socketPath);
});

afterAll(async () => {
  client.end();
  await stack.close();
});

const mounted = (name: string, fs: string): Promise<string> => mountNew(client, name, { fs });

const command = (...words: readonly string[]) => volumeCommand(stack, words);

/** Resolves when a write to it has ended: a frozen file system lets nobody write. */
async function assertWritable(mountpoint: string): Promise<void> {
  const { timedOut } = await execa('touch', [path.join(mountpoint, 'written')], {
    timeout: 20_000,
    reject: false,
  });
  expect(timedOut).toBe(false);
}

it.each(['xfs', 'ext4', 'btrfs'])('freezes %s for a snapshot, and writes go on', async (fs) => {
  const mountpoint = await mounted(`snap-${fs}`, fs);
  const written = { isOver: false };
  const writing = (async () => {
    while (!written.isOver) await appendFile(path.join(mountpoint, 'log'), Buffer.alloc(65_536, 7));
  })();
  const { stdout, stderr, exitCode } = await command(
    'snapshot',
    `snap-${fs}`,
    '--name',
    'before',
    '--expire',
    '7d',
  );
  written.isOver = true;
  await writing;
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toBe(`snapshot "snap-${fs}@before" taken, frozen: it holds all that was written`);
  await assertWritable(mountpoint);
  const ls = await command('ls', '--filter', `fs=${fs}`, '--format', '{{.Name}}: {{.Fs}}, {{.Used}}');
  expect(ls.stdout).toMatch(new RegExp(`^snap-${fs}: ${fs}, [\\d.]+ [KMG]iB$`, 'm'));
  const listed = await command('snapshots', `snap-${fs}`);
  expect(listed.stdout).toMatch(/^before +(just now|\d+ s ago) +in 7 d +- +frozen +-$/m);
  // Its log is to be replayed, on this host beside the volume, and not in the snapshot itself.
  const view = { Name: `snap-${fs}@before`, ID: 'looker' };
  const { Mountpoint: old = '' } = await answerOf(client, 'Mount', view);
  expect((await stat(path.join(old, 'log'))).size).toBeGreaterThan(0);
  await expect(writeFile(path.join(old, 'new'), 'x')).rejects.toThrow('EROFS');
  await answerOf(client, 'Unmount', view);
  expect((await command('rm-snapshot', `snap-${fs}@befor`)).stderr).toContain(
    `did you mean "snap-${fs}@before"?`,
  );
  expect((await command('rm-snapshot', `snap-${fs}@before`)).stdout).toBe(
    `snapshot "snap-${fs}@before" is removed`,
  );
  await expect(readFile(path.join(stack.directory, 'state/frozen'))).rejects.toThrow('ENOENT');
});

it('freezes for a steward, too, which asks for it over TLS', async () => {
  const mountpoint = await mounted('afar', 'xfs');
  const { directory, env, address } = await doorFiles();
  await stack.restartPlugin({ settings: env });
  await vi.waitFor(async () => {
    expect(await stack.pluginLog()).toContain("the steward's door is served");
  }, PATIENT);
  const { ask } = await servedApi(
    { endpoints: stack.gateway, password: stack.password },
    { policy: hostsPolicy(directory, [{ host: '127.0.0.1', address }]) },
  );
  // Never synced: without a freeze the array would not have it.
  const written = Buffer.alloc(1024 ** 2, 'written');
  await writeFile(path.join(mountpoint, 'file'), written);
  const wish = { volumes: ['afar'], name: 'asked', frozen: true };
  expect(await ask('admin', 'POST /api/v1/snapshots', wish)).toMatchObject({
    status: 200,
    body: [{ volume: 'afar', snapshot: 'asked', consistency: 'frozen' }],
  });
  await assertWritable(mountpoint);
  const view = { Name: 'afar@asked', ID: 'looker' };
  const { Mountpoint: old = '' } = await answerOf(client, 'Mount', view);
  expect(written.equals(await readFile(path.join(old, 'file')))).toBe(true);
  await answerOf(client, 'Unmount', view);
});

it.each(['xfs', 'btrfs'])('restores %s, which holds that alone then, and goes back', async (fs) => {
  const name = `back-${fs}`;
  const mountpoint = await mounted(name, fs);
  const file = path.join(mountpoint, 'file');
  const read = async (): Promise<string> => {
    await answerOf(client, 'Mount', { Name: name, ID: 'test' });
    const text = await readFile(file, 'utf8');
    await answerOf(client, 'Unmount', { Name: name, ID: 'test' });
    return text;
  };
  await writeFile(file, 'then');
  expect((await command('snapshot', name, '--name', 'before')).exitCode).toBe(0);
  await writeFile(file, 'now');
  // What it bears now it keeps, however it was then.
  expect((await command('limit', name, '--iops', '5000')).exitCode).toBe(0);
  await answerOf(client, 'Unmount', { Name: name, ID: 'test' });
  const { stdout, stderr } = await command('restore', `${name}@before`, '--yes', '--json');
  expect(stderr).toBe('');
  const { keptAs, lacks } = JSON.parse(stdout) as Record<string, string | null>;
  expect(lacks).toBeNull();
  expect(await read()).toBe('then');
  const { Volume } = await answerOf<Shown>(client, 'Get', { Name: name });
  expect(Volume?.Status).toMatchObject({ limits: { iops: 5000 } });
  expect((await command('restore', `${name}@${keptAs ?? ''}`, '--yes')).stdout).toContain('holds what');
  expect(await read()).toBe('now');
});

it('is thawed within seconds when the plugin is killed while it is frozen', async () => {
  const mountpoint = await mounted('killed', 'xfs');
  // A process of its own that freezes as the plugin does, and dies.
  const script = `
    const { createFreezer } = await import('${path.resolve(import.meta.dirname, '../../../src/filesystem/freezer.ts')}');
    const { runLater } = await import('${path.resolve(import.meta.dirname, '../../../src/host/delayed-run.ts')}');
    const { createRunner } = await import('${path.resolve(import.meta.dirname, '../../../src/host/run.ts')}');
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const record = { read: async () => [], write: async () => {} };
    const freezer = createFreezer({ runner: createRunner(), runLater, record, log });
    await freezer.freeze(process.argv[1], 2000, AbortSignal.timeout(20000));
    process.kill(process.pid, 'SIGKILL');
  `;
  const died = await execa(process.execPath, ['--input-type=module', '--eval', script, mountpoint], {
    reject: false,
  });
  expect(died.signal).toBe('SIGKILL');
  await assertWritable(mountpoint);
  expect((await execa('fsfreeze', ['-u', mountpoint], { reject: false })).exitCode).toBe(1);
});

it('is thawed at the next start where the second process was killed, too, and only what this plugin froze', async () => {
  const [ours, theirs] = [await mounted('left', 'xfs'), await mounted('theirs', 'xfs')];
  for (const mountpoint of [ours, theirs]) {
    await execa('fsfreeze', ['-f', mountpoint]);
    onTestFinished(async () => {
      await execa('fsfreeze', ['-u', mountpoint], { reject: false });
    });
  }
  const stateDir = path.join(stack.directory, 'state');
  await stack.endPlugin();
  await frozenRecord(stateDir).write([ours]);
  await stack.restartPlugin();
  await vi.waitFor(async () => {
    expect(await stack.pluginLog()).toContain('an earlier life had left frozen');
  }, PATIENT);
  await assertWritable(ours);
  expect((await execa('fsfreeze', ['-u', theirs])).exitCode).toBe(0);
});

it('freezes nothing where it cannot, and says so', async () => {
  const record = { read: () => Promise.resolve([]), write: () => Promise.resolve() };
  const freezer = createFreezer({ runner: createRunner(), runLater, record, log: silentLog });
  await expect(freezer.freeze('/proc', 5000, AbortSignal.timeout(20_000))).rejects.toThrow(
    'cannot freeze the file system at "/proc"',
  );
});
