import { describe, expect, test } from 'vitest';
import type { VolumeId } from '../../../src/array/ids.ts';
import type { OpenAttacher, OpenHost } from './subject.ts';
import { arrived, arrivedAndHeld, find, hold, MISMATCH } from './scene.ts';
import { soon } from '../soon.ts';

type Change = (host: OpenHost, volumeId: VolumeId) => Promise<void>;

/** After each of these the disk is not what was identified, or cannot be known to be. */
const CHANGES: readonly (readonly [string, Change])[] = [
  ['its volume is taken', ({ outside }, id) => outside.take(id)],
  ['its volume is taken and given again', takeAndGive],
  ['another disk is in its place', ({ outside }, id) => outside.replace(id)],
  ['its link is lost', ({ outside }) => outside.loseLinks()],
  ['it has grown', doubled],
];

export function holdingCases(open: OpenAttacher): void {
  test('is the same while nothing happens, but for the other devices', async () => {
    const host = await open({ patient: true });
    const [mine, other] = host.volumes;
    const device = await arrived(host, mine);
    const held = await hold(host, mine, device);
    expect(held.device).toMatchObject(device);
    await held.assertSame(soon());
    await arrived(host, other);
    await host.outside.take(other);
    await host.attacher.rescan(soon());
    await held.assertSame(soon());
    expect(await find(host, mine)).toEqual(device);
    await held.close();
  });

  test('is nothing any more after it was let go of, which may be done again', async () => {
    const host = await open({ patient: true });
    const held = await arrivedAndHeld(host, host.volumes[0]);
    await held.close();
    await held.close();
    await expect(held.assertSame(soon())).rejects.toMatchObject(MISMATCH);
  });

  test('is held by each who holds it', async () => {
    const host = await open({ patient: true });
    const [id] = host.volumes;
    const one = await arrivedAndHeld(host, id);
    const two = await hold(host, id, one.device);
    await one.close();
    await two.assertSame(soon());
    await two.close();
  });

  test('can be held again after it has grown, as what it is then', async () => {
    const host = await open({ patient: true });
    const [id] = host.volumes;
    const before = await arrivedAndHeld(host, id);
    await doubled(host, id);
    await before.close();
    const device = await find(host, id);
    if (device === undefined) throw new Error(`the host has no device of volume "${id}"`);
    const after = await hold(host, id, device);
    await after.assertSame(soon());
    await after.close();
  });

  describe.each(CHANGES)('when %s', (_, change) => {
    test('is another', async () => {
      const host = await open({ patient: true });
      const [id] = host.volumes;
      const held = await arrivedAndHeld(host, id);
      await change(host, id);
      await expect(held.assertSame(soon())).rejects.toMatchObject(MISMATCH);
      await expect(held.assertSame(soon())).rejects.toMatchObject(MISMATCH);
      await held.close();
    });

    test('is not taken hold of as what was found before', async () => {
      const host = await open({ patient: true });
      const [id] = host.volumes;
      const device = await arrived(host, id);
      await change(host, id);
      await expect(hold(host, id, device)).rejects.toMatchObject(MISMATCH);
    });
  });
}

async function takeAndGive(host: OpenHost, volumeId: VolumeId): Promise<void> {
  await host.outside.take(volumeId);
  await arrived(host, volumeId);
}

async function doubled(host: OpenHost, volumeId: VolumeId): Promise<void> {
  await host.outside.double(volumeId);
  await host.attacher.rescan(soon());
}
