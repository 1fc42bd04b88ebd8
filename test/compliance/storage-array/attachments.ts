import { expect, test } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import type { HostView, OpenArray, OpenStorageArray } from './subject.ts';
import type { VolumeId } from '../../../src/array/ids.ts';
import { everything, goneVolume, holders, idsOf, made, NO_VOLUME, openOnePool, read } from './scene.ts';
import { soon } from '../soon.ts';

const HELD = { code: 'GATEWAY_REJECTED', refusal: 'held-by-another' };

function attach({ array, hostId }: HostView, volumeId: VolumeId, readOnly = false): Promise<void> {
  return array.attachVolume({ volumeId, hostId, readOnly }, soon());
}

/** A volume that both hosts have for reading; undefined where the array cannot do that. */
async function shared({ one, two }: OpenArray): Promise<VolumeId | undefined> {
  if (!(await one.array.identity(soon())).capabilities.readOnlyLimit) return undefined;
  const id = await made(one.array, 'docker-db');
  await one.array.limitToReadOnly(id, soon());
  await attach(one, id, true);
  await attach(two, id, true);
  return id;
}

export function attachmentCases(open: OpenStorageArray): void {
  test('an attached volume says by whom, and is among those of this host alone', async () => {
    const { one, two } = await openOnePool(open);
    const [id, other] = [await made(one.array, 'docker-db'), await made(one.array, 'docker-web')];
    await attach(one, id);
    const { attachments, attachedToAll } = await read(two.array, id);
    expect(attachments).toEqual([
      expect.objectContaining({
        hostId: one.hostId,
        hostKind: 'sdc',
        accessMode: 'ReadWrite',
        limitIops: 0,
        limitBandwidthKiBps: 0,
      }),
    ]);
    expect(attachedToAll).toBe(false);
    expect(await two.array.volumesOfHost(one.hostId, soon())).toEqual([await read(one.array, id)]);
    expect(await one.array.volumesOfHost(two.hostId, soon())).toEqual([]);
    await attach(one, other);
    expect(idsOf(await one.array.volumesOfHost(one.hostId, soon()))).toEqual([id, other].toSorted());
  });

  test('attached already is success and changes nothing', async () => {
    const { one } = await openOnePool(open);
    const id = await made(one.array, 'docker-db');
    await attach(one, id);
    const limits = { iops: 100, bandwidthKiBps: 2048 };
    await one.array.limitAttachment({ volumeId: id, hostId: one.hostId }, limits, soon());
    const before = await everything(one.array);
    await attach(one, id);
    expect(await everything(one.array)).toEqual(before);
  });

  test('a volume that another host has is refused and stays where it is', async () => {
    const { one, two } = await openOnePool(open);
    const id = await made(one.array, 'docker-db');
    await attach(one, id);
    const before = await everything(one.array);
    await expect(attach(two, id)).rejects.toMatchObject(HELD);
    expect(await everything(one.array)).toEqual(before);
  });

  test('a host that the array does not know, and a volume that is gone, have refusals of their own', async () => {
    const { one, stranger } = await openOnePool(open);
    const id = await made(one.array, 'docker-db');
    await expect(attach(stranger, id)).rejects.toMatchObject({ refusal: 'host-unknown' });
    await expect(one.array.volumesOfHost(stranger.hostId, soon())).rejects.toMatchObject({
      refusal: 'host-unknown',
    });
    for (const none of [await goneVolume(one.array), NO_VOLUME])
      await expect(attach(one, none)).rejects.toMatchObject({ refusal: 'volume-unknown' });
    expect(await holders(one.array, id)).toEqual([]);
  });

  test('many hosts have a volume for reading where the array can limit it to that', async () => {
    const scene = await openOnePool(open);
    const { one, two } = scene;
    const id = await shared(scene);
    if (id === undefined) {
      const writable = await made(one.array, 'docker-db');
      await expect(attach(one, writable, true)).rejects.toBeInstanceOf(InvalidRequestError);
      expect(await holders(one.array, writable)).toEqual([]);
      return;
    }
    await attach(two, id, true);
    expect(await holders(one.array, id)).toEqual([one.hostId, two.hostId].toSorted());
    const { attachments } = await read(one.array, id);
    expect(attachments.map(({ accessMode }) => accessMode)).toEqual(['ReadOnly', 'ReadOnly']);
    // Whoever wants it for himself must not be told that he has it.
    await expect(attach(one, id)).rejects.toMatchObject(HELD);
    // Who may be alone is decided by whoever came first, until nobody has it any more [siolib].
    await two.array.detachVolume(id, two.hostId, soon());
    await attach(one, id);
    await attach(two, id);
    for (const { array, hostId } of [one, two]) await array.detachVolume(id, hostId, soon());
    await attach(one, id);
    await expect(attach(two, id)).rejects.toMatchObject(HELD);
    expect(await holders(one.array, id)).toEqual([one.hostId]);
  });

  test('a volume that every host may use goes to none of them alone', async () => {
    const { one, two, outside } = await openOnePool(open);
    const id = await made(one.array, 'docker-db');
    await outside.attachToAll(id);
    const before = await read(one.array, id);
    for (const view of [one, two])
      await expect(attach(view, id)).rejects.toMatchObject({ code: 'GATEWAY_REJECTED' });
    await one.array.detachVolume(id, one.hostId, soon());
    await expect(one.array.removeVolume(id, soon())).rejects.toMatchObject({ refusal: 'still-attached' });
    expect(await read(one.array, id)).toEqual(before);
    // Only the second generation says so [siort, captures of 3.x].
    if (!before.attachedToAll) return;
    await expect(attach(one, id)).rejects.toMatchObject(HELD);
    for (const { array, hostId } of [one, two])
      expect(idsOf(await array.volumesOfHost(hostId, soon()))).toEqual([id]);
  });

  test('to detach what is not attached, not known or gone is success, and takes it from nobody else', async () => {
    const { one, two, stranger } = await openOnePool(open);
    const id = await made(one.array, 'docker-db');
    await attach(one, id);
    const before = await everything(one.array);
    await two.array.detachVolume(id, two.hostId, soon());
    await one.array.detachVolume(id, stranger.hostId, soon());
    await one.array.detachVolume(NO_VOLUME, one.hostId, soon());
    expect(await everything(one.array)).toEqual(before);
    await one.array.detachVolume(await goneVolume(one.array), one.hostId, soon());
    await one.array.detachVolume(id, one.hostId, soon());
    await one.array.detachVolume(id, one.hostId, soon());
    expect(await holders(one.array, id)).toEqual([]);
    await attach(two, id);
    await one.array.detachVolume(id, one.hostId, soon());
    expect(await holders(one.array, id)).toEqual([two.hostId]);
  });

  test('one host may take a volume from another, and from this one only', async () => {
    const scene = await openOnePool(open);
    const { one, two } = scene;
    const id = (await shared(scene)) ?? (await made(one.array, 'docker-db'));
    const others = (await holders(one.array, id)).filter((hostId) => hostId !== one.hostId);
    if (others.length === 0) await attach(one, id);
    await two.array.detachVolume(id, one.hostId, soon());
    expect(await holders(one.array, id)).toEqual(others);
    expect(await one.array.volumesOfHost(one.hostId, soon())).toEqual([]);
  });

  test('limits show in the attachment, follow the next ones and vanish with it', async () => {
    const { one, two } = await openOnePool(open);
    const { array, hostId } = one;
    const id = await made(array, 'docker-db');
    await attach(one, id);
    const target = { volumeId: id, hostId };
    const steps = [
      { iops: 100, bandwidthKiBps: 2048 },
      { iops: 11, bandwidthKiBps: 0 },
      { iops: 0, bandwidthKiBps: 1024 },
      { iops: 0, bandwidthKiBps: 0 },
      { iops: 500, bandwidthKiBps: 4096 },
      { iops: 0, bandwidthKiBps: 0 },
    ];
    for (const limits of steps) {
      await array.limitAttachment(target, limits, soon());
      const { iops: limitIops, bandwidthKiBps: limitBandwidthKiBps } = limits;
      const { attachments } = await read(two.array, id);
      expect(attachments).toMatchObject([{ hostId, limitIops, limitBandwidthKiBps }]);
    }
    await array.detachVolume(id, hostId, soon());
    await attach(one, id);
    expect((await read(array, id)).attachments).toMatchObject([{ limitIops: 0, limitBandwidthKiBps: 0 }]);
  });

  test('a limit that is not named keeps its value, and 0 lifts each alone', async () => {
    const { one } = await openOnePool(open);
    const { array, hostId } = one;
    const id = await made(array, 'docker-db');
    await attach(one, id);
    const steps = [
      [{ iops: 100 }, 100, 0],
      [{ bandwidthKiBps: 2048 }, 100, 2048],
      [{}, 100, 2048],
      [{ iops: 0 }, 0, 2048],
      [{ iops: 0, bandwidthKiBps: undefined }, 0, 2048],
      [{ bandwidthKiBps: 0 }, 0, 0],
      [{ bandwidthKiBps: 0 }, 0, 0],
    ] as const;
    for (const [limits, limitIops, limitBandwidthKiBps] of steps) {
      await array.limitAttachment({ volumeId: id, hostId }, limits, soon());
      expect((await read(array, id)).attachments).toMatchObject([{ limitIops, limitBandwidthKiBps }]);
    }
  });

  test('limits that no array takes, and those of no attachment, are refused', async () => {
    const { one, two } = await openOnePool(open);
    const id = await made(one.array, 'docker-db');
    await attach(one, id);
    const before = await everything(one.array);
    const wrong = [
      { iops: 10, bandwidthKiBps: 0 },
      { iops: 100, bandwidthKiBps: 1000 },
    ];
    for (const limits of wrong)
      await expect(
        one.array.limitAttachment({ volumeId: id, hostId: one.hostId }, limits, soon()),
      ).rejects.toThrow();
    const right = { iops: 100, bandwidthKiBps: 1024 };
    await expect(
      two.array.limitAttachment({ volumeId: id, hostId: two.hostId }, right, soon()),
    ).rejects.toMatchObject({ code: 'GATEWAY_REJECTED' });
    expect(await everything(one.array)).toEqual(before);
  });

  test('the I/O of a volume counts, whoever does it', async () => {
    const { one, two, outside } = await openOnePool(open);
    const [id, other] = [await made(one.array, 'docker-db'), await made(one.array, 'docker-web')];
    await attach(one, id);
    expect(await two.array.recentIo(id, soon())).toBe(0);
    await outside.io(one.hostId, id, 5);
    expect(await two.array.recentIo(id, soon())).toBe(5);
    expect(await two.array.recentIo(other, soon())).toBe(0);
  });
}
