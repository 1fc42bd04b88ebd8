import { describe, expect, it } from 'vitest';
import { FilesystemError } from '../../../src/errors.ts';
import { asHostId } from '../../../src/array/ids.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { readRunningJournal } from '../../../src/journal/running-journal.ts';
import { diskError, FakeClock, FakeDisk, fakeLog, hostVolume } from './fake-disk.ts';

const dir = '/state';
const file = '/state/journal';

/** A process with a journal; `disk` as an earlier process left it. */
async function start(disk = new FakeDisk(), { bootId = 'boot-1', pid = 100 } = {}) {
  const log = fakeLog();
  const clock = new FakeClock();
  const journal = await openJournal({ dir, files: disk, bootId, pid, clock, log });
  return { journal, disk, clock, log };
}

describe('the journal', () => {
  it.each([-2, 2])(
    'knows how old an entry is when the clock was set by %d h: since its last Mount, or since the start',
    async (hours) => {
      const { journal, disk, clock } = await start();
      const mounted = () => hostVolume('db', { since: new Date(clock.time).toISOString() });
      await journal.put(mounted());
      const first = mounted();
      clock.passed += 5000;
      clock.time += hours * 3_600_000;
      expect(journal.ageMs('db')).toBe(5000);
      await journal.put({ ...first, holders: [] });
      expect(journal.ageMs('db')).toBe(5000);
      await journal.put(mounted());
      expect(journal.ageMs('db')).toBe(0);
      expect(journal.ageMs('none')).toBe(Infinity);
      await journal.delete('db');
      expect(journal.ageMs('db')).toBe(Infinity);
      await journal.put(mounted());
      const { journal: again, clock: later } = await start(disk.restart());
      later.passed += 700;
      expect(again.ageMs('db')).toBe(700);
    },
  );

  it.each(['intended', 'found'] as const)(
    'keeps an attachment that is %s and whose it is, under the names that older plugins read',
    async (attachment) => {
      const { journal, disk } = await start();
      const entry = hostVolume('db', { attachment, hostId: asHostId('c7d0000000000001'), heldSince: 'then' });
      await journal.put(entry);
      const [, , line = ''] = (disk.contents.get(file) ?? '').split('\n');
      expect(JSON.parse(line)).toMatchObject({ mapping: attachment, sdcId: 'c7d0000000000001' });
      const { journal: again } = await start(disk.restart());
      expect(again.get('db')).toEqual(entry);
    },
  );

  it('tells who reads it beside the plugin of its holders, whatever boot it is of', async () => {
    const { journal, disk } = await start();
    await journal.put(hostVolume('db'));
    const beside = await readRunningJournal({ dir, files: disk });
    expect(beside).toEqual({ journal: [hostVolume('db')], journalTrouble: undefined });
  });

  it('has what was put on disk when the promise resolves, and gives it back after a kill', async () => {
    const { journal, disk } = await start();
    await journal.put(hostVolume('db', { phase: 'mounting', holders: [] }));
    await journal.put(hostVolume('db'));
    await journal.put(hostVolume('web', { holders: ['a', 'b', ''] }));
    await journal.put(hostVolume('old'));
    await journal.delete('old');
    const { journal: again } = await start(disk.restart());
    expect(again.all()).toEqual([hostVolume('db'), hostVolume('web', { holders: ['a', 'b', ''] })]);
    expect(again.get('db')).toEqual(hostVolume('db'));
    expect(again.get('old')).toBeUndefined();
  });

  it('writes changes that come together at once, in their order, and one write at a time', async () => {
    const { journal, disk } = await start();
    const first = journal.put(hostVolume('v0'));
    await Promise.resolve();
    const rest = Array.from({ length: 100 }, (_, index) => journal.put(hostVolume(`v${index + 1}`)));
    await Promise.all([
      first,
      ...rest,
      journal.delete('v7'),
      journal.put(hostVolume('v8', { holders: ['last'] })),
    ]);
    expect(disk.writes).toBeLessThanOrEqual(2);
    const { journal: again } = await start(disk.restart());
    expect(again.all()).toHaveLength(100);
    expect(again.get('v8')?.holders).toEqual(['last']);
  });

  it('shows a change only when it is on disk', async () => {
    const { journal } = await start();
    const put = journal.put(hostVolume('db'));
    expect(journal.get('db')).toBeUndefined();
    await put;
    expect(journal.get('db')).toEqual(hostVolume('db'));
  });

  it('does not change what it holds when the caller changes what it gave', async () => {
    const { journal } = await start();
    const holders = ['a'];
    const put = journal.put(hostVolume('db', { holders }));
    holders.push('b');
    await put;
    expect(journal.get('db')?.holders).toEqual(['a']);
  });

  it('takes the holders from entries of an earlier boot, and keeps what is to be done', async () => {
    const { journal, disk } = await start();
    await journal.put(hostVolume('a', { phase: 'mounted' }));
    await journal.put(hostVolume('b', { phase: 'mounting' }));
    await journal.put(hostVolume('c', { phase: 'creating', holders: [] }));
    await journal.put(hostVolume('d', { phase: 'releasing' }));
    const { journal: again, disk: later } = await start(disk.restart(), { bootId: 'boot-2' });
    const phases = again.all().map(({ name, phase, holders }) => [name, phase, holders.length]);
    const expected = [
      ['a', 'releasing', 0],
      ['b', 'releasing', 0],
      ['c', 'creating', 0],
      ['d', 'releasing', 0],
    ];
    expect(phases).toEqual(expected);
    await again.put(hostVolume('a'));
    const { journal: third } = await start(later.restart(), { bootId: 'boot-2' });
    expect(third.get('a')?.holders).toEqual(['holder-1']);
    expect(third.get('b')?.holders).toEqual([]);
  });

  it.each([
    ['ENOSPC', 'no space left on device'],
    ['EROFS', 'read-only file system'],
  ])('rejects a change that cannot be written (%s) and stays as it was', async (code, text) => {
    const { journal, disk } = await start();
    await journal.put(hostVolume('db'));
    disk.failure = diskError(code, text);
    const changes = [journal.put(hostVolume('db', { holders: [] })), journal.delete('db')];
    for (const change of changes) {
      await expect(change).rejects.toThrow(FilesystemError);
      await expect(change).rejects.toThrow(`writing journal "${file}" failed: ${code}: ${text}; make room`);
    }
    expect(journal.get('db')).toEqual(hostVolume('db'));
    expect(journal.lastFailure).toContain(text);
    disk.failure = undefined;
    await journal.delete('db');
    expect(journal.lastFailure).toBeUndefined();
    expect(journal.all()).toEqual([]);
  });

  it('starts on a disk that takes nothing, and says so', async () => {
    const disk = new FakeDisk();
    disk.failure = diskError('EROFS', 'read-only file system');
    disk.makeDirectory = () => Promise.reject(diskError('EROFS', 'read-only file system'));
    const { journal, log } = await start(disk);
    expect(journal.all()).toEqual([]);
    expect(log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'journal directory cannot be made',
      'journal directory cannot be locked',
    ]);
    await journal.close();
  });

  it('refuses changes once it is closed, and finishes those before', async () => {
    const { journal, disk } = await start();
    let isWritten = false;
    const put = journal.put(hostVolume('db')).then(() => {
      isWritten = true;
    });
    await journal.close();
    expect(isWritten).toBe(true);
    await Promise.all([put, journal.close()]);
    expect([...disk.contents.keys()]).toEqual(['/state/journal']);
    await expect(journal.put(hostVolume('web'))).rejects.toThrow('it is closed');
    const { journal: again } = await start(disk.restart());
    expect(again.all()).toEqual([hostVolume('db')]);
  });

  it('removes what a crash left of a write', async () => {
    const { journal, disk } = await start();
    disk.dieIn = 0;
    await expect(journal.put(hostVolume('db'))).rejects.toThrow(FilesystemError);
    expect([...disk.contents.keys()]).toContain('/state/journal.0123456789ab.new');
    const { disk: later } = await start(disk.restart());
    expect([...later.contents.keys()]).toEqual(['/state/lock']);
  });
});

