import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { asVolumeId } from '../../../src/array/ids.ts';
import { FilesystemError } from '../../../src/errors.ts';
import { droppedRestores } from '../../../src/journal/dropped-restores.ts';

const dropped = (number: number, why = 'booted') => ({
  at: '2026-11-29T01:00:00.000Z',
  volume: `db${number}`,
  volumeId: asVolumeId(number.toString(16).padStart(16, '0')),
  snapshot: 'before',
  keptAs: 'undo-1129-005900',
  why,
});

async function directory(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'dropped-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

test('what was dropped is there for the next life, once a volume, until it is forgotten', async () => {
  const dir = await directory();
  const one = droppedRestores(dir);
  expect(await one.all()).toEqual([]);
  await one.forget(dropped(1).volumeId);
  expect(await readdir(dir)).toEqual([]);
  await one.add(dropped(1));
  await one.add(dropped(2));
  await one.add(dropped(1, 'fenced'));
  expect(await droppedRestores(dir).all()).toEqual([dropped(2), dropped(1, 'fenced')]);
  await one.forget(dropped(1).volumeId);
  await one.forget(dropped(2).volumeId);
  expect(await readdir(dir)).toEqual([]);
});

test('the last hundred are kept, and what cannot be understood counts as none', async () => {
  const dir = await directory();
  const records = droppedRestores(dir);
  for (let number = 1; number <= 101; number += 1) await records.add(dropped(number));
  const all = await records.all();
  expect([all.length, all[0]?.volume, all.at(-1)?.volume]).toEqual([100, 'db2', 'db101']);
  for (const text of ['{', '[{"at":1}]']) {
    await writeFile(path.join(dir, 'dropped-restores'), text);
    expect(await records.all()).toEqual([]);
  }
  await expect(droppedRestores(path.join(dir, 'none')).add(dropped(1))).rejects.toBeInstanceOf(
    FilesystemError,
  );
});
