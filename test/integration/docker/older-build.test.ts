import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PluginAnswer } from '../../../lab/hosts/plugin-socket.ts';
import { hasOlderBuild, olderBuild } from '../../../lab/versions/older-build.ts';
import { socketClient } from '../../contract/docker/target.ts';
import { answerOf, startBundledStack, volumeCommand, type BundledStack } from './bundled-stack.ts';

/*
 * The build of before the data services beside today's, and in its place: on one array, with volumes in use. It knows neither the trash nor
 * snapshots, clones, views, growth and classes, and must do no harm to any.
 */

interface Answer extends PluginAnswer {
  readonly Volume?: { readonly Status?: Record<string, unknown> };
  readonly Volumes?: readonly { readonly Name: string }[];
}
type Client = ReturnType<typeof socketClient>;

/** An older program refuses a setting that it does not know. */
const asBefore = { SCALEIO_REMOVE_GRACE: undefined };

const isThere = await hasOlderBuild();
if (!isThere) console.warn('the older build is not tested: this clone is shallow; run git fetch --unshallow');

describe.skipIf(!isThere)('the build of before the data services', () => {
  let stack: BundledStack;
  let today: Client;
  let older: Client;
  let program: string;

  beforeAll(async () => {
    program = await olderBuild();
    stack = await startBundledStack({ SCALEIO_REMOVE_GRACE: '24h' });
    today = socketClient(stack.socketPath);
    older = socketClient(await stack.addHost({ program, settings: asBefore }));
  });
  afterAll(async () => {
    today.end();
    older.end();
    await stack.close();
  });

  const ask = (client: Client, call: string, Name = '', more = {}): Promise<Answer> =>
    answerOf<Answer>(client, call, { Name, ID: 'test', ...more });
  const mount = async (client: Client, name: string): Promise<string> =>
    (await ask(client, 'Mount', name)).Mountpoint ?? '';
  const names = async (client: Client): Promise<string[]> =>
    ((await ask(client, 'List')).Volumes ?? []).map(({ Name }) => Name).sort();
  const ofArray = async (where: string, user: string): Promise<unknown> => {
    const authorization = `Basic ${Buffer.from(user).toString('base64')}`;
    const answer = await fetch(`${stack.gateway}${where}`, { headers: { authorization } });
    if (!answer.ok) throw new Error(`${where}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const onArray = async (): Promise<string[]> => {
    const login = await ofArray('/login', `admin:${stack.password}`);
    const volumes = await ofArray('/types/Volume/instances', `:${login as string}`);
    return (volumes as { name: string }[]).map(({ name }) => name).sort();
  };
  const command = async (...words: readonly string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await volumeCommand(stack, words);
    if (exitCode !== 0) throw new Error(`volume ${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const version = (mountpoint: string): Promise<string> => readFile(path.join(mountpoint, 'version'), 'utf8');

  it('beside it does no harm to what it does not know, and each mounts what the other has made', async () => {
    const options = {
      size: '8GiB',
      iops: '500',
      failover: 'always',
      'grow-above': '85%',
      'grow-max': '24GiB',
    };
    await ask(today, 'Create', 'db', { Opts: options });
    await writeFile(path.join(await mount(today, 'db'), 'version'), 'then');
    await command('snapshot', 'db', '--name', 'before');
    await ask(today, 'Create', 'copy', { Opts: { from: 'db@before' } });
    await mount(today, 'db@before');
    await ask(today, 'Create', 'gone', { Opts: { size: '8GiB' } });
    await ask(today, 'Remove', 'gone');
    await ask(today, 'Unmount', 'db');
    const label = (await ask(today, 'Get', 'db')).Volume?.Status;
    const before = await onArray();
    expect(before.map((name) => name.slice(0, 4)).sort()).toEqual(
      expect.arrayContaining(['dock', '~rm.', '~vie', '~alw']),
    );

    expect(await names(older)).toEqual(['copy', 'db']);
    for (const unknown of ['db@before', 'gone'])
      await expect(ask(older, 'Get', unknown)).rejects.toThrow(/no .*such volume|does not exist|no volume/i);
    await expect(ask(older, 'Mount', 'db@before')).rejects.toThrow();
    for (const name of ['db', 'copy']) {
      const mountpoint = await mount(older, name);
      expect(await version(mountpoint)).toBe('then');
      await writeFile(path.join(mountpoint, 'version'), `older ${name}`);
      await ask(older, 'Unmount', name);
    }
    await ask(older, 'Create', 'legacy', { Opts: { size: '8GiB', fs: 'ext4' } });
    expect(await onArray()).toEqual([...before, 'docker-legacy'].sort());

    expect(await version(await mount(today, 'db'))).toBe('older db');
    expect(await version((await ask(today, 'Path', 'db@before')).Mountpoint ?? '')).toBe('then');
    const same = (await ask(today, 'Get', 'db')).Volume?.Status;
    for (const option of ['iops', 'failover', 'growAbove', 'growMax', 'filesystem'])
      expect([option, same?.[option]]).toEqual([option, label?.[option]]);
    await mount(today, 'legacy');
    for (const name of ['db', 'db@before', 'legacy']) await ask(today, 'Unmount', name);
    await command('undelete', 'gone');
    await command('restore', 'db@before', '--yes');
    expect(await version(await mount(older, 'db'))).toBe('then');
    await ask(older, 'Unmount', 'db');
    // Its Remove is for good, as it always was, and takes nobody's snapshots along.
    await ask(older, 'Remove', 'db');
    const left = await onArray();
    expect(left.filter((name) => name.endsWith('@before'))).toHaveLength(1);
    expect(await names(today)).toEqual(['copy', 'gone', 'legacy']);
  });

  it("takes the place of today's and makes way for it, while volumes are in use", async () => {
    await ask(today, 'Create', 'used', { Opts: { size: '8GiB', 'grow-above': '85%', 'grow-max': '24GiB' } });
    const mountpoint = await mount(today, 'used');
    await writeFile(path.join(mountpoint, 'version'), 'today');
    await command('snapshot', 'used', '--name', 'kept');
    await mount(today, 'used@kept');
    await ask(today, 'Remove', 'gone');
    const before = await onArray();

    await stack.restartPlugin({ program, settings: asBefore });
    expect((await ask(today, 'Path', 'used')).Mountpoint).toBe(mountpoint);
    expect(await version(mountpoint)).toBe('today');
    await ask(today, 'Create', 'by-older', { Opts: { size: '8GiB' } });
    const other = await mount(today, 'by-older');
    await writeFile(path.join(other, 'version'), 'older');
    await ask(today, 'Mount', 'used', { ID: 'second' });
    await ask(today, 'Unmount', 'used', { ID: 'test' });
    expect(await onArray()).toEqual([...before, 'docker-by-older'].sort());

    await stack.restartPlugin();
    expect((await ask(today, 'Path', 'by-older')).Mountpoint).toBe(other);
    expect([await version(mountpoint), await version(other)]).toEqual(['today', 'older']);
    await ask(today, 'Unmount', 'used', { ID: 'second' });
    await ask(today, 'Unmount', 'used@kept');
    await ask(today, 'Unmount', 'by-older');
    await command('undelete', 'gone');
    await mount(today, 'gone');
    await ask(today, 'Unmount', 'gone');
    expect(await version(await mount(older, 'used'))).toBe('today');
    await ask(older, 'Unmount', 'used');
  });
});
