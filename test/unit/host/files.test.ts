import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasCode, makeDirectories, writeFileAtomic } from '../../../src/host/files.ts';

describe('writeFileAtomic', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'files-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('writes and replaces, and leaves nothing beside it', async () => {
    const file = path.join(directory, 'journal');
    await writeFileAtomic(file, 'one');
    await writeFileAtomic(file, 'two');
    expect(await readFile(file, 'utf8')).toBe('two');
    expect(await readdir(directory)).toEqual(['journal']);
  });

  it('lets only the owner read it', async () => {
    const file = path.join(directory, 'journal');
    await writeFileAtomic(file, 'secret');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('keeps what is there and cleans up when the new content cannot take its place', async () => {
    const target = path.join(directory, 'taken');
    await writeFileAtomic(path.join(directory, 'other'), 'x');
    await rm(target, { force: true });
    await mkdir(target);
    await writeFile(path.join(target, 'content'), 'stays');
    await expect(writeFileAtomic(target, 'new')).rejects.toThrow(/EISDIR|ENOTEMPTY/);
    expect((await readdir(directory)).sort()).toEqual(['other', 'taken']);
  });

  it('rejects when the directory is missing', async () => {
    const attempt = writeFileAtomic(path.join(directory, 'no', 'journal'), 'x');
    await expect(attempt).rejects.toSatisfy((error) => hasCode(error, 'ENOENT'));
  });
});

describe('makeDirectories', () => {
  it('gives all that it makes the mode that is asked for, whatever the umask, and leaves what is there', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'files-'));
    const before = process.umask(0o077);
    try {
      await makeDirectories(path.join(directory, 'a/b'), 0o755);
      const modes = ['.', 'a', 'a/b'].map(
        async (below) => (await stat(path.join(directory, below))).mode & 0o777,
      );
      expect(await Promise.all(modes)).toEqual([0o700, 0o755, 0o755]);
      await makeDirectories(directory, 0o755);
      expect((await stat(directory)).mode & 0o777).toBe(0o700);
    } finally {
      process.umask(before);
      await rm(directory, { recursive: true });
    }
  });

  it('ends, with the reason, where the kernel takes no directory though the one above is there', async () => {
    await expect(makeDirectories('/proc/none/of/these', 0o700)).rejects.toSatisfy((error) =>
      hasCode(error, 'ENOENT'),
    );
  });

  it('says so when something else is there, or on the way', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'files-'));
    try {
      const file = path.join(directory, 'file');
      await writeFile(file, '');
      await expect(makeDirectories(file, 0o700)).rejects.toSatisfy((error) => hasCode(error, 'EEXIST'));
      await expect(makeDirectories(path.join(file, 'a'), 0o700)).rejects.toSatisfy((error) =>
        hasCode(error, 'ENOTDIR'),
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
