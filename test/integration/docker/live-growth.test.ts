import { appendFile, readFile, statfs } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { CAP_SYS_RESOURCE, hasCapability } from '../../../src/host/capabilities.ts';
import { socketClient } from '../../contract/docker/target.ts';
import { mountNew, startBundledStack, volumeCommand, type BundledStack } from './bundled-stack.ts';

/* Volumes that grow in use, and limits that change in use: the program, real block devices, real file systems. */

const GIB = 1024 ** 3;
const PATIENT = { timeout: 60_000, interval: 200 };

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

const mounted = (name: string, options: Record<string, string>): Promise<string> =>
  mountNew(client, name, options);

const command = (...words: readonly string[]) => volumeCommand(stack, words);

const sizeOf = async (mountpoint: string): Promise<number> => {
  const { blocks, bsize } = await statfs(mountpoint);
  return blocks * bsize;
};

/** Growing a mounted ext4 takes a capability that a sandbox may withhold from root. */
const mayGrowExt4 = await hasCapability(CAP_SYS_RESOURCE);

it.each(['xfs', 'btrfs', ...(mayGrowExt4 ? ['ext4'] : [])])(
  'grows %s in use within seconds of the command, with writes going on',
  async (fs) => {
    const mountpoint = await mounted(`grow-${fs}`, { fs });
    const before = await sizeOf(mountpoint);
    const written = { bytes: 0, isOver: false };
    const writing = (async () => {
      while (!written.isOver) {
        await appendFile(path.join(mountpoint, 'log'), Buffer.alloc(65_536, 7));
        written.bytes += 65_536;
      }
    })();
    const { stdout, stderr, exitCode } = await command('grow', `grow-${fs}`, '24GiB');
    written.isOver = true;
    await writing;
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`volume "grow-${fs}" has 24 GiB now, it had 8 GiB; its file system fills it`);
    expect((await sizeOf(mountpoint)) - before).toBeGreaterThan(15 * GIB);
    const text = await readFile(path.join(mountpoint, 'log'));
    expect([text.length, text.every((byte) => byte === 7)]).toEqual([written.bytes, true]);
  },
);

it.skipIf(mayGrowExt4)('says what ext4 lacks to grow in use', async () => {
  await mounted('lacks', { fs: 'ext4' });
  const { stdout, exitCode } = await command('grow', 'lacks', '16GiB');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('has 16 GiB now, it had 8 GiB; its file system has not followed: ');
  expect(stdout).toContain('only for a process with CAP_SYS_RESOURCE, which this plugin was not given');
});

/** Commits rows of 64 KiB, each synced, until its input ends; then says how many there are, and whether the database is whole. */
const DATABASE = `
const { DatabaseSync } = require('node:sqlite');
const database = new DatabaseSync(process.argv[1]);
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (data BLOB)');
const row = database.prepare('INSERT INTO rows VALUES (randomblob(65536))');
let isOver = false;
process.stdin.on('end', () => { isOver = true; }).resume();
const next = () => {
  row.run();
  if (!isOver) return setImmediate(next);
  const { count } = database.prepare('SELECT count(*) AS count FROM rows').get();
  console.log(JSON.stringify({ count, check: database.prepare('PRAGMA integrity_check').get().integrity_check }));
};
next();
`;

it('grows a volume by itself before the database on it sees that it is full', async () => {
  const growth = { 'grow-above': '50%', 'grow-by': '8GiB', 'grow-max': '16GiB' };
  const mountpoint = await mounted('fills', growth);
  const before = await sizeOf(mountpoint);
  const database = execa(process.execPath, ['-e', DATABASE, path.join(mountpoint, 'db.sqlite')], {
    stdin: 'pipe',
    reject: false,
  });
  // Room that is taken without a byte written, as a database does with its journal.
  await execa('fallocate', ['-l', String(5 * GIB), path.join(mountpoint, 'data')]);
  await vi.waitFor(async () => {
    expect((await sizeOf(mountpoint)) - before).toBeGreaterThan(7 * GIB);
  }, PATIENT);
  await execa('fallocate', ['-l', String(5 * GIB), path.join(mountpoint, 'more')]);
  await vi.waitFor(async () => {
    expect(await stack.pluginLog()).toContain('has grown to its grow-max, 16 GiB');
  }, PATIENT);
  database.stdin.end();
  const { stdout, stderr } = await database;
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ check: 'ok', count: expect.any(Number) as unknown });
});

it('limits a volume in use, and keeps the limits for the next mount', async () => {
  await mounted('limited', {});
  const limited = await command('limit', 'limited', '--iops', '5000', '--bandwidth', '200MiB', '--json');
  expect([limited.exitCode, limited.stderr]).toEqual([0, '']);
  expect(JSON.parse(limited.stdout)).toMatchObject({ iops: 5000, bandwidthKiBps: 204_800, keptBy: 'label' });
  const lifted = await command('limit', 'limited', '--iops', '0', '--bandwidth', '0');
  expect(lifted.stdout).toMatch(
    /no limit of I\/O operations, no limit of bandwidth: on host .* at once, and every later host/,
  );
  expect((await command('limit', 'limited')).stderr).toContain('use --iops, --bandwidth or both');
  expect((await command('limit', 'limited', '--iops', '5')).stderr).toContain(
    '--iops "5" is not 0 (no limit) or a number of at least 11',
  );
});