describe('temporary files of earlier lives', () => {
  const DAY_MS = 86_400_000;
  const lockOf = (pid: number): string =>
    JSON.stringify({ pid, start: String(pid), bootId: 'boot-1', token: '00' });

  it.each([
    ['journal.0123456789ab.new', 'torn', 0, false],
    ['known-volumes.0123456789ab.new', '', 0, false],
    ['fences.0123456789ab.new', 'torn', 0, false],
    ['lock.0123456789ab.new', lockOf(7), 0, false],
    ['lock.0123456789ab.new', 'torn', 0, false],
    // A process that lives tries to take the lock just now.
    ['lock.0123456789ab.new', lockOf(8), 0, true],
    // The command line may be writing it just now.
    ['forced-fences.0123456789ab.new', 'x', 60_000, true],
    ['forced-fences.0123456789ab.new', 'x', DAY_MS, false],
    ['emc-vol-1-2.e2undo', 'blocks', DAY_MS, true],
    ['emc-vol-1-2.e2undo', 'blocks', 31 * DAY_MS, false],
    ['notes.e2undo', 'of somebody', 99 * DAY_MS, true],
    ['lock.new', 'of somebody', 99 * DAY_MS, true],
    ['journal.copy', 'of somebody', 99 * DAY_MS, true],
  ])('%s with %j, %d ms old: stays %s', async (name, text, ageMs, stays) => {
    const disk = new FakeDisk();
    disk.contents.set(`${dir}/${name}`, text);
    disk.contents.set('/proc/8/stat', `8 (x) ${'0 '.repeat(19)}8 0`);
    disk.agesMs.set(`${dir}/${name}`, ageMs);
    await start(disk);
    expect(disk.contents.has(`${dir}/${name}`)).toBe(stays);
  });
});

