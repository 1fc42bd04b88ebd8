import { chown, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/host/clock.ts';
import { createHostLock, type HostLock } from '../../../src/journal/host-lock.ts';
import { journalFiles } from '../../../src/journal/journal-files.ts';
import type { Log } from '../../../src/runtime/log.ts';

function recordingLog(lines: string[]): Log {
  const line = (facts: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(facts)}`);
  };
  return { debug: line, info: line, warn: line, error: line };
}

const isRoot = process.getuid?.() === 0;

describe('createHostLock', () => {
  let dir: string;
  let lines: string[];
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'host-lock-'));
    lines = [];
  });
  afterEach(() => rm(dir, { recursive: true }));

  const lockOf = (pid = process.pid, bootId = 'boot'): HostLock =>
    createHostLock({ dir, files: journalFiles, pid, bootId, clock: systemClock, log: recordingLog(lines) });
  /** Any other process that lives as long as the test. */
  const other = process.ppid;
  const only = async (): Promise<string> => path.join(dir, (await readdir(dir))[0] ?? 'none');

  it.runIf(isRoot)('lets one process alone have a key, and another key go to another', async () => {
    const [mine, theirs] = [lockOf(), lockOf(other)];
    expect(await theirs.claim('array 1')).toBeUndefined();
    expect(await mine.claim('array 1')).toBe(`process ${other}`);
    expect(await mine.claim('array 2')).toBeUndefined();
    await theirs.close();
    expect(await mine.claim('array 1')).toBeUndefined();
    await mine.close();
    expect(await readdir(dir)).toEqual([]);
  });

  it('gives the same process its key again and again, also at once', async () => {
    const lock = lockOf();
    const claims = await Promise.all([lock.claim('a'), lock.claim('a'), lock.claim('a')]);
    expect(claims).toEqual([undefined, undefined, undefined]);
    expect(await readdir(dir)).toHaveLength(1);
  });

  it('takes over from a process that is gone, or of another boot', async () => {
    await lockOf(other, 'boot before').claim('a');
    const lock = lockOf();
    expect(await lock.claim('a')).toBeUndefined();
    expect(await readFile(await only(), 'utf8')).toContain(`"pid":${process.pid}`);
  });

  it('makes a file that only its owner reads, and that tells no key', async () => {
    await lockOf().claim('secret-guid');
    const file = await only();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(file + (await readFile(file, 'utf8'))).not.toContain('secret-guid');
  });

  it.runIf(isRoot)("does not heed a lock that is not root's, and tells of it", async () => {
    await lockOf(other).claim('a');
    await chown(await only(), 65_534, 65_534);
    expect(await lockOf().claim('a')).toBeUndefined();
    expect(lines.join('\n')).toContain("not root's");
  });

  it('breaks what is no lock', async () => {
    await lockOf().claim('a');
    await writeFile(await only(), 'nonsense');
    expect(await lockOf().claim('a')).toBeUndefined();
  });

  it('is no obstacle where the directory takes no lock', async () => {
    const lock = createHostLock({
      dir: path.join(dir, 'none'),
      files: journalFiles,
      pid: process.pid,
      bootId: 'boot',
      clock: systemClock,
      log: recordingLog(lines),
    });
    expect(await lock.claim('a')).toBeUndefined();
    expect(lines.join('\n')).toContain('cannot be sure');
  });
});
