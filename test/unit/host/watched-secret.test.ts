import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WatchedSecret } from '../../../src/host/watched-secret.ts';

async function scene() {
  const directory = await mkdtemp(path.join(tmpdir(), 'secret-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = path.join(directory, 'tokens.yml');
  await writeFile(file, 'one', { mode: 0o640 });
  return { file, secret: new WatchedSecret(file) };
}

test('a file is told with who may open it, and read again only when it has changed', async () => {
  const { file, secret } = await scene();
  const first = await secret.read();
  expect(first).toMatchObject({ text: 'one', mode: 0o640 });
  expect(await secret.read()).toBe(first);
  await writeFile(`${file}.new`, 'two', { mode: 0o600 });
  await rename(`${file}.new`, file);
  const second = await secret.read();
  expect(second).toMatchObject({ text: 'two', mode: 0o600 });
  expect(second.mark).not.toBe(first.mark);
});

test('a file that is gone or far too large is refused', async () => {
  const { file, secret } = await scene();
  await writeFile(file, Buffer.alloc(1024 ** 2 + 1));
  await expect(secret.read()).rejects.toThrow(RangeError);
  await rm(file);
  await expect(secret.read()).rejects.toThrow('ENOENT');
});
