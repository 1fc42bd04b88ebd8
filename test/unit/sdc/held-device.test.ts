import { describe, expect, it } from 'vitest';
import { holdDevice } from '../../../src/sdc/held-device.ts';
import type { Device } from '../../../src/attach/attacher.ts';

/* Rule 14. /dev/zero plays the disk: it has a number, and every byte of it can be read. */

const never = new AbortController().signal;
const zero: Device = {
  path: '/dev/disk/by-id/emc-vol-1-2',
  node: '/dev/zero',
  number: '1:5',
  sizeBytes: 1024 * 1024,
  diskSequence: '7',
};
const mismatch = { code: 'SDC', problem: 'device-mismatch' };

/** A device that is seen as `seen` says, and `duringRead` happens between the two looks. */
function sightOf(seen: { now: Device | undefined }, duringRead: () => void = () => undefined) {
  const reads: number[] = [];
  const anywhere = (): number => {
    reads.push(0);
    duringRead();
    return 0;
  };
  return { look: () => seen.now, anywhere, reads };
}

const others: readonly (readonly [string, Device | undefined])[] = [
  ['path', { ...zero, path: '/dev/disk/by-id/emc-vol-1-3' }],
  ['node', { ...zero, node: '/dev/full' }],
  ['number', { ...zero, number: '1:7' }],
  ['sizeBytes', { ...zero, sizeBytes: 4096 }],
  ['diskSequence', { ...zero, diskSequence: '8' }],
  ['diskSequence', { ...zero, diskSequence: undefined }],
  ['is gone', undefined],
];

describe('a device that is held', () => {
  it('is the same while it looks the same, and is read each time', async () => {
    const sight = sightOf({ now: zero });
    const held = await holdDevice(sight, zero, never);
    await held.assertSame(never);
    expect(sight.reads).toHaveLength(2);
    await held.close();
  });

  it.each(others)('is another with another %s, and is not read then', async (fact, other) => {
    const seen: { now: Device | undefined } = { now: zero };
    const sight = sightOf(seen);
    const held = await holdDevice(sight, zero, never);
    seen.now = other;
    await expect(held.assertSame(never)).rejects.toMatchObject({
      ...mismatch,
      message: expect.stringContaining(fact) as string,
    });
    expect(sight.reads).toHaveLength(1);
    await held.close();
  });

  it.each(others)('is another when its %s changes while it is read', async (fact, other) => {
    const seen: { now: Device | undefined } = { now: zero };
    let changes = false;
    const sight = sightOf(seen, () => {
      if (changes) seen.now = other;
    });
    const held = await holdDevice(sight, zero, never);
    changes = true;
    await expect(held.assertSame(never)).rejects.toMatchObject({
      ...mismatch,
      message: expect.stringContaining(fact) as string,
    });
    await held.close();
  });

  it('is not taken hold of when it looks another by then', async () => {
    const seen = { now: { ...zero, diskSequence: '8' } };
    await expect(holdDevice(sightOf(seen), zero, never)).rejects.toMatchObject(mismatch);
  });

  it('is not taken hold of when what was opened has another number than was seen', async () => {
    const device = { ...zero, number: '1:7' };
    await expect(holdDevice(sightOf({ now: device }), device, never)).rejects.toThrow(
      'has number 1:5 instead of 1:7',
    );
  });

  it('is another when it ends before the end that it had', async () => {
    const device = { ...zero, node: '/dev/null', number: '1:3' };
    await expect(holdDevice(sightOf({ now: device }), device, never)).rejects.toThrow(
      'ends before byte 4096',
    );
  });

  it('answers nothing any more once it was let go of', async () => {
    const held = await holdDevice(sightOf({ now: zero }), zero, never);
    await held.close();
    await expect(held.assertSame(never)).rejects.toMatchObject(mismatch);
  });

  it('is what programs are given, not its path', async () => {
    const held = await holdDevice(sightOf({ now: zero }), zero, never);
    expect(held.device.heldPath).toMatch(new RegExp(`^/proc/${process.pid}/fd/\\d+$`));
    await held.close();
  });
});
