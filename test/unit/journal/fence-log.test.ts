import { asVolumeId } from '../../../src/array/ids.ts';
import { describe, expect, it } from 'vitest';
import { FENCES_FILE, FORCED_FENCES_FILE, openFenceLog } from '../../../src/journal/fence-log.ts';
import type { FenceRecord } from '../../../src/volumes/ports.ts';
import { diskError, FakeClock, FakeDisk, fakeLog } from './fake-disk.ts';

const file = `/state/${FENCES_FILE}`;

function fence(number: number, changes: Partial<FenceRecord> = {}): FenceRecord {
  return {
    at: new Date(number).toISOString(),
    volume: 'db',
    volumeId: asVolumeId('72ce476b00000002'),
    by: 'sdc-b',
    byName: 'host-b (10.0.0.2)',
    from: 'sdc-a',
    fromName: 'host-a (10.0.0.1)',
    policy: 'disconnected',
    holderState: 'disconnected',
    recentIo: null,
    durationMs: number,
    outcome: 'taken',
    ...changes,
  };
}

async function open(files = new FakeDisk(), clock = new FakeClock()) {
  const log = fakeLog();
  return { fences: await openFenceLog({ dir: '/state', files, clock, log }), files, clock, log };
}

describe('the fence log', () => {
  it('answers by volume, oldest first, and survives a restart', async () => {
    const { fences, files } = await open();
    fences.record(fence(1));
    fences.record(fence(2, { volumeId: asVolumeId('other') }));
    fences.record(fence(3, { recentIo: 0, policy: 'forced', outcome: 'late' }));
    const expected = [fence(1), fence(3, { recentIo: 0, policy: 'forced', outcome: 'late' })];
    expect(fences.recentOf('72ce476b00000002', Infinity)).toEqual(expected);
    await fences.close();
    const { fences: again, log } = await open(files.restart());
    expect(again.recentOf('72ce476b00000002', Infinity)).toEqual(expected);
    expect(log.lines).toEqual([]);
  });

  it.each([
    ['taken', 'volume taken from another host'],
    ['late', 'volume taken from a host, and mapped again at once'],
    ['failed', 'taking a volume from another host failed'],
    ['unknown', 'no gateway said whether a volume was taken from another host'],
  ] as const)('writes one log line for a fence that was %s', async (outcome, message) => {
    const { fences, log } = await open();
    fences.record(fence(1, { outcome }));
    await fences.close();
    expect(log.lines).toEqual([{ level: 'warn', facts: { fence: fence(1, { outcome }) }, message }]);
  });

  it('tells each fence that another process forced once, also when that file was begun anew', async () => {
    const force = async (...numbers: number[]): Promise<void> => {
      const forced = await openFenceLog({ dir: '/state', files, clock, log, name: FORCED_FENCES_FILE });
      for (const number of numbers) forced.record(fence(number, { policy: 'forced' }));
      await forced.close();
    };
    const files = new FakeDisk();
    const clock = new FakeClock();
    const log = fakeLog();
    await force(1);
    const { fences } = await open(files);
    const found = async () => (await fences.newOfOthers()).map(({ durationMs }) => durationMs);
    expect(await found()).toEqual([]);
    await force(2, 3);
    expect(await found()).toEqual([2, 3]);
    expect(await found()).toEqual([]);
    files.contents.set(`/state/${FORCED_FENCES_FILE}`, 'damaged');
    expect(await found()).toEqual([]);
    await force(4);
    expect(await found()).toEqual([4]);
  });

  it('tells the latest of both: what this host did by itself, and what was forced here since it was opened', async () => {
    const { fences, files, clock, log } = await open();
    expect(await fences.latest('72ce476b00000002')).toBeUndefined();
    fences.record(fence(2));
    const forced = await openFenceLog({ dir: '/state', files, clock, log, name: FORCED_FENCES_FILE });
    forced.record(fence(1, { policy: 'forced' }));
    await forced.close();
    expect(await fences.latest('72ce476b00000002')).toEqual(fence(2));
    forced.record(fence(3, { policy: 'forced' }));
    await forced.close();
    expect(await fences.latest('72ce476b00000002')).toEqual(fence(3, { policy: 'forced' }));
    expect(await fences.latest('other')).toBeUndefined();
    expect(fences.recentOf('72ce476b00000002', Infinity)).toEqual([fence(2)]);
    expect(await forced.latest('72ce476b00000002')).toEqual(fence(3, { policy: 'forced' }));
  });

  it('answers from its own records while those of the command line cannot be read', async () => {
    const { fences, files } = await open();
    fences.record(fence(1));
    files.contents.set(`/state/${FORCED_FENCES_FILE}`, 'nonsense');
    expect(await fences.latest('72ce476b00000002')).toEqual(fence(1));
  });

  it('answers from its own records while the file of the command line cannot even be looked at', async () => {
    const { fences, files } = await open();
    fences.record(fence(1));
    files.stateOf = () => Promise.reject(diskError('EIO', 'input/output error'));
    expect(await fences.latest('72ce476b00000002')).toEqual(fence(1));
    expect(await fences.newOfOthers()).toEqual([]);
  });

  describe('asked for the recent ones', () => {
    const HOUR_MS = 3_600_000;
    const at = (clock: FakeClock): Partial<FenceRecord> => ({ at: new Date(clock.time).toISOString() });

    it.each([-2, 2])('does not mind that the clock was set by %d h in its own life', async (hours) => {
      const { fences, clock } = await open();
      fences.record(fence(1, at(clock)));
      clock.time += hours * HOUR_MS;
      clock.passed += 60_000;
      expect(fences.recentOf('72ce476b00000002', 60_000)).toHaveLength(1);
      clock.passed += 1;
      expect(fences.recentOf('72ce476b00000002', 60_000)).toEqual([]);
    });

    it('goes by what records of earlier lives say, and takes one from the future, or of no time, for recent', async () => {
      const { fences, files, clock } = await open();
      fences.record(fence(1, at(clock)));
      fences.record(fence(2, { at: 'yesterday' }));
      await fences.close();
      const { fences: again } = await open(files.restart(), clock);
      const found = () => again.recentOf('72ce476b00000002', 60_000).map(({ durationMs }) => durationMs);
      clock.time += 60_000;
      expect(found()).toEqual([1, 2]);
      clock.time += 1;
      expect(found()).toEqual([2]);
      clock.time -= 2 * HOUR_MS;
      expect(found()).toEqual([1, 2]);
    });
  });

  it('keeps the last thousand', async () => {
    const { fences, files } = await open();
    for (let number = 0; number < 1005; number += 1) fences.record(fence(number));
    await fences.close();
    const { fences: again } = await open(files.restart());
    for (const log of [fences, again]) {
      expect(log.recentOf('72ce476b00000002', Infinity).map(({ durationMs }) => durationMs)).toEqual(
        Array.from({ length: 1000 }, (_, index) => index + 5),
      );
    }
  });

  it.each([
    ['one byte is changed', (text: string) => text.replace('sdc-a', 'sdc-x')],
    ['it was cut', (text: string) => text.slice(0, -10)],
    ['it is empty', () => ''],
  ])('begins anew and says so when %s', async (_what, damage) => {
    const { fences, files } = await open();
    fences.record(fence(1));
    await fences.close();
    const damaged = files.restart();
    damaged.contents.set(file, damage(damaged.contents.get(file) ?? ''));
    const { fences: again, log } = await open(damaged);
    expect(again.recentOf('72ce476b00000002', Infinity)).toEqual([]);
    expect(log.lines).toMatchObject([
      { level: 'warn', message: 'earlier fences cannot be read and are forgotten' },
    ]);
    again.record(fence(2));
    await again.close();
    expect((await open(damaged.restart())).fences.recentOf('72ce476b00000002', Infinity)).toEqual([fence(2)]);
  });

  it('survives a full disk in memory, and says so', async () => {
    const { fences, files, log } = await open();
    files.failure = diskError('ENOSPC', 'no space left on device');
    fences.record(fence(1));
    await fences.close();
    expect(fences.recentOf('72ce476b00000002', Infinity)).toEqual([fence(1)]);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', message: 'fence is not recorded on disk' });
  });

  it('holds the old or the new records after a crash at any write', async () => {
    for (const dieAfter of [false, true]) {
      const files = new FakeDisk();
      const { fences } = await open(files);
      fences.record(fence(1));
      await fences.close();
      files.dieIn = files.writes;
      files.dieAfter = dieAfter;
      fences.record(fence(2));
      await fences.close();
      const { fences: again, log } = await open(files.restart());
      expect(again.recentOf('72ce476b00000002', Infinity)).toEqual(
        dieAfter ? [fence(1), fence(2)] : [fence(1)],
      );
      expect(log.lines).toEqual([]);
    }
  });
});
