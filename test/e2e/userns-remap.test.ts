import { afterAll, beforeAll, expect, test } from 'vitest';
import { pluginStage, type Stage } from '../../lab/stage/stage.ts';

/* An engine whose containers have other users than the host, as docs/configuration.md tells what to do there. */

let stage: Stage;

beforeAll(async () => {
  // The engine makes the user dockremap and its ranges by itself.
  stage = await pluginStage({ engineArguments: ['--userns-remap=default'] });
});

afterAll(async () => {
  await stage.close();
});

/** The first number of dockremap's line. */
async function firstOf(file: string): Promise<string> {
  const line = await stage.host.exec(['grep', '^dockremap:', file]);
  return line.split(':')[1] ?? '';
}

const inVolume = (volume: string, ...command: readonly string[]): Promise<string> =>
  stage.host.docker([
    ...['run', '--rm', '--mount', `type=volume,source=${volume},target=/data,volume-driver=scaleio`],
    ...['busybox', ...command],
  ]);

test('a container writes to a volume that was made for its root or given to it, and to no other', async () => {
  const [uid, gid] = [await firstOf('/etc/subuid'), await firstOf('/etc/subgid')];
  expect([uid, gid]).not.toContain('0');
  const create = ['volume', 'create', '--driver', 'scaleio', '--opt', 'size=8GiB'];
  await stage.host.docker([...create, '--opt', `uid=${uid}`, '--opt', `gid=${gid}`, 'mine']);
  await inVolume('mine', 'sh', '-c', 'echo written >/data/a; sync');
  expect(await inVolume('mine', 'cat', '/data/a')).toBe('written');
  expect(await inVolume('mine', 'stat', '-c', '%u %g', '/data')).toBe('0 0');

  await stage.host.docker([...create, 'of-the-host']);
  await expect(inVolume('of-the-host', 'touch', '/data/a')).rejects.toThrow(/Permission denied/);
  const mount = 'type=volume,source=of-the-host,target=/data,volume-driver=scaleio';
  const asHost = ['run', '--rm', '--userns=host', '--mount', mount, 'busybox'];
  await stage.host.docker([...asHost, 'chown', `${uid}:${gid}`, '/data']);
  await inVolume('of-the-host', 'touch', '/data/a');
});
