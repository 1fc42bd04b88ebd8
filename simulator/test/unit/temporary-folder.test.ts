import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keepFolder, makeTemporaryFolder } from '../../src/temporary-folder.ts';

/** A folder of this process, and the words of one that is gone: another had its number before. */
async function scene() {
  const parent = await mkdtemp(path.join(tmpdir(), 'temporary-folder-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  const living = await makeTemporaryFolder(parent);
  const own = await readFile(path.join(living, 'owner'), 'utf8');
  const gone = own.replace(/"start":"\d+"/, '"start":"1"');
  const add = async (name: string, owner?: string, mode = 0o700): Promise<string> => {
    const dir = path.join(parent, name);
    await mkdir(dir);
    if (owner !== undefined) await writeFile(path.join(dir, 'owner'), owner);
    await chmod(dir, mode);
    return dir;
  };
  return { parent, living, gone, add };
}

test('a folder whose process is gone goes with all that is in it, and one whose process lives stays', async () => {
  const { parent, living, gone, add } = await scene();
  const left = await add('scaleio-simulator-left', gone);
  await mkdir(path.join(left, 'volumes'));
  await writeFile(path.join(left, 'volumes', 'one'), 'data');
  const next = await makeTemporaryFolder(parent);
  expect((await readdir(parent)).toSorted()).toEqual(
    [living, next].map((dir) => path.basename(dir)).toSorted(),
  );
});

test('what cannot be told to be left by such a process stays', async () => {
  const { parent, gone, add } = await scene();
  const kept = [
    await add('scaleio-simulator-unknown'),
    await add('scaleio-simulator-torn', gone.slice(0, 10)),
    await add('scaleio-simulator-senseless', '{"pid":"x"}'),
    await add('scaleio-simulator-elsewhere', gone.replace(/pid:\[\d+\]/, 'pid:[1]')),
    await add('scaleio-simulator-open', gone, 0o777),
    await add('not-a-simulator', gone),
  ].map((dir) => path.basename(dir));
  await symlink('not-a-simulator', path.join(parent, 'scaleio-simulator-link'));
  await makeTemporaryFolder(parent);
  expect(await readdir(parent)).toEqual(expect.arrayContaining([...kept, 'scaleio-simulator-link']));
});

test('one that is used by name since stays', async () => {
  const { parent, gone, add } = await scene();
  const left = await add('scaleio-simulator-left', gone);
  await keepFolder(left);
  await makeTemporaryFolder(parent);
  expect(await readdir(parent)).toContain('scaleio-simulator-left');
});

test('many that start at once clean up together', async () => {
  const { parent, gone, add } = await scene();
  for (let number = 0; number < 20; number += 1) {
    const left = await add(`scaleio-simulator-left${number}`, gone);
    await mkdir(path.join(left, 'volumes'));
  }
  await Promise.all(Array.from({ length: 8 }, () => makeTemporaryFolder(parent)));
  expect((await readdir(parent)).filter((name) => name.includes('left'))).toEqual([]);
});
