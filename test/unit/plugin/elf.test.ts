import { writeFile, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { neededLibraries } from '../../../plugin/elf.ts';

test('names the libraries that a program links', async () => {
  expect(await neededLibraries(process.execPath)).toEqual(expect.arrayContaining(['libc.so.6', 'libm.so.6']));
});

test('a script is no program that links anything', async () => {
  await using directory = await mkdtempDisposable(path.join(tmpdir(), 'elf-'));
  const script = path.join(directory.path, 'script');
  await writeFile(script, `#!/bin/sh\n${'#'.repeat(100)}\n`);
  expect(await neededLibraries(script)).toBeUndefined();
});

test('refuses a 32-bit program instead of misreading it', async () => {
  await using directory = await mkdtempDisposable(path.join(tmpdir(), 'elf-'));
  const file = path.join(directory.path, 'program');
  await writeFile(file, Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1]), Buffer.alloc(100)]));
  await expect(neededLibraries(file)).rejects.toThrow('is not a 64-bit little-endian program');
});
