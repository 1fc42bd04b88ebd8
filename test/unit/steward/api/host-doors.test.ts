import { describe, expect, it } from 'vitest';
import type { HostId } from '../../../../src/array/ids.ts';
import { actionsFrom } from '../../../../src/volumes/operator-actions.ts';
import { HostAwayError, HostDoors } from '../../../../src/steward/api/host-doors.ts';
import { FakeClock, silent } from '../page/scene.ts';

/* A host that was waited for in vain is not waited for by every call. */

const WISH = { name: 'db', snapshot: 'a', keepMs: null };
const ASKED = { why: 'it takes a host', signal: AbortSignal.timeout(60_000) };
const RESTORED = { volume: 'db', snapshot: 'a', keptAs: 'undo-1', keptUntil: null, lacks: null };

/** Hosts that are away after so many ms; undefined: that do it. */
function doorsAfter(...afterMs: readonly (number | undefined)[]) {
  const clock = new FakeClock();
  const state = [...afterMs];
  const asked: string[] = [];
  const doors = new HostDoors(
    state.map((_, index) => ({
      host: `host${index}`,
      address: `host${index}:1`,
      actions: actionsFrom(() => {
        asked.push(`host${index}`);
        const after = state[index];
        if (after === undefined) return Promise.resolve(RESTORED as never);
        clock.take(after);
        return Promise.reject(new HostAwayError('cannot be reached (no connection within 3000 ms)'));
      }),
    })),
    { clock, log: silent },
  );
  const restore = () => doors.askAny('restore', WISH, ASKED);
  return { clock, state, asked, doors, restore };
}

describe('a host that is silent', () => {
  it('is passed over for half a minute', async () => {
    const { restore, asked, clock } = doorsAfter(3000, undefined);
    expect(await restore()).toEqual(RESTORED);
    clock.take(29_000);
    expect(await restore()).toEqual(RESTORED);
    expect(asked).toEqual(['host0', 'host1', 'host1']);
    clock.take(1000);
    expect(await restore()).toEqual(RESTORED);
    expect(asked.slice(3)).toEqual(['host0', 'host1']);
  });

  it('is named with the reason while it is the only one, and asked again afterwards', async () => {
    const { restore, asked, clock, state } = doorsAfter(3000);
    await expect(restore()).rejects.toThrow('no connection within 3000 ms');
    state[0] = undefined;
    await expect(restore()).rejects.toThrow('no connection within 3000 ms), and is asked again 30 s after');
    expect(asked.length).toBe(1);
    clock.take(30_000);
    expect(await restore()).toEqual(RESTORED);
  });

  it('is not asked either where it has the volume itself', async () => {
    const { doors, restore, asked } = doorsAfter(3000);
    await expect(restore()).rejects.toThrow();
    const holder = {
      hostId: 'host0' as HostId,
      hostKind: 'sdc',
      hostName: 'host0',
      hostAddress: null,
      accessMode: 'ReadWrite',
      limitIops: 0,
      limitBandwidthKiBps: 0,
    } as const;
    const needed = { why: 'host0 would have to', remedy: 'wait' };
    await expect(
      doors.askHolder(holder, { action: 'restore', wanted: WISH }, { needed, signal: ASKED.signal }),
    ).rejects.toThrow('asked again 30 s after');
    expect(asked.length).toBe(1);
  });
});

it('a host that says at once that it does not listen is asked each time', async () => {
  const { restore, asked } = doorsAfter(5, undefined);
  await restore();
  await restore();
  expect(asked).toEqual(['host0', 'host1', 'host0', 'host1']);
});
