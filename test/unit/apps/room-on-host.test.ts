import { expect, it } from 'vitest';
import { roomOnHost } from '../../../src/apps/room-on-host.ts';
import { HostNeededError, VolumeConflictError } from '../../../src/errors.ts';
import type { HostDoors } from '../../../src/steward/api/host-doors.ts';
import { volume } from '../steward/page/scene.ts';

const never = new AbortController().signal;
const db = volume('db', ['host1', 'host2']);

/** A host whose door answers this. */
const saying = (answer: unknown) => {
  const asked: unknown[] = [];
  const askHolder: HostDoors['askHolder'] = (holder, call) => {
    asked.push([holder.hostId, call]);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as never);
  };
  return { asked, roomOf: roomOnHost({ askHolder }) };
};

it('has the host say how full a volume is that has it', async () => {
  const { asked, roomOf } = saying({ sizeBytes: 4096, usedBytes: 1024, availableBytes: 2048 });
  expect(await roomOf(db, never)).toEqual({ kind: 'known', sizeKiB: 4, usedKiB: 1, availableKiB: 2 });
  expect(asked).toEqual([['sdc of host1', { action: 'lookAtRoom', wanted: { volumeId: db.id } }]]);
});

it.each([
  ['it has the volume not mounted', null, 'has it not mounted, or its file system does not answer'],
  [
    'it has no door',
    new HostNeededError('only host1 knows, and has no door'),
    'only host1 knows, and has no door',
  ],
  ['it refuses', new VolumeConflictError('not now'), 'does not say: not now'],
])('says why that is not known where %s', async (_, answer, why) => {
  const { roomOf } = saying(answer);
  expect(await roomOf(db, never)).toEqual({ kind: 'unknown', why: expect.stringContaining(why) as string });
});

it('asks nobody of what nobody has', async () => {
  const { asked, roomOf } = saying(null);
  expect(await roomOf(volume('free'), never)).toMatchObject({ why: 'nobody has it attached' });
  expect(await roomOf(volume('free', [], { attachedToAll: true }), never)).toMatchObject({
    why: 'every host may use it',
  });
  expect(asked).toEqual([]);
});
