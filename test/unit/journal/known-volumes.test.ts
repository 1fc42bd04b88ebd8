import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KnownVolumes } from '../../../src/journal/known-volumes.ts';
import { diskError, FakeClock, FakeDisk, fakeLog, knownVolume } from './fake-disk.ts';

const file = '/state/known-volumes';

async function open(files = new FakeDisk()) {
  const clock = new FakeClock();
  const log = fakeLog();
  return { known: await KnownVolumes.open({ dir: '/state', files, clock, log }), files, clock, log };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !isSo(); turn += 1) await new Promise(setImmediate);
  expect(isSo()).toBe(true);
}

describe('known volumes', () => {
  it('are there at once, and on disk a little later, many together', async () => {
    const { known, files, clock } = await open();
    for (const name of ['a', 'b', 'c']) known.remember(knownVolume(name));
    known.forget('b');
    expect(known.all().map(({ name }) => name)).toEqual(['a', 'c']);
    expect(known.get('a')).toEqual(knownVolume('a'));
    expect(files.writes).toBe(0);
    expect(clock.sleepers).toHaveLength(1);
    clock.sleepers[0]?.wake();
    await until(() => files.writes === 1);
    const { known: again } = await open(files.restart());
    expect(again.all()).toEqual([knownVolume('a'), knownVolume('c')]);
  });

  it('are not known to have what nobody said: null here, and on disk what older plugins read', async () => {
    const { known, files } = await open();
    const unsaid = knownVolume('a', { sizeKiB: null, createdAtSeconds: null, poolId: null });
    known.remember(unsaid);
    await known.close();
    expect(files.contents.get(file)).toContain('"sizeKiB":0,"createdAtSeconds":0,"storagePoolId":""');
    const { known: again } = await open(files.restart());
    expect(again.get('a')).toEqual(unsaid);
  });

  it('are written when closed, and not when nothing changed', async () => {
    const { known, files } = await open();
    known.remember(knownVolume('a', { label: undefined }));
    await known.close();
    expect(files.writes).toBe(1);
    const later = files.restart();
    const { known: again, clock } = await open(later);
    expect(again.get('a')).toEqual(knownVolume('a', { label: undefined }));
    again.remember(knownVolume('a', { label: undefined }));
    again.forget('never seen');
    expect(clock.sleepers).toEqual([]);
    await again.close();
    expect(later.writes).toBe(0);
  });

  it('are written again when they changed during a write', async () => {
    const { known, files, clock } = await open();
    known.remember(knownVolume('a'));
    clock.sleepers[0]?.wake();
    await until(() => files.writes === 1);
    known.remember(knownVolume('b'));
    await known.close();
    expect((await open(files.restart())).known.all()).toHaveLength(2);
  });

  it('survive a full disk in memory, warn once, and are written when there is room', async () => {
    const { known, files, clock, log } = await open();
    files.failure = diskError('ENOSPC', 'no space left on device');
    known.remember(knownVolume('a'));
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await until(() => clock.sleepers.length === attempt + 1);
      clock.sleepers[attempt]?.wake();
    }
    await until(() => clock.sleepers.length === 4);
    expect(log.lines.map(({ message }) => message)).toEqual(['known volumes cannot be written']);
    files.failure = undefined;
    await known.close();
    expect((await open(files.restart())).known.get('a')).toEqual(knownVolume('a'));
  });

  it('number 100,000 at most; the longest unseen goes first', async () => {
    const { known, files } = await open();
    for (let index = 0; index < 100_000; index += 1) known.remember(knownVolume(`v${index}`));
    known.remember(knownVolume('v0'));
    known.remember(knownVolume('one more'));
    expect(known.all()).toHaveLength(100_000);
    expect(known.get('v0')).toBeDefined();
    expect(known.get('v1')).toBeUndefined();
    await known.close();
    const { known: again } = await open(files.restart());
    expect(again.all()).toHaveLength(100_000);
  });

  it('are forgotten without a word to the caller when their file is damaged', async () => {
    const { known, files } = await open();
    known.remember(knownVolume('a'));
    await known.close();
    const text = files.contents.get(file) ?? '';
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), async (end) => {
        const disk = files.restart();
        disk.contents.set(file, text.slice(0, end));
        const { known: again, log } = await open(disk);
        expect(again.all()).toEqual([]);
        expect(log.lines.map(({ message }) => message)).toEqual(['known volumes are forgotten']);
      }),
    );
  });

  it('leave out what another release wrote otherwise', async () => {
    const { known, files } = await open();
    known.remember(knownVolume('a'));
    known.remember({ ...knownVolume('b'), sizeKiB: 'big' as unknown as number });
    await known.close();
    expect((await open(files.restart())).known.all()).toEqual([knownVolume('a')]);
  });
});
