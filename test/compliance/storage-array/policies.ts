import { expect, test } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import { asArrayName, asPolicyId } from '../../../src/array/ids.ts';
import type { StorageArray } from '../../../src/array/storage-array.ts';
import type { OpenStorageArray } from './subject.ts';
import { everything, goneVolume, made, openOnePool, read } from './scene.ts';
import { soon } from '../soon.ts';

const REJECTED = { code: 'GATEWAY_REJECTED' };
const NO_POLICY = asPolicyId('fffffffe00000003');

async function hasPolicies(array: StorageArray): Promise<boolean> {
  return (await array.identity(soon())).capabilities.snapshotPolicies;
}

/** The words of a refusal because of what was asked. */
async function invalid(asked: Promise<unknown>): Promise<string> {
  await expect(asked).rejects.toBeInstanceOf(InvalidRequestError);
  return asked.then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );
}

export function policyCases(open: OpenStorageArray): void {
  test('an array without policies has none, and says which version it takes', async () => {
    const { array } = (await openOnePool(open)).one;
    expect(await array.listSnapshotPolicies(soon())).toEqual([]);
    if (await hasPolicies(array)) return;
    const id = await made(array, 'docker-db');
    for (const asked of [
      array.findSnapshotPolicy('hourly', soon()),
      array.addPolicySource(NO_POLICY, id, soon()),
      array.removePolicySource(NO_POLICY, id, soon()),
    ])
      expect(await invalid(asked)).toContain('3.0');
  });

  test('policies are listed, and found by their exact name', async () => {
    const { one, two, outside } = await openOnePool(open);
    if (!(await hasPolicies(one.array))) return;
    const [hourly, daily] = [await outside.makePolicy('hourly'), await outside.makePolicy('Daily')];
    const policies = await two.array.listSnapshotPolicies(soon());
    expect(policies.map(({ id }) => id).toSorted()).toEqual([hourly, daily].toSorted());
    const found = await one.array.findSnapshotPolicy('hourly', soon());
    expect(found).toEqual({
      id: hourly,
      name: 'hourly',
      isActive: true,
      cadenceMinutes: 60,
      retained: [24],
      access: 'ReadOnly',
      isSecure: false,
      lastTakenAtSeconds: null,
      nextAtSeconds: expect.any(Number) as number,
    });
    expect(policies).toContainEqual(found);
    for (const [other, near] of [
      ['hourli', '"hourly"'],
      ['daily', '"Daily"'],
      ['', '"hourly"'],
    ] as const)
      expect(await invalid(one.array.findSnapshotPolicy(other, soon()))).toContain(near);
  });

  test('a volume says which policy takes snapshots of it, and is not removed while one does', async () => {
    const { one, outside } = await openOnePool(open);
    const { array } = one;
    if (!(await hasPolicies(array))) return;
    const policyId = await outside.makePolicy('hourly');
    const id = await made(array, 'docker-db');
    const snapshot = await array.snapshotVolume(id, asArrayName('~1'), soon());
    const before = await read(array, id);
    await array.addPolicySource(policyId, id, soon());
    await array.addPolicySource(policyId, id, soon());
    expect(await read(array, id)).toEqual({ ...before, policyId });
    expect(await read(array, snapshot)).toMatchObject({ policyId: null, madeByPolicy: false });
    const later = await array.snapshotVolume(id, asArrayName('~2'), soon());
    expect(await read(array, later)).toMatchObject({ policyId: null, madeByPolicy: false });
    await expect(array.removeVolume(id, soon())).rejects.toMatchObject({
      ...REJECTED,
      refusal: 'policy-source',
    });
    await array.removeVolume(later, soon());
    await array.removePolicySource(policyId, id, soon());
    await array.removePolicySource(policyId, id, soon());
    expect(await read(array, id)).toEqual(before);
    await array.removeVolume(id, soon());
    await array.removePolicySource(policyId, id, soon());
  });

  test('a family has one source of one policy', async () => {
    const { one, outside } = await openOnePool(open);
    const { array } = one;
    if (!(await hasPolicies(array))) return;
    const [hourly, daily] = [await outside.makePolicy('hourly'), await outside.makePolicy('daily')];
    const [id, other] = [await made(array, 'docker-db'), await made(array, 'docker-web')];
    const snapshot = await array.snapshotVolume(id, asArrayName('~1'), soon());
    await array.addPolicySource(hourly, id, soon());
    const before = await everything(array);
    const taken = { ...REJECTED, refusal: 'family-has-source' };
    for (const [policyId, volumeId] of [
      [daily, id],
      [daily, snapshot],
      [hourly, snapshot],
    ] as const)
      await expect(array.addPolicySource(policyId, volumeId, soon())).rejects.toMatchObject(taken);
    await array.removePolicySource(daily, id, soon());
    await array.removePolicySource(hourly, snapshot, soon());
    expect(await everything(array)).toEqual(before);
    await array.addPolicySource(hourly, other, soon());
    expect((await read(array, other)).policyId).toBe(hourly);
  });

  test('a policy that is none, and a volume that is gone, are refused', async () => {
    const { one, outside } = await openOnePool(open);
    const { array } = one;
    if (!(await hasPolicies(array))) return;
    const policyId = await outside.makePolicy('hourly');
    const id = await made(array, 'docker-db');
    await expect(array.addPolicySource(NO_POLICY, id, soon())).rejects.toMatchObject(REJECTED);
    await expect(array.addPolicySource(policyId, await goneVolume(array), soon())).rejects.toMatchObject({
      ...REJECTED,
      refusal: 'volume-unknown',
    });
    expect((await read(array, id)).policyId).toBeNull();
  });
}
