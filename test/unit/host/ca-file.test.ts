import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CaFile } from '../../../src/host/ca-file.ts';

const fixture = (name: string): Promise<string> =>
  readFile(new URL(`../../fixtures/gateway/tls/${name}`, import.meta.url), 'utf8');

async function scene() {
  const directory = await mkdtemp(path.join(tmpdir(), 'ca-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = path.join(directory, 'ca.pem');
  const [before, after] = [await fixture('ca.pem'), await fixture('good.pem')];
  await writeFile(file, before);
  const warnings: object[] = [];
  const ca = await CaFile.open(file, { warn: (facts) => warnings.push(facts) });
  return { file, before, after, warnings, ca };
}

test('a file that is replaced counts at once', async () => {
  const { file, before, after, ca } = await scene();
  expect(await ca.current()).toBe(before);
  await writeFile(file, after);
  expect(await ca.current()).toBe(after);
});

test('a file that is gone, empty or half-written leaves what was there, with one warning each', async () => {
  const { file, before, after, warnings, ca } = await scene();
  await rm(file);
  expect(await ca.current()).toBe(before);
  expect(await ca.current()).toBe(before);
  expect(warnings).toHaveLength(1);
  const garbled = after.replace(/[A-Za-z0-9+/]{60}/, 'x'.repeat(60));
  for (const text of ['', after.slice(0, 200), `${before}${after.slice(0, 200)}`, garbled]) {
    await writeFile(file, text);
    expect(await ca.current()).toBe(before);
  }
  await writeFile(file, after);
  expect(await ca.current()).toBe(after);
});

test('a file that is not there at the start is an error', async () => {
  await expect(CaFile.open('/nowhere/ca.pem', { warn: () => undefined })).rejects.toThrow('ENOENT');
});
