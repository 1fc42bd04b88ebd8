import { describe, expect, it } from 'vitest';
import { FilesystemError } from '../../../src/errors.ts';
import { lockDirectory } from '../../../src/journal/directory-lock.ts';
import { FakeClock, FakeDisk, fakeLog } from './fake-disk.ts';

const lockFile = '/state/lock';

/** A machine on which processes with these ids and start times run. */
function machine(running: Readonly<Record<number, number>>, disk = new FakeDisk()): FakeDisk {
  for (const name of disk.contents.keys()) if (name.startsWith('/proc/')) disk.contents.delete(name);
  for (const [pid, start] of Object.entries(running)) {
    const before = `${pid} (node) evil) S 1 2 3 0 -1 4194560 5 0 0 0 1 2 0 0 20 0 11 0`;
    disk.contents.set(`/proc/${pid}/stat`, `${before} ${start} 12345 678`);
  }
  return disk;
}

function lock(files: FakeDisk, pid: number, bootId = 'boot-1') {
  return lockDirectory({ dir: '/state', files, pid, bootId, clock: new FakeClock(), log: fakeLog() });
}

describe('lockDirectory', () => {
  it('refuses while a living process has the directory, and names it', async () => {
    const disk = machine({ 100: 5000, 200: 6000 });
    const release = await lock(disk, 100);
    await expect(lock(disk, 200)).rejects.toThrow(FilesystemError);
    await expect(lock(disk, 200)).rejects.toThrow(
      'opening journal directory "/state" failed: process 100 works with it',
    );
    await expect(lock(disk, 100)).rejects.toThrow('process 100');
    await release();
    expect(disk.contents.has(lockFile)).toBe(false);
    await lock(disk, 200);
  });

  it.each<[string, Record<number, number>, string]>([
    ['was killed', { 200: 6000 }, 'boot-1'],
    ['was killed and its id given to another', { 100: 5999, 200: 6000 }, 'boot-1'],
    ['belonged to an earlier boot', { 100: 5000, 200: 6000 }, 'boot-2'],
  ])('takes over from a process that %s', async (_what, running, bootId) => {
    const disk = machine({ 100: 5000 });
    await lock(disk, 100);
    machine(running, disk);
    const release = await lock(disk, 200, bootId);
    expect(disk.contents.get(lockFile)).toContain('"pid":200');
    expect([...disk.contents.keys()].filter((name) => name.startsWith('/state/'))).toEqual([lockFile]);
    await release();
  });

  it('takes over from itself after a kill when it got the same id again', async () => {
    const disk = machine({ 1: 5000 });
    await lock(disk, 1);
    await lock(machine({ 1: 7000 }, disk), 1);
  });

  it('does not let go of what another process took meanwhile', async () => {
    const disk = machine({ 100: 5000 });
    const release = await lock(disk, 100);
    await lock(machine({ 200: 6000 }, disk), 200);
    await release();
    expect(disk.contents.get(lockFile)).toContain('"pid":200');
  });

  it('gives back a lock that a living process took between its look and its move', async () => {
    const disk = machine({ 1: 10 });
    await lock(disk, 1);
    machine({ 2: 200, 3: 300 }, disk);
    const look = disk.read.bind(disk);
    let isFirst = true;
    disk.read = async (file) => {
      const text = await look(file);
      if (file === lockFile && isFirst) {
        isFirst = false;
        await lock(disk, 2);
      }
      return text;
    };
    await expect(lock(disk, 3)).rejects.toThrow('process 2 works with it');
    expect([...disk.contents.keys()].filter((name) => name.startsWith('/state/'))).toEqual([lockFile]);
    expect(disk.contents.get(lockFile)).toContain('"pid":2,');
  });

  it('leaves the lock to one of many that start at once beside a dead one', async () => {
    const disk = machine({ 1: 10 });
    await lock(disk, 1);
    const pids = [2, 3, 4, 5];
    machine(Object.fromEntries(pids.map((pid) => [pid, pid * 100])), disk);
    const results = await Promise.allSettled(pids.map((pid) => lock(disk, pid)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
