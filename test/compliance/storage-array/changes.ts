import { expect, test } from 'vitest';
import { GatewayRejectedError, InvalidRequestError } from '../../../src/errors.ts';
import { asArrayName, asPoolId } from '../../../src/array/ids.ts';
import type { OpenStorageArray } from './subject.ts';
import { everything, GIB, goneVolume, idsOf, made, openOnePool, read, wanted } from './scene.ts';
import { soon } from '../soon.ts';

export function changeCases(open: OpenStorageArray): void {
  test('a size is rounded up to the grain', async () => {
    const { array } = (await openOnePool(open)).one;
    const { grainKiB } = (await array.identity(soon())).capabilities;
    const asked = [1, grainKiB - 1, grainKiB, grainKiB + 1, 10 * grainKiB];
    for (const [index, sizeKiB] of asked.entries()) {
      const volume = { ...(await wanted(array, `docker-${index}`)), sizeKiB };
      const id = await array.createVolume(volume, soon());
      expect((await read(array, id)).sizeKiB).toBe(Math.ceil(sizeKiB / grainKiB) * grainKiB);
    }
  });

  test('a name that another volume has is refused, and nothing has changed', async () => {
    const { array } = (await openOnePool(open)).one;
    const db = await made(array, 'docker-db');
    const web = await made(array, 'docker-web');
    const snapshot = await array.snapshotVolume(db, asArrayName('docker-db~1'), soon());
    const before = await everything(array);
    const inUse = { code: 'GATEWAY_REJECTED', refusal: 'name-in-use' };
    for (const name of ['docker-db', 'docker-db~1']) {
      const { sizeKiB, ...rest } = await wanted(array, name);
      await expect(array.createVolume({ ...rest, sizeKiB }, soon())).rejects.toMatchObject(inUse);
      await expect(array.createVolume({ ...rest, sizeKiB: 3 * sizeKiB }, soon())).rejects.toMatchObject(
        inUse,
      );
      await expect(array.renameVolume(web, asArrayName(name), soon())).rejects.toMatchObject(inUse);
      await expect(array.snapshotVolume(web, asArrayName(name), soon())).rejects.toMatchObject(inUse);
    }
    const taken = asArrayName('docker-web');
    await expect(array.renameVolume(snapshot, taken, soon())).rejects.toMatchObject(inUse);
    expect(await everything(array)).toEqual(before);
  });

  test('a volume has its new name and no longer the old one, which is free', async () => {
    const { array } = (await openOnePool(open)).one;
    const id = await made(array, '~new.db');
    const before = await read(array, id);
    await array.renameVolume(id, asArrayName('docker-db'), soon());
    await array.renameVolume(id, asArrayName('docker-db'), soon());
    expect(await read(array, id)).toEqual({ ...before, name: 'docker-db' });
    expect(await array.findVolumeId(asArrayName('docker-db'), soon())).toBe(id);
    expect(await array.findVolumeId(asArrayName('~new.db'), soon())).toBeUndefined();
    expect(await made(array, '~new.db')).not.toBe(id);
  });

  test('a removed volume is gone, its name is free, and to remove it again is success', async () => {
    const { one, two } = await openOnePool(open);
    const [id, other] = [await made(one.array, 'docker-db'), await made(one.array, 'docker-web')];
    await one.array.removeVolume(id, soon());
    await one.array.removeVolume(id, soon());
    await two.array.removeVolume(id, soon());
    expect(idsOf(await everything(two.array))).toEqual([other]);
    const next = await made(two.array, 'docker-db');
    expect(next).not.toBe(id);
    await one.array.removeVolume(id, soon());
    expect(await one.array.findVolumeId(asArrayName('docker-db'), soon())).toBe(next);
  });

  test('a volume that a host has is not removed', async () => {
    const { one, two } = await openOnePool(open);
    const id = await made(one.array, 'docker-db');
    await one.array.attachVolume({ volumeId: id, hostId: one.hostId, readOnly: false }, soon());
    const before = await everything(one.array);
    for (const { array } of [one, two])
      await expect(array.removeVolume(id, soon())).rejects.toMatchObject({ refusal: 'still-attached' });
    expect(await everything(one.array)).toEqual(before);
  });

  test('a volume is removed alone: without its snapshots, and they without it', async () => {
    const { array } = (await openOnePool(open)).one;
    const id = await made(array, 'docker-db');
    const [first, second] = [
      await array.snapshotVolume(id, asArrayName('docker-db~1'), soon()),
      await array.snapshotVolume(id, asArrayName('docker-db~2'), soon()),
    ];
    await array.removeVolume(first, soon());
    expect(idsOf(await everything(array))).toEqual([id, second].toSorted());
    const { familyId } = await read(array, id);
    await array.removeVolume(id, soon());
    expect(await everything(array)).toEqual([
      expect.objectContaining({ id: second, kind: 'snapshot', familyId }),
    ]);
  });

  test('a snapshot is a writable volume of its own, which nobody has', async () => {
    const { one } = await openOnePool(open);
    const { array, hostId } = one;
    const id = await made(array, 'docker-db');
    await array.attachVolume({ volumeId: id, hostId, readOnly: false }, soon());
    const source = await read(array, id);
    const snapshot = await array.snapshotVolume(id, asArrayName('docker-db~1'), soon());
    const { sizeKiB, poolId, familyId } = source;
    expect(await read(array, snapshot)).toMatchObject({
      id: snapshot,
      name: 'docker-db~1',
      kind: 'snapshot',
      ancestorId: id,
      sizeKiB,
      poolId,
      familyId,
      accessModeLimit: 'ReadWrite',
      attachments: [],
      attachedToAll: false,
    });
    expect(await read(array, id)).toEqual(source);
  });

  test('a volume grows by whole grains, and never shrinks', async () => {
    const { array } = (await openOnePool(open)).one;
    const id = await made(array, 'docker-db');
    const { grainKiB } = (await array.identity(soon())).capabilities;
    const before = await read(array, id);
    const sizeKiB = before.sizeKiB + 2 * grainKiB;
    await array.growVolume(id, sizeKiB, soon());
    await array.growVolume(id, sizeKiB, soon());
    expect(await read(array, id)).toEqual({ ...before, sizeKiB });
    for (const refused of [sizeKiB - grainKiB, sizeKiB + GIB])
      await expect(array.growVolume(id, refused, soon())).rejects.toBeInstanceOf(GatewayRejectedError);
    expect(await read(array, id)).toEqual({ ...before, sizeKiB });
  });

  test('a volume is limited to reading where the array can do that', async () => {
    const { one, two } = await openOnePool(open);
    const { array, hostId } = one;
    const id = await made(array, 'docker-db');
    await array.attachVolume({ volumeId: id, hostId, readOnly: false }, soon());
    const before = await read(array, id);
    if (!(await array.identity(soon())).capabilities.readOnlyLimit) {
      await expect(array.limitToReadOnly(id, soon())).rejects.toBeInstanceOf(InvalidRequestError);
      expect(await read(array, id)).toEqual(before);
      return;
    }
    await array.limitToReadOnly(id, soon());
    await array.limitToReadOnly(id, soon());
    const limited = await read(two.array, id);
    expect(limited).toMatchObject({ accessModeLimit: 'ReadOnly', attachments: [{ accessMode: 'ReadOnly' }] });
    await array.detachVolume(id, hostId, soon());
    await array.attachVolume({ volumeId: id, hostId, readOnly: false }, soon());
    expect((await read(array, id)).attachments).toMatchObject([{ hostId, accessMode: 'ReadOnly' }]);
  });

  test('what is asked of a volume that is gone, or of a pool that is none, is refused', async () => {
    const { array, hostId } = (await openOnePool(open)).one;
    const id = await goneVolume(array);
    const unknown = { code: 'GATEWAY_REJECTED', refusal: 'volume-unknown' };
    const name = asArrayName('docker-db');
    await expect(array.renameVolume(id, name, soon())).rejects.toMatchObject(unknown);
    await expect(array.snapshotVolume(id, name, soon())).rejects.toMatchObject(unknown);
    await expect(array.growVolume(id, 80 * GIB, soon())).rejects.toMatchObject(unknown);
    await expect(array.recentIo(id, soon())).rejects.toMatchObject(unknown);
    const limits = { iops: 100, bandwidthKiBps: 0 };
    await expect(array.limitAttachment({ volumeId: id, hostId }, limits, soon())).rejects.toMatchObject(
      unknown,
    );
    if ((await array.identity(soon())).capabilities.readOnlyLimit)
      await expect(array.limitToReadOnly(id, soon())).rejects.toMatchObject(unknown);
    const { pool, ...rest } = await wanted(array, 'docker-db');
    const nowhere = { ...pool, id: asPoolId('fffffffe00000002') };
    await expect(array.createVolume({ ...rest, pool: nowhere }, soon())).rejects.toBeInstanceOf(
      GatewayRejectedError,
    );
    expect(await everything(array)).toEqual([]);
  });
}
