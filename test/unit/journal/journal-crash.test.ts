import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openJournal, type OpenJournal } from '../../../src/journal/journal.ts';
import type { HostVolume } from '../../../src/volumes/ports.ts';
import { FakeClock, FakeDisk, fakeLog, hostVolume } from './fake-disk.ts';

const file = '/state/journal';
const phases = ['creating', 'mounting', 'mounted', 'releasing'] as const;

function open(disk: FakeDisk): Promise<OpenJournal> {
  const ports = { dir: '/state', files: disk, bootId: 'boot-1', pid: 100 };
  return openJournal({ ...ports, clock: new FakeClock(), log: fakeLog() });
}

const anyName = fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.string({ unit: 'binary', minLength: 1 }));
const anyEntry = fc
  .record({
    name: anyName,
    phase: fc.constantFrom(...phases),
    holders: fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }),
  })
  .map(({ name, phase, holders }) => hostVolume(name, { phase, holders }));
const anyChange = fc.oneof({ weight: 3, arbitrary: anyEntry }, { weight: 1, arbitrary: anyName });
type Change = HostVolume | string;

function submit(journal: OpenJournal, change: Change): Promise<void> {
  return typeof change === 'string' ? journal.delete(change) : journal.put(change);
}

function after(changes: readonly Change[]): HostVolume[] {
  const entries = new Map<string, HostVolume>();
  for (const change of changes) {
    if (typeof change === 'string') entries.delete(change);
    else entries.set(change.name, change);
  }
  return [...entries.values()];
}

describe('the journal after a crash', () => {
  it('holds what was acknowledged, or that and more in the order of asking, whatever write the crash hits', async () => {
    const groups = fc.array(fc.array(anyChange, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(groups, fc.nat(6), fc.boolean(), async (steps, dieIn, dieAfter) => {
        const disk = Object.assign(new FakeDisk(), { dieIn, dieAfter });
        const journal = await open(disk);
        const asked: Change[] = [];
        let acknowledged = 0;
        for (const group of steps) {
          asked.push(...group);
          const results = await Promise.allSettled(group.map((change) => submit(journal, change)));
          if (results.some(({ status }) => status === 'rejected')) break;
          acknowledged = asked.length;
        }
        const again = await open(disk.restart());
        const allowed = asked.slice(acknowledged).map((_, index) => asked.slice(0, acknowledged + index + 1));
        const states = [asked.slice(0, acknowledged), ...allowed].map((changes) =>
          JSON.stringify(after(changes)),
        );
        expect(states).toContain(JSON.stringify(again.all()));
      }),
    );
  });

  it('is the same or is to be rebuilt, whatever happened to its bytes, and takes changes again', async () => {
    const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 3 });
    const cut = fc.option(fc.nat(), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(fc.array(anyEntry, { maxLength: 5 }), damage, cut, async (entries, flips, end) => {
        const disk = new FakeDisk();
        const journal = await open(disk);
        await journal.rebuilt();
        await Promise.all(entries.map((entry) => journal.put(entry)));
        const before = JSON.stringify(journal.all());
        const bytes = Buffer.from(disk.contents.get(file) ?? '');
        for (const { at, byte } of flips) bytes[at % bytes.length] = byte;
        const left = end === undefined ? bytes : bytes.subarray(0, end % (bytes.length + 1));
        const later = disk.restart();
        later.contents.set(file, left.toString('utf8'));
        const again = await open(later);
        if (again.mustRebuild) expect(again.all()).toEqual([]);
        else expect(JSON.stringify(again.all())).toBe(before);
        await again.put(hostVolume('new'));
        expect(again.get('new')).toEqual(hostVolume('new'));
      }),
    );
  });

  it('opens over any text at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const disk = new FakeDisk();
        disk.contents.set(file, text);
        disk.contents.set('/state/known-volumes', text);
        disk.contents.set('/state/lock', text);
        const journal = await open(disk);
        expect(journal.mustRebuild).toBe(true);
        expect(journal.allKnown()).toEqual([]);
      }),
    );
  });
});