describe('a journal that cannot be used', () => {
  async function written(): Promise<FakeDisk> {
    const { journal, disk } = await start();
    await journal.rebuilt();
    await journal.put(hostVolume('db'));
    await journal.close();
    return disk.restart();
  }

  it.each<[string, (text: string) => string, string]>([
    ['empty', () => '', 'does not begin as it should'],
    ['of something else', () => '{"a":1}\n', 'does not begin as it should'],
    ['no text', () => '\0\0\0\0', 'does not begin as it should'],
    ['cut short', (text) => text.slice(0, -20), 'checksum is wrong'],
    ['changed', (text) => text.replace('holder-1', 'holder-2'), 'checksum is wrong'],
    [
      'of no version',
      (text) => text.replace('"version":1', '"version":0'),
      'it has version 0, this program knows 1',
    ],
  ])('(%s) is moved aside and stays to be rebuilt until it is', async (_what, damage, why) => {
    const disk = await written();
    const good = disk.contents.get(file) ?? '';
    disk.contents.set(file, damage(good));
    const { journal, log, disk: now } = await start(disk);
    expect(journal.mustRebuild).toBe(true);
    expect(journal.all()).toEqual([]);
    expect(log.lines.find(({ level }) => level === 'error')?.facts).toMatchObject({
      why: expect.stringContaining(why) as string,
      aside: '/state/journal.unusable-2024-01-02T030405.000Z',
    });
    expect(now.contents.get('/state/journal.unusable-2024-01-02T030405.000Z')).toBe(damage(good));

    await journal.put(hostVolume('web'));
    const { journal: second, disk: later } = await start(now.restart());
    expect(second.mustRebuild).toBe(true);
    expect(second.all()).toEqual([hostVolume('web')]);
    await second.rebuilt();
    expect(second.mustRebuild).toBe(false);
    expect((await start(later.restart())).journal.mustRebuild).toBe(false);
  });

  it('is also one that cannot be read', async () => {
    const disk = await written();
    const read = disk.read.bind(disk);
    disk.read = (name) => (name === file ? Promise.reject(diskError('EIO', 'i/o error')) : read(name));
    const { journal, log } = await start(disk);
    expect(journal.mustRebuild).toBe(true);
    expect(JSON.stringify(log.lines)).toContain('EIO: i/o error');
  });

  it('is also one that is missing: the state directory may have been lost', async () => {
    expect((await start()).journal.mustRebuild).toBe(true);
  });

  it('leaves the last five of its kind', async () => {
    const disk = await written();
    for (let day = 1; day <= 7; day += 1) {
      disk.contents.set(`/state/journal.unusable-2023-01-0${day}T000000.000Z`, 'x');
    }
    disk.contents.set(file, 'broken');
    await start(disk);
    const kept = [...disk.contents.keys()].filter((name) => name.includes('unusable')).sort();
    expect(kept).toHaveLength(5);
    expect(kept.at(-1)).toBe('/state/journal.unusable-2024-01-02T030405.000Z');
  });
});
