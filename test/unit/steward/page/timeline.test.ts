import { describe, expect, it } from 'vitest';
import type { AuditRecord, News } from '../../../../src/steward/ports.ts';
import { movementsBetween } from '../../../../src/steward/page/movements.ts';
import { arrayViewOf, type ArrayView } from '../../../../src/steward/page/array-view.ts';
import { Timeline } from '../../../../src/steward/page/timeline.ts';
import type { ArrayHost } from '../../../../src/array/host.ts';
import type { ArrayVolume } from '../../../../src/array/volume.ts';
import { sdc, START, volume } from './scene.ts';

type Look = readonly [volumes: readonly ArrayVolume[], sdcs?: readonly ArrayHost[]];
const BOTH = [sdc('host1'), sdc('host2')];
const HOST1_LOST = [sdc('host1', { state: 'disconnected' }), sdc('host2')];

/** What the timeline holds after these readings, oldest first. */
function after(looks: readonly Look[], everyMs = 2000): string[] {
  const timeline = new Timeline();
  let before: ArrayView | undefined;
  for (const [index, [volumes, sdcs = BOTH]] of looks.entries()) {
    const now = arrayViewOf('docker-', { volumes, hosts: sdcs }, START + index * everyMs, before);
    if (before !== undefined) timeline.note(movementsBetween(before, now), now);
    before = now;
  }
  return timeline
    .entries({ audit: [], news: [] })
    .reverse()
    .map(({ kind, text }) => `${kind}: ${text}`);
}

