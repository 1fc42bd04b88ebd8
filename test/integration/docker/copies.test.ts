import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PluginAnswer } from '../../../lab/hosts/plugin-socket.ts';
import { socketClient } from '../../contract/docker/target.ts';
import { answerOf, startBundledStack, volumeCommand, type BundledStack } from './bundled-stack.ts';

/* Copies of volumes in use: the program, real block devices, real file systems, all on one host. */

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

interface Answer extends PluginAnswer {
  readonly Volume?: { readonly Status?: Record<string, unknown> };
}

const answerTo = (call: string, body: object): Promise<Answer> => answerOf<Answer>(client, call, body);

async function mounted(name: string): Promise<string> {
  const { Mountpoint = '' } = await answerTo('Mount', { Name: name, ID: 'test' });
  return Mountpoint;
}

/** As the file system says it: what a device that is mounted bears. */
async function uuidOf(mountpoint: string): Promise<string> {
  const { stdout: device } = await execa('findmnt', ['-n', '-o', 'SOURCE', mountpoint]);
  const { stdout } = await execa('blkid', ['-p', '-s', 'UUID', '-o', 'value', device.trim()]);
  return stdout.trim();
}

/** In its log, and not yet in its place: what a copy has to replay. */
async function writeSynced(file: string, text: string): Promise<void> {
  await writeFile(file, text);
  const handle = await open(file);
  await handle.sync();
  await handle.close();
}

it.each(['xfs', 'ext4', 'btrfs'])(
  'copies %s while it is written to, and mounts both on one host',
  async (fs) => {
    const name = `db-${fs}`;
    const at = (mountpoint: string, file: string): string => path.join(mountpoint, file);
    await answerTo('Create', { Name: name, Opts: { size: '8GiB', fs, mode: '0711', uid: '999' } });
    const origin = await mounted(name);
    for (let number = 0; number < 50; number += 1)
      await writeSynced(at(origin, `file-${number}`), `then ${number}`);

    await answerTo('Create', { Name: `${name}-copy`, Opts: { from: name } });
    await answerTo('Create', { Name: `${name}-copy`, Opts: { from: name } });
    await writeSynced(at(origin, 'file-0'), 'now');
    await writeSynced(at(origin, 'later'), 'later');

    const copy = await mounted(`${name}-copy`);
    for (let number = 0; number < 50; number += 1)
      expect(await readFile(at(copy, `file-${number}`), 'utf8')).toBe(`then ${number}`);
    for (const missing of ['later', 'lost+found'])
      await expect(stat(at(copy, missing))).rejects.toMatchObject({ code: 'ENOENT' });
    const { mode, uid } = await stat(copy);
    expect([mode & 0o777, uid]).toEqual([0o711, 999]);
    expect(await uuidOf(copy)).not.toBe(await uuidOf(origin));

    // A copy of the copy, while all are in use; and each is written for itself.
    await answerTo('Create', { Name: `${name}-second`, Opts: { from: `${name}-copy` } });
    const second = await mounted(`${name}-second`);
    await writeSynced(at(second, 'file-1'), 'second');
    await writeSynced(at(copy, 'file-1'), 'copy');
    const texts = [origin, copy, second].map((mountpoint) => readFile(at(mountpoint, 'file-1'), 'utf8'));
    expect(await Promise.all(texts)).toEqual(['then 1', 'copy', 'second']);

    const { Volume } = await answerTo('Get', { Name: `${name}-copy` });
    expect(Volume?.Status).toMatchObject({ from: name, filesystem: fs, size: '8GiB' });
    for (const used of [name, `${name}-copy`]) await answerTo('Unmount', { Name: used, ID: 'test' });
    // It has its data without them.
    for (const gone of [name, `${name}-copy`]) await answerTo('Remove', { Name: gone });
    expect(await readFile(at(second, 'file-49'), 'utf8')).toBe('then 49');
  },
);

it('makes a copy larger, with the file system that it has then', async () => {
  await answerTo('Create', { Name: 'small', Opts: { size: '8GiB' } });
  await answerTo('Create', { Name: 'large', Opts: { from: 'small', size: '16GiB' } });
  const { stdout } = await execa('df', ['-B1', '--output=size', await mounted('large')]);
  expect(Number(stdout.split('\n').at(-1))).toBeGreaterThan(15 * 1024 ** 3);
});

it.each(['xfs', 'ext4'])('adopts an %s that others have made, and leaves what is in it', async (fs) => {
  const theirs = `theirs-${fs}`;
  await answerTo('Create', { Name: theirs, Opts: { size: '8GiB', fs } });
  const before = await mounted(theirs);
  await mkdir(path.join(before, 'data'));
  await writeSynced(path.join(before, 'data/precious'), 'theirs');
  const uuid = await uuidOf(before);
  // What tells a file system of ours from any other.
  await execa('setfattr', ['--remove', 'trusted.docker-volume-scaleio', before]);
  await answerTo('Unmount', { Name: theirs, ID: 'test' });

  const adopt = ['adopt', `docker-${theirs}`, `ours-${fs}`, '--subpath'];
  expect((await volumeCommand(stack, [...adopt, 'date'])).exitCode).not.toBe(0);
  const { stdout, stderr } = await volumeCommand(stack, [...adopt, 'data']);
  expect(stderr).toBe('');
  expect(stdout).toContain(`it holds ${fs}; a label was written into it`);

  const seen = await mounted(`ours-${fs}`);
  expect(await readFile(path.join(seen, 'precious'), 'utf8')).toBe('theirs');
  const { Volume } = await answerTo('Get', { Name: `ours-${fs}` });
  expect(Volume?.Status).toMatchObject({ filesystem: fs, from: null });
  expect(await uuidOf(path.dirname(seen))).toBe(uuid);
  await answerTo('Unmount', { Name: `ours-${fs}`, ID: 'test' });
  await answerTo('Remove', { Name: `ours-${fs}` });
});
