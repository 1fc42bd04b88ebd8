import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { isLeftover, journalFiles } from '../../../src/journal/journal-files.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { FakeClock, fakeLog, hostVolume, knownVolume } from './fake-disk.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'journal-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

describe('journalFiles', () => {
  it('make a file once, whole, and leave nothing beside it', async () => {
    const file = path.join(dir, 'lock');
    await expect(journalFiles.createExclusive(file, 'one')).resolves.toBe(true);
    await expect(journalFiles.createExclusive(file, 'two')).resolves.toBe(false);
    await expect(journalFiles.read(file)).resolves.toBe('one');
    expect(await journalFiles.list(dir)).toEqual(['lock']);
    await journalFiles.remove(file);
    await journalFiles.remove(file);
    await expect(journalFiles.read(file)).resolves.toBeUndefined();
  });

  it('tell by a text whether a file has changed', async () => {
    const file = path.join(dir, 'fences');
    expect(await journalFiles.stateOf(file)).toBeUndefined();
    const states = [];
    for (const content of ['one', 'two', 'ten']) {
      await journalFiles.writeAtomic(file, Buffer.from(content));
      states.push(await journalFiles.stateOf(file));
      expect(await journalFiles.stateOf(file)).toBe(states.at(-1));
    }
    expect(new Set(states).size).toBe(3);
  });

  it('reject what they cannot do', async () => {
    await expect(journalFiles.read(dir)).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(journalFiles.createExclusive(path.join(dir, 'no/lock'), '')).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it.each([
    ['journal.0123456789ab.new', true],
    ['journal.unusable-2024', false],
    ['journal', false],
    ['known-volumes.0123456789ab.new', false],
  ])('know whether %s is a leftover of the journal', (name, isOne) => {
    expect(isLeftover('journal', name)).toBe(isOne);
  });
});

test('a journal in a directory that the kernel does not take says so when something is to be written', async () => {
  const log = fakeLog();
  const nowhere = { dir: '/proc/none/state', files: journalFiles, bootId: 'boot', pid: process.pid };
  const journal = await openJournal({ ...nowhere, clock: new FakeClock(), log });
  await expect(journal.put(hostVolume('db'))).rejects.toThrow(
    'writing journal "/proc/none/state/journal" failed: ENOENT',
  );
  expect(JSON.stringify(log)).toContain('journal directory cannot be made');
});

describe('a journal on a real disk', () => {
  const open = () =>
    openJournal({
      dir: path.join(dir, 'state'),
      files: journalFiles,
      bootId: 'boot-1',
      pid: process.pid,
      clock: new FakeClock(),
      log: fakeLog(),
    });

  it('comes back after a restart, is for root alone, and for one process', async () => {
    const journal = await open();
    await expect(open()).rejects.toThrow(`process ${process.pid} works with it`);
    await Promise.all([journal.put(hostVolume('db')), journal.put(hostVolume('web'))]);
    journal.remember(knownVolume('db'));
    await journal.close();
    const state = path.join(dir, 'state');
    expect((await readdir(state)).sort()).toEqual(['journal', 'known-volumes']);
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(state, 'journal'))).mode & 0o777).toBe(0o600);

    await writeFile(path.join(state, 'journal.0123456789ab.new'), 'torn');
    const again = await open();
    expect(again.all()).toEqual([hostVolume('db'), hostVolume('web')]);
    expect(again.known('db')).toEqual(knownVolume('db'));
    expect((await readdir(state)).sort()).toEqual(['journal', 'known-volumes', 'lock']);
    await again.close();
  });

  it('takes no lock away from who tries while leftovers are removed', async () => {
    const file = path.join(dir, 'lock');
    const tries = Array.from({ length: 50 }, (_, number) =>
      journalFiles.createExclusive(file, String(number)),
    );
    const sweep = async (): Promise<void> => {
      for (const name of await readdir(dir))
        if (isLeftover('lock', name)) await rm(path.join(dir, name), { force: true });
    };
    const results = await Promise.all([...tries, sweep().then(() => false), sweep().then(() => false)]);
    expect(results.filter(Boolean).length).toBeLessThanOrEqual(1);
  });

  it('keeps the owner of the lock as the kernel knows it', async () => {
    const journal = await open();
    const owner = JSON.parse(await readFile(path.join(dir, 'state/lock'), 'utf8')) as { start: string };
    expect(owner).toMatchObject({ pid: process.pid, bootId: 'boot-1' });
    expect(Number(owner.start)).toBeGreaterThan(0);
    await journal.close();
  });
});