describe('the timeline', () => {
  it('begins empty: what was there at the first look did not happen now', () => {
    expect(after([[[volume('db', ['host1'])], HOST1_LOST]])).toEqual([]);
  });

  it('says what came, what went, and who has it', () => {
    const db = volume('db');
    expect(after([[[]], [[db]], [[volume('db', ['host1'])]], [[db]], [[]]])).toEqual([
      'created: volume "db" was created',
      'attached: volume "db" was attached to host1',
      'released: volume "db" was released by host1',
      'removed: volume "db" was removed',
    ]);
  });

  it('calls it a takeover when the host that had it has lost the array', () => {
    const [at1, at2] = [volume('db', ['host1']), volume('db', ['host2'])];
    expect(after([[[at1]], [[at1], HOST1_LOST], [[at2], HOST1_LOST]])).toEqual([
      'host-lost: host host1 has lost the array; it holds 1 volume',
      'takeover: volume "db" was taken over by host2 from host1, which had lost the array',
    ]);
  });

  it('also when the fence and the new mapping fall into two looks, which are then one entry', () => {
    const looks: Look[] = [
      [[volume('db', ['host1'])], HOST1_LOST],
      [[volume('db')], HOST1_LOST],
      [[volume('db', ['host2'])], HOST1_LOST],
    ];
    expect(after(looks.slice(0, 2))).toEqual([
      'takeover: volume "db" was taken from host1, which had lost the array',
    ]);
    expect(after(looks)).toEqual([
      'takeover: volume "db" was taken over by host2 from host1, which had lost the array',
    ]);
  });

  it('also when the lost host is back by the time somebody looks', () => {
    const looks: Look[] = [[[volume('db', ['host1'])], HOST1_LOST], [[volume('db', ['host2'])]]];
    expect(after(looks)).toContain(
      'takeover: volume "db" was taken over by host2 from host1, which had lost the array',
    );
  });

  it('calls it a move when the host that had it is in order, at once or soon after', () => {
    const [at1, free, at2] = [volume('db', ['host1']), volume('db'), volume('db', ['host2'])];
    const moved = ['moved: volume "db" moved from host1 to host2'];
    expect(after([[[at1]], [[at2]]])).toEqual(moved);
    expect(after([[[at1]], [[free]], [[at2]]])).toEqual(moved);
    expect(after([[[at1]], [[free]], [[at2]]], 150_000)).toEqual([
      'released: volume "db" was released by host1',
      'attached: volume "db" was attached to host2',
    ]);
  });

  it('does not call it a move when the volume comes back to its host, or is another one', () => {
    const at1 = volume('db', ['host1']);
    expect(after([[[at1]], [[volume('db')]], [[at1]]]).map((line) => line.split(':')[0])).toEqual([
      'released',
      'attached',
    ]);
    const both: Look[] = [
      [[volume('a', ['host1']), volume('b')]],
      [[volume('a'), volume('b')]],
      [[volume('a'), volume('b', ['host2'])]],
    ];
    expect(after(both).map((line) => line.split(':')[0])).toEqual(['released', 'attached']);
  });

  it('tells each host of a volume that many may read', () => {
    const many = (hosts: string[]): ArrayVolume => volume('ro', hosts, { accessModeLimit: 'ReadOnly' });
    expect(after([[[many(['host1'])]], [[many(['host1', 'host2'])]], [[many(['host2'])]]])).toEqual([
      'attached: volume "ro" was attached to host2',
      'released: volume "ro" was released by host1',
    ]);
  });

  it('does not show what is not ours: other prefixes, provisional volumes, policy markers', () => {
    const foreign = ['data', '~new.01234567.89abcdef', '~always.72ce476b00000002'];
    const others = foreign.map((name, index) => volume(`${index}`, [], { name }));
    expect(after([[[]], [[...others, volume('nameless', [], { name: null })]]])).toEqual([]);
  });

  it('says host by address where the SDC has no name, and by id where it is not listed', () => {
    const nameless = [sdc('host1', { name: null })];
    expect(
      after([
        [[volume('db')], nameless],
        [[volume('db', ['host1'])], nameless],
      ]),
    ).toEqual(['attached: volume "db" was attached to 10.0.0.1']);
    expect(
      after([
        [[volume('db')], []],
        [[volume('db', ['host1'])], []],
      ]),
    ).toEqual(['attached: volume "db" was attached to SDC sdc of host1']);
  });

  it('keeps the last 200, newest first, with what the steward did among them', () => {
    const all = Array.from({ length: 1000 }, (_, index) => volume(`v${index}`));
    const timeline = new Timeline();
    const empty = arrayViewOf('docker-', { volumes: [], hosts: [] }, START, undefined);
    const full = arrayViewOf('docker-', { volumes: all, hosts: [] }, START + 1000, empty);
    timeline.note(movementsBetween(empty, full), full);
    const at = new Date(START + 2000).toISOString();
    const grown: AuditRecord = {
      at,
      action: 'grow',
      target: 'pool "pd1/sp1"',
      outcome: 'planned',
      why: '86 % used',
    };
    const entries = timeline.entries({ audit: [grown], news: [] });
    expect(entries).toHaveLength(200);
    expect(entries[0]).toMatchObject({
      kind: 'growth',
      outcome: 'planned',
      text: 'grow pool "pd1/sp1": 86 % used',
    });
    expect(entries[1]?.text).toBe('volume "v999" was created');
    expect(new Set(entries.map(({ id }) => id)).size).toBe(200);
  });

  it('holds what was asked for through the API, and by which token', () => {
    const asked: AuditRecord = {
      at: new Date(START).toISOString(),
      action: 'grow-volume',
      target: '"orders"',
      outcome: 'done',
      why: '16 GiB to 24 GiB',
      by: 'orders-app',
    };
    expect(new Timeline().entries({ audit: [asked], news: [] })).toMatchObject([
      {
        kind: 'asked',
        outcome: 'done',
        text: 'grow volume "orders": 16 GiB to 24 GiB; asked for by token "orders-app"',
      },
    ]);
  });

  it('holds levels that changed and the array out of sight, in their own words', () => {
    const at = (ms: number): string => new Date(START + ms).toISOString();
    const news: News[] = [
      { at: at(0), kind: 'level', level: 'critical', text: 'storage pool "pd1/sp1" is critical' },
      { at: at(1000), kind: 'sight', level: 'unknown', text: 'the array could not be read for 5 min' },
      { at: at(2000), kind: 'level', level: 'critical', text: 'storage pool "pd1/sp1" is critical' },
    ];
    const entries = new Timeline().entries({ audit: [], news });
    expect(entries.map(({ kind, outcome, text }) => [kind, outcome, text])).toEqual([
      ['level', null, 'storage pool "pd1/sp1" is critical'],
      ['sight', null, 'the array could not be read for 5 min'],
      ['level', null, 'storage pool "pd1/sp1" is critical'],
    ]);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(3);
  });
});

describe('a mapping', () => {
  it('is known since the reading that first had it, and since before the first reading for no time', () => {
    const look = (at: number, holders: string[], before?: ArrayView): ArrayView =>
      arrayViewOf('docker-', { volumes: [volume('db', holders)], hosts: BOTH }, at, before);
    const sinceIn = ({ volumes }: ArrayView): (number | null)[] =>
      [...volumes.values()].flatMap(({ holders }) => holders.map(({ since }) => since));
    const first = look(START, ['host1']);
    const second = look(START + 1, ['host1'], first);
    const third = look(START + 2, ['host2'], second);
    const fourth = look(START + 3, ['host2'], third);
    expect([first, second, third, fourth].map(sinceIn)).toEqual([[null], [null], [START + 2], [START + 2]]);
  });
});
