import { expect, test } from 'vitest';
import { GatewayUnavailableError } from '../../../src/errors.ts';
import { asArrayName } from '../../../src/array/ids.ts';
import type { OpenStorageArray } from './subject.ts';
import { goneVolume, idsOf, made, NO_VOLUME, openOnePool, read, wanted } from './scene.ts';
import { soon } from '../soon.ts';

export function catalogCases(open: OpenStorageArray): void {
  test('the array says which one it is, the same to every host', async () => {
    const { one, two } = await openOnePool(open);
    const identity = await one.array.identity(soon());
    expect(identity.systemId).toMatch(/^[0-9a-f]{16}$/);
    expect(identity.capabilities.grainKiB).toBeGreaterThan(0);
    expect(await one.array.identity(soon())).toEqual(identity);
    expect(await two.array.identity(soon())).toEqual(identity);
  });

  test('a name finds the volume that has exactly this name', async () => {
    const { one, two } = await openOnePool(open);
    const id = await made(one.array, 'docker-db');
    for (const { array } of [one, two]) {
      expect(await array.findVolumeId(asArrayName('docker-db'), soon())).toBe(id);
      for (const other of ['docker-DB', 'docker-d', 'docker-db2', 'db'])
        expect(await array.findVolumeId(asArrayName(other), soon())).toBeUndefined();
    }
  });

  test('a new volume reads as it was asked for', async () => {
    const { one, two, outside } = await openOnePool(open);
    const { pool, ...thin } = await wanted(one.array, 'docker-db');
    const before = Math.floor(outside.now() / 1000);
    const thick = { ...thin, pool, name: asArrayName('docker-thick'), provisioning: 'thick' as const };
    const ids = [
      await one.array.createVolume({ ...thin, pool }, soon()),
      await one.array.createVolume(thick, soon()),
    ] as const;
    const [first, second] = [await read(two.array, ids[0]), await read(two.array, ids[1])];
    expect(first).toEqual({
      id: ids[0],
      name: 'docker-db',
      kind: 'thin',
      poolId: pool.id,
      ancestorId: null,
      accessModeLimit: 'ReadWrite',
      groupId: null,
      secureUntilSeconds: null,
      policyId: null,
      madeByPolicy: false,
      attachments: [],
      attachedToAll: false,
      sizeKiB: expect.any(Number) as number,
      familyId: expect.any(String) as string,
      createdAtSeconds: expect.any(Number) as number,
    });
    expect(first.createdAtSeconds).toBeGreaterThanOrEqual(before);
    expect(first.createdAtSeconds).toBeLessThanOrEqual(outside.now() / 1000);
    expect(second).toMatchObject({ name: 'docker-thick', kind: 'thick' });
    expect(second.familyId).not.toBe(first.familyId);
  });

  test('an id that no volume has, or has any more, reads as undefined', async () => {
    const { array } = (await openOnePool(open)).one;
    expect(await array.getVolume(NO_VOLUME, soon())).toBeUndefined();
    expect(await array.getVolume(await goneVolume(array), soon())).toBeUndefined();
    expect(await array.findVolumeId(asArrayName('docker-gone'), soon())).toBeUndefined();
  });

  test('of several ids those that exist are read, each once', async () => {
    const { array } = (await openOnePool(open)).one;
    const [db, web] = [await made(array, 'docker-db'), await made(array, 'docker-web')];
    await made(array, 'docker-other');
    const gone = await goneVolume(array);
    const alone = [await read(array, db), await read(array, web)];
    const both = await array.getVolumes([db, web], soon());
    expect(both).toHaveLength(2);
    expect(both).toEqual(expect.arrayContaining(alone));
    expect(idsOf(await array.getVolumes([gone, db, NO_VOLUME, web], soon()))).toEqual([db, web].toSorted());
    expect(idsOf(await array.getVolumes([db, web, db], soon()))).toEqual([db, web].toSorted());
    expect(await array.getVolumes([gone], soon())).toEqual([]);
    expect(await array.getVolumes([], soon())).toEqual([]);
  });

  test('lists hold every volume and snapshot whose name passes', async () => {
    const { array } = (await openOnePool(open)).one;
    const db = await made(array, 'docker-db');
    const snapshot = await array.snapshotVolume(db, asArrayName('docker-db~1'), soon());
    const theirs = await made(array, 'theirs');
    const ours = await array.listVolumes((name) => name.startsWith('docker-'), soon());
    expect(idsOf(ours)).toEqual([db, snapshot].toSorted());
    expect(ours).toEqual(expect.arrayContaining([await read(array, db), await read(array, snapshot)]));
    expect(idsOf(await array.listVolumes(() => true, soon()))).toEqual([db, snapshot, theirs].toSorted());
    expect(await array.listVolumes(() => false, soon())).toEqual([]);
    const picked = await array.listVolumeNames(
      (name) => (name.startsWith('docker-') ? name.length : undefined),
      soon(),
    );
    expect(picked.toSorted()).toEqual(['docker-db'.length, 'docker-db~1'.length].toSorted());
  });

  test('a family is a volume with its snapshots and theirs, whichever of them is asked for', async () => {
    const { array } = (await openOnePool(open)).one;
    const [db] = [await made(array, 'docker-db'), await made(array, 'docker-other')];
    const snapshot = await array.snapshotVolume(db, asArrayName('docker-db~1'), soon());
    const second = await array.snapshotVolume(snapshot, asArrayName('docker-db~2'), soon());
    for (const id of [db, snapshot, second]) {
      const family = await array.volumesOfFamily(await read(array, id), soon());
      expect(idsOf(family)).toEqual([db, snapshot, second].toSorted());
      expect(family).toEqual(expect.arrayContaining([await read(array, id)]));
    }
  });

  test('a family of which nobody is left is empty', async () => {
    const { array } = (await openOnePool(open)).one;
    const id = await made(array, 'docker-db');
    const volume = await read(array, id);
    await array.removeVolume(id, soon());
    expect(await array.volumesOfFamily(volume, soon())).toEqual([]);
  });

  test('a family that the array did not name is no empty one', async () => {
    const { array } = (await openOnePool(open)).one;
    const id = await made(array, 'docker-db');
    await expect(array.volumesOfFamily({ id, familyId: null }, soon())).rejects.toBeInstanceOf(
      GatewayUnavailableError,
    );
  });
}
