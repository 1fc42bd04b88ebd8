import { expect, test } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import { asPoolId } from '../../../src/array/ids.ts';
import type { OpenStorageArray } from './subject.ts';
import { holders, made, openOnePool } from './scene.ts';
import { soon } from '../soon.ts';

const MANY = [
  { domain: 'pd1', pools: ['sp1', 'fast'] },
  { domain: 'pd2', pools: ['sp1', 'archive'] },
];

export function hostAndPoolCases(open: OpenStorageArray): void {
  test('a host is found by its GUID and its id, and by no other', async () => {
    const { one, two, stranger } = await openOnePool(open);
    const host = await two.array.findHost(one.guid, soon());
    expect(host).toMatchObject({
      id: one.hostId,
      guid: one.guid.toUpperCase(),
      kind: 'sdc',
      isApproved: true,
      state: 'connected',
    });
    expect(host?.address).toEqual(expect.any(String));
    expect(host?.addresses).toEqual([host?.address]);
    expect(await two.array.findHost(one.guid.toLowerCase(), soon())).toEqual(host);
    expect(await two.array.getHost(one.hostId, soon())).toEqual(host);
    expect((await one.array.getHost(two.hostId, soon()))?.guid).toBe(two.guid.toUpperCase());
    expect(await one.array.findHost(stranger.guid, soon())).toBeUndefined();
    expect(await one.array.getHost(stranger.hostId, soon())).toBeUndefined();
  });

  test('a host that is silent is away and keeps what it has', async () => {
    const { one, two, outside } = await openOnePool(open);
    const id = await made(one.array, 'docker-db');
    await one.array.attachVolume({ volumeId: id, hostId: one.hostId, readOnly: false }, soon());
    await outside.silence(one.guid);
    expect(await two.array.getHost(one.hostId, soon())).toMatchObject({
      id: one.hostId,
      guid: one.guid.toUpperCase(),
      isApproved: true,
      state: 'disconnected',
    });
    expect(await holders(two.array, id)).toEqual([one.hostId]);
    const exclusive = { volumeId: id, hostId: two.hostId, readOnly: false };
    await expect(two.array.attachVolume(exclusive, soon())).rejects.toMatchObject({
      refusal: 'held-by-another',
    });
    await two.array.detachVolume(id, one.hostId, soon());
    expect(await holders(two.array, id)).toEqual([]);
  });

  test("the array's one pool need not be named", async () => {
    const { array } = (await openOnePool(open)).one;
    const only = await array.findPool({ pool: undefined, domain: undefined }, soon());
    expect(only).toMatchObject({ name: 'sp1', domainName: 'pd1' });
    expect(typeof only.zeroPadding).toBe('boolean');
    expect(await array.describePool(only.id, soon())).toEqual(only);
    expect(await array.describePool(asPoolId('fffffffe00000002'), soon())).toBeUndefined();
  });

  test('a pool is meant by id or name, in a domain by id or name', async () => {
    const { array } = (await open(MANY)).one;
    const fast = await array.findPool({ pool: 'fast', domain: undefined }, soon());
    expect(fast).toMatchObject({ name: 'fast', domainName: 'pd1' });
    for (const pool of ['fast', fast.id])
      for (const domain of [undefined, 'pd1', fast.domainId])
        expect(await array.findPool({ pool, domain }, soon())).toEqual(fast);
    const first = await array.findPool({ pool: 'sp1', domain: 'pd1' }, soon());
    const second = await array.findPool({ pool: 'sp1', domain: 'pd2' }, soon());
    expect([first.domainName, second.domainName]).toEqual(['pd1', 'pd2']);
    expect(first.id).not.toBe(second.id);
  });

  test('a pool that is none, or may be several, is refused with what there is', async () => {
    const { array } = (await open(MANY)).one;
    const refused = async (pool: string | undefined, domain: string | undefined): Promise<string> => {
      const asked = array.findPool({ pool, domain }, soon());
      await expect(asked).rejects.toBeInstanceOf(InvalidRequestError);
      return asked.then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : ''),
      );
    };
    expect(await refused('fats', undefined)).toContain('"fast"');
    expect(await refused('archiv', 'pd2')).toContain('"archive"');
    expect(await refused('archive', 'pd1')).toMatch(/"fast"|"sp1"/);
    expect(await refused('fast', 'pd3')).toMatch(/"pd1"|"pd2"/);
    const ambiguous = await refused('sp1', undefined);
    expect(ambiguous).toContain('"pd1"');
    expect(ambiguous).toContain('"pd2"');
    const unnamed = await refused(undefined, 'pd1');
    expect(unnamed).toContain('"fast"');
    expect(unnamed).toContain('"sp1"');
  });

  test('how full a pool is', async () => {
    const { array } = (await openOnePool(open)).one;
    const { id } = await array.findPool({ pool: undefined, domain: undefined }, soon());
    const { usedKiB, roomKiB } = await array.poolUsage(id, soon());
    expect(Number.isInteger(usedKiB) && Number.isInteger(roomKiB)).toBe(true);
    expect(usedKiB).toBeGreaterThanOrEqual(0);
    expect(roomKiB).toBeGreaterThan(usedKiB);
    await expect(array.poolUsage(asPoolId('fffffffe00000002'), soon())).rejects.toThrow();
  });
}
