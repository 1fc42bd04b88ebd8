import { describe, expect, it } from 'vitest';
import type { SnapshotGroupId, VolumeId } from '../../../../src/array/ids.ts';
import type { ArrayVolume } from '../../../../src/array/volume.ts';
import { GatewayUnavailableError } from '../../../../src/errors.ts';
import { arrayViewOf } from '../../../../src/steward/page/array-view.ts';
import { Timeline } from '../../../../src/steward/page/timeline.ts';
import { movementsBetween } from '../../../../src/steward/page/movements.ts';
import { VolumeDetails } from '../../../../src/steward/page/volume-details.ts';
import { FakeClock, FakeFamilies, ROOM, roomOf, sdc, snapshot, START, volume } from './scene.ts';

const GIB = 1024 ** 2;
const ID = '1234567890abcdef' as VolumeId;
const HOUR = 3600;

/** Hours since 1970 as a snapshot's name has them. */
const hours = (seconds: number): string => (seconds / HOUR).toString(36).padStart(4, '0');

function copy(name: string, more: Partial<ArrayVolume> = {}): ArrayVolume {
  const id = `id of ${name}` as VolumeId;
  return { ...volume(name), id, name, kind: 'snapshot', ancestorId: ID, ...more };
}

/** A volume "db" that was created and then attached, and what it opens to. */
function scene(count = 1) {
  const clock = new FakeClock();
  const array = new FakeFamilies();
  const others = Array.from({ length: count - 1 }, (_, index) => volume(`v${index}`));
  const at = (holders: readonly string[], before: Parameters<typeof arrayViewOf>[3]) =>
    arrayViewOf(
      'docker-',
      { volumes: [volume('db', holders, { id: ID }), ...others], hosts: [sdc('host1')] },
      START,
      before,
    );
  const first = at([], undefined);
  const sighting = at(['host1'], first);
  const timeline = new Timeline();
  timeline.note(movementsBetween(first, sighting), sighting);
  const watch = {
    sighting,
    revision: 1,
    freshness: () => ({ readAt: null, state: 'current' as const, failure: null }),
    timeline: () => [],
    movesOf: (id: VolumeId) => timeline.movesOf(id),
  };
  const sources = {
    snapshot: () => snapshot(),
    watch,
    io: { revision: 0, nowOf: () => undefined },
    now: () => clock.now(),
    prefix: 'docker-',
    intervalMs: 60_000,
  };
  return {
    clock,
    array,
    details: new VolumeDetails({ array, sources, io: { ofVolume: () => undefined }, roomOf, clock }),
  };
}

describe('a volume that is opened', () => {
  it('tells its snapshots, those of a policy too, what they hold, who has it, and its moves', async () => {
    const { array, details } = scene();
    const expires = START / 1000 + 48 * HOUR;
    array.family = [
      volume('db', ['host1'], { id: ID }),
      copy('~f----.abcdef@later', { createdAtSeconds: START / 1000 + 60 }),
      copy(`~s${hours(expires)}.abcdef@early`, { secureUntilSeconds: expires }),
      copy('auto1', { madeByPolicy: true, createdAtSeconds: START / 1000 + 30 }),
      copy('~s----.000000@stranger'),
      copy('docker-clone', { groupId: 'g' as SnapshotGroupId }),
    ];
    const opened = await details.open(ID);
    if (opened.kind !== 'shown') throw new Error(opened.kind);
    const { snapshots, moves, ...rest } = opened.detail;
    const expiresAt = new Date(expires * 1000).toISOString();
    expect(snapshots).toMatchObject([
      {
        name: 'early',
        consistency: 'crash-consistent',
        expiresAt,
        secureUntil: expiresAt,
        isOfPolicy: false,
      },
      { name: 'auto1', consistency: 'crash-consistent', expiresAt: null, isOfPolicy: true },
      { name: 'later', consistency: 'frozen', expiresAt: null, secureUntil: null },
    ]);
    expect(rest).toMatchObject({
      version: 1,
      otherCopies: 2,
      heldKiB: 4 * GIB,
      copiesHeldKiB: GIB,
      room: ROOM,
      volume: { name: 'db', pool: 'pd1/sp1', holders: [{ label: 'host1' }] },
    });
    expect(moves).toMatchObject([{ kind: 'attached', text: 'volume "db" was attached to host1' }]);
  });

  it('costs two calls, and no more for those who open it within five seconds', async () => {
    const { array, clock, details } = scene();
    await Promise.all([details.open(ID), details.open(ID)]);
    clock.take(4999);
    await details.open(ID);
    expect(array.calls).toBe(2);
    clock.take(1);
    await details.open(ID);
    expect(array.calls).toBe(4);
  });

  it('asks the array nothing about what the page does not show', async () => {
    const { array, details } = scene();
    expect(await details.open('no volume')).toEqual({ kind: 'unknown' });
    expect(array.calls).toBe(0);
  });

  it('is put off when twenty others were opened within five seconds', async () => {
    const { array, clock, details } = scene(22);
    for (let index = 0; index < 20; index += 1)
      expect((await details.open(`id of v${index}`)).kind).toBe('shown');
    expect(await details.open(ID)).toEqual({ kind: 'busy' });
    expect((await details.open('id of v0')).kind).toBe('shown');
    expect(array.calls).toBe(40);
    clock.take(5000);
    expect((await details.open(ID)).kind).toBe('shown');
  });

  it('says why, where the array cannot say', async () => {
    const { array, details } = scene();
    array.failure = new GatewayUnavailableError('no gateway answers');
    expect(await details.open(ID)).toEqual({ kind: 'failed', why: 'no gateway answers' });
  });
});
