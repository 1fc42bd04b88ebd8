import { expect, test } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import { LONGEST_SECURED_MINUTES } from '../../../src/array/copies.ts';
import { asArrayName, asFamilyId, type VolumeId } from '../../../src/array/ids.ts';
import type { StorageArray } from '../../../src/array/storage-array.ts';
import type { OpenStorageArray } from './subject.ts';
import { everything, goneVolume, idsOf, made, NO_VOLUME, openOnePool, read } from './scene.ts';
import { soon } from '../soon.ts';

const REJECTED = { code: 'GATEWAY_REJECTED' };

/** A snapshot with the content that the volume has now. */
function snapshotOf(array: StorageArray, volumeId: VolumeId, name: string): Promise<VolumeId> {
  return array.snapshotVolume(volumeId, asArrayName(name), soon());
}

export function copyCases(open: OpenStorageArray): void {
  test('snapshots of several volumes come at once, in the order asked for, as one group', async () => {
    const { one, two } = await openOnePool(open);
    const { array } = one;
    const [db, log] = [await made(array, 'docker-db'), await made(array, 'docker-log')];
    const names = ['~c', '~a', '~b'].map(asArrayName);
    const copies = [log, db, log].map((volumeId, index) => ({ volumeId, name: names[index] ?? names[0] }));
    const ids = await array.snapshotVolumes(
      { copies: copies as Parameters<StorageArray['snapshotVolumes']>[0]['copies'], access: 'ReadWrite' },
      soon(),
    );
    const snapshots = await Promise.all(ids.map((id) => read(two.array, id)));
    expect(snapshots.map(({ name, ancestorId }) => [name, ancestorId])).toEqual([
      ['~c', log],
      ['~a', db],
      ['~b', log],
    ]);
    const [{ groupId } = { groupId: null }] = snapshots;
    expect(groupId).toEqual(expect.any(String));
    for (const snapshot of snapshots)
      expect(snapshot).toMatchObject({
        groupId,
        kind: 'snapshot',
        accessModeLimit: 'ReadWrite',
        createdAtSeconds: snapshots[0]?.createdAtSeconds,
        secureUntilSeconds: null,
        attachments: [],
      });
    const later = await snapshotOf(array, db, '~later');
    expect((await read(array, later)).groupId).not.toBe(groupId);
  });

  test('a snapshot for reading is one where the array can limit it to that, and a plain one elsewhere', async () => {
    const { array } = (await openOnePool(open)).one;
    const db = await made(array, 'docker-db');
    const { readOnlyLimit } = (await array.identity(soon())).capabilities;
    const copies = [{ volumeId: db, name: asArrayName('~r') }];
    const [id = NO_VOLUME] = await array.snapshotVolumes({ copies, access: 'ReadOnly' }, soon());
    expect((await read(array, id)).accessModeLimit).toBe(readOnlyLimit ? 'ReadOnly' : 'ReadWrite');
    expect((await read(array, db)).accessModeLimit).toBe('ReadWrite');
  });

  test('of several snapshots of which one cannot be, none is taken', async () => {
    const { array } = (await openOnePool(open)).one;
    const [db, log] = [await made(array, 'docker-db'), await made(array, 'docker-log')];
    const gone = await goneVolume(array);
    const before = await everything(array);
    const asked = (volumeId: VolumeId, name: string): Promise<unknown> =>
      array.snapshotVolumes(
        {
          copies: [
            { volumeId: db, name: asArrayName('~1') },
            { volumeId, name: asArrayName(name) },
          ],
          access: 'ReadWrite',
        },
        soon(),
      );
    await expect(asked(log, 'docker-db')).rejects.toMatchObject({ ...REJECTED, refusal: 'name-in-use' });
    await expect(asked(gone, '~2')).rejects.toMatchObject({ ...REJECTED, refusal: 'volume-unknown' });
    await expect(asked(log, '~1')).rejects.toBeInstanceOf(InvalidRequestError);
    await expect(array.snapshotVolumes({ copies: [], access: 'ReadWrite' }, soon())).rejects.toBeInstanceOf(
      InvalidRequestError,
    );
    expect(await everything(array)).toEqual(before);
  });

  test('a family is full at its limit, and has room again when one is gone', async () => {
    const { array } = (await openOnePool(open)).one;
    const [db, other] = [await made(array, 'docker-db'), await made(array, 'docker-other')];
    const limit = await array.familyLimit(soon());
    expect(limit).toBe((await array.identity(soon())).capabilities.readOnlyLimit ? 126 : 31);
    const copies = Array.from({ length: limit }, (_, index) => ({
      volumeId: db,
      name: asArrayName(`~${index}`),
    }));
    const [first = NO_VOLUME, second = NO_VOLUME] = await array.snapshotVolumes(
      { copies, access: 'ReadWrite' },
      soon(),
    );
    const full = { ...REJECTED, refusal: 'family-full' };
    for (const volumeId of [db, second])
      await expect(snapshotOf(array, volumeId, '~more')).rejects.toMatchObject(full);
    await snapshotOf(array, other, '~more');
    await array.removeVolume(first, soon());
    await snapshotOf(array, second, '~again');
    await expect(snapshotOf(array, db, '~0')).rejects.toMatchObject(full);
    const family = await array.volumesOfFamily(await read(array, db), soon());
    expect(family).toHaveLength(limit + 1);
    expect(family.every(({ ancestorId }) => ancestorId === null || [db, second].includes(ancestorId))).toBe(
      true,
    );
  });

  test('a secured snapshot is neither removed nor overwritten', async () => {
    const { one, outside } = await openOnePool(open);
    const { array } = one;
    const db = await made(array, 'docker-db');
    const secured = (secureForMinutes: number, name: string): Promise<readonly VolumeId[]> =>
      array.snapshotVolumes(
        { copies: [{ volumeId: db, name: asArrayName(name) }], access: 'ReadOnly', secureForMinutes },
        soon(),
      );
    for (const minutes of [0, -1, 1.5, LONGEST_SECURED_MINUTES + 1, Number.NaN])
      await expect(secured(minutes, '~s')).rejects.toBeInstanceOf(InvalidRequestError);
    if (!(await array.identity(soon())).capabilities.secureSnapshots) {
      await expect(secured(60, '~s')).rejects.toThrow(InvalidRequestError);
      await expect(secured(60, '~s')).rejects.toThrow('3.0');
      expect(idsOf(await everything(array))).toEqual([db]);
      return;
    }
    const before = outside.now() / 1000;
    const [id = NO_VOLUME] = await secured(60, '~s');
    await secured(LONGEST_SECURED_MINUTES, '~long');
    const snapshot = await read(array, id);
    expect(snapshot.secureUntilSeconds).toBeGreaterThan(before + 59 * 60);
    expect(snapshot.secureUntilSeconds).toBeLessThan(outside.now() / 1000 + 61 * 60);
    const locked = { ...REJECTED, refusal: 'locked' };
    await expect(array.removeVolume(id, soon())).rejects.toMatchObject(locked);
    await expect(array.overwriteContent(id, db, soon())).rejects.toMatchObject(locked);
    expect(await read(array, id)).toEqual(snapshot);
    // It secures itself alone.
    await array.overwriteContent(db, id, soon());
    await array.removeVolume(db, soon());
    expect((await read(array, id)).secureUntilSeconds).toBe(snapshot.secureUntilSeconds);
  });

  test('a volume gets the content and the size of another of its family, which keeps its own', async () => {
    const { one, outside } = await openOnePool(open);
    const { array } = one;
    const db = await made(array, 'docker-db');
    await outside.write(db, 'before');
    const snapshot = await snapshotOf(array, db, '~before');
    await outside.write(db, 'after');
    const { sizeKiB } = await read(array, snapshot);
    await array.growVolume(db, 2 * sizeKiB, soon());
    const other = await snapshotOf(array, db, '~after');
    const [was, theirs] = [await read(array, db), await read(array, other)];
    await array.overwriteContent(db, snapshot, soon());
    await array.overwriteContent(db, snapshot, soon());
    expect(await outside.written(db)).toBe('before');
    expect(await read(array, db)).toEqual({ ...was, sizeKiB });
    expect([await outside.written(snapshot), await outside.written(other)]).toEqual(['before', 'after']);
    expect(await read(array, other)).toEqual(theirs);
    await outside.write(db, 'later');
    expect(await outside.written(snapshot)).toBe('before');
    await array.overwriteContent(other, snapshot, soon());
    expect(await outside.written(other)).toBe('before');
  });

  test('content comes from no other family, not from the volume itself, and from nothing that is gone', async () => {
    const { one, outside } = await openOnePool(open);
    const { array } = one;
    const [db, web] = [await made(array, 'docker-db'), await made(array, 'docker-web')];
    await outside.write(db, 'mine');
    const theirs = await snapshotOf(array, web, '~theirs');
    const gone = await goneVolume(array);
    const before = await everything(array);
    for (const source of [web, theirs])
      await expect(array.overwriteContent(db, source, soon())).rejects.toMatchObject({
        ...REJECTED,
        refusal: 'other-family',
      });
    await expect(array.overwriteContent(db, db, soon())).rejects.toMatchObject(REJECTED);
    for (const [target, source] of [
      [gone, db],
      [db, gone],
    ] as const)
      await expect(array.overwriteContent(target, source, soon())).rejects.toMatchObject({
        ...REJECTED,
        refusal: 'volume-unknown',
      });
    expect(await everything(array)).toEqual(before);
    expect(await outside.written(db)).toBe('mine');
  });

  test('what a family holds is told for those that there are', async () => {
    const { array } = (await openOnePool(open)).one;
    const [db, web] = [await made(array, 'docker-db'), await made(array, 'docker-web')];
    await snapshotOf(array, db, '~1');
    const families = (await everything(array)).flatMap(({ familyId }) => familyId ?? []);
    const usages = await array.usageOfFamilies(families, soon());
    expect([...usages.keys()].toSorted()).toEqual([...new Set(families)].toSorted());
    for (const [familyId, usage] of usages) {
      expect(usage.familyId).toBe(familyId);
      for (const held of [usage.baseKiB, usage.snapshotsKiB]) expect(held ?? 0).toBeGreaterThanOrEqual(0);
    }
    const { familyId: left } = await read(array, db);
    await array.removeVolume(web, soon());
    const gone = asFamilyId('fffffffe00000009');
    expect([...(await array.usageOfFamilies([...families, gone], soon())).keys()]).toEqual([left]);
    expect(await array.usageOfFamilies([], soon())).toEqual(new Map());
  });

  test('the I/O of several volumes, or of all, is told at once', async () => {
    const { one, outside } = await openOnePool(open);
    const { array, hostId } = one;
    const [db, web] = [await made(array, 'docker-db'), await made(array, 'docker-web')];
    await array.attachVolume({ volumeId: db, hostId, readOnly: false }, soon());
    await outside.io(hostId, db, 100);
    const idle = { iops: 0, kibPerSecond: 0, latencyMicroseconds: null };
    for (const asked of [[db, web], 'all'] as const) {
      const io = await array.ioOf(asked, soon());
      expect([...io.keys()].toSorted()).toEqual([db, web].toSorted());
      expect(io.get(web)).toEqual({ read: idle, write: idle });
      expect(io.get(db)?.write.iops).toBeGreaterThan(0);
      expect(io.get(db)?.write.kibPerSecond).toBeGreaterThan(0);
      expect(io.get(db)?.read.iops).toBeGreaterThan(0);
    }
    const gone = await goneVolume(array);
    expect([...(await array.ioOf([gone, web, NO_VOLUME], soon())).keys()]).toEqual([web]);
    expect(await array.ioOf([gone], soon())).toEqual(new Map());
    expect(await array.ioOf([], soon())).toEqual(new Map());
  });

  test('a volume limited to reading may be written again where the array can do that', async () => {
    const { one } = await openOnePool(open);
    const { array, hostId } = one;
    const id = await made(array, 'docker-db');
    await array.attachVolume({ volumeId: id, hostId, readOnly: false }, soon());
    if (!(await array.identity(soon())).capabilities.readOnlyLimit) {
      await expect(array.allowWriting(id, soon())).rejects.toBeInstanceOf(InvalidRequestError);
      return;
    }
    const before = await read(array, id);
    await array.allowWriting(id, soon());
    expect(await read(array, id)).toEqual(before);
    await array.limitToReadOnly(id, soon());
    await array.allowWriting(id, soon());
    expect((await read(array, id)).accessModeLimit).toBe('ReadWrite');
    await array.detachVolume(id, hostId, soon());
    await array.attachVolume({ volumeId: id, hostId, readOnly: false }, soon());
    expect((await read(array, id)).attachments).toMatchObject([{ accessMode: 'ReadWrite' }]);
    const gone = await goneVolume(array);
    await expect(array.allowWriting(gone, soon())).rejects.toMatchObject({ refusal: 'volume-unknown' });
  });
}
