import { expect, test } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import type { PoolId } from '../../../src/array/ids.ts';
import { clientOf, fakeGateway, html, json, rejection, soon, type FakeGateway } from './fake-gateway.ts';

const POOLS = 'GET /api/types/StoragePool/instances';
const DOMAINS = 'GET /api/types/ProtectionDomain/instances';

const pool = (id: string, name: string, protectionDomainId: string, zeroPaddingEnabled = true): object => ({
  id,
  name,
  protectionDomainId,
  zeroPaddingEnabled,
});

const LAYOUT = [pool('a1', 'fast', 'd1'), pool('a2', 'fast', 'd2', false), pool('a3', 'capacity', 'd2')];
const NAMES = [
  { id: 'd1', name: 'pd1' },
  { id: 'd2', name: 'pd2' },
];

function arrayOf(pools: unknown = LAYOUT, domains: unknown = NAMES): Promise<FakeGateway> {
  return fakeGateway({ [POOLS]: json(200, pools), [DOMAINS]: json(200, domains) });
}

test.each([
  ['capacity', undefined, 'a3'],
  ['a1', undefined, 'a1'],
  ['fast', 'pd1', 'a1'],
  ['fast', 'd2', 'a2'],
  ['a2', 'pd2', 'a2'],
  [undefined, 'pd1', 'a1'],
])('pool %s in domain %s is %s', async (wanted, domain, id) => {
  const gateway = clientOf(await arrayOf());
  expect(await gateway.findPool({ pool: wanted, domain }, soon())).toMatchObject({ id });
});

test('a pool is described with its domain and zero padding', async () => {
  const gateway = clientOf(await arrayOf());
  expect(await gateway.findPool({ pool: 'a2', domain: undefined }, soon())).toEqual({
    id: 'a2',
    name: 'fast',
    domainId: 'd2',
    domainName: 'pd2',
    zeroPadding: false,
  });
});

test('the only pool needs no name', async () => {
  const gateway = clientOf(await arrayOf([pool('a1', 'sp1', 'd1')]));
  expect((await gateway.findPool({ pool: undefined, domain: undefined }, soon())).id).toBe('a1');
});

test.each([
  ['fats', 'pd1', 'no storage pool "fats" in protection domain "pd1"; did you mean "fast"?'],
  ['Fast', 'pd1', 'no storage pool "Fast" in protection domain "pd1"; did you mean "fast"?'],
  ['nonsense', undefined, 'no storage pool "nonsense"; there is "capacity", "fast"'],
  ['fast', 'pd3', 'no protection domain "pd3" with a storage pool in it; did you mean "pd1"?'],
  [
    'fast',
    undefined,
    'storage pool "fast" exists in several protection domains; set the option domain to one of "pd1", "pd2"',
  ],
  [
    undefined,
    'pd2',
    'which storage pool is meant in protection domain "pd2"? Set the option pool to one of "capacity", "fast"',
  ],
  [undefined, undefined, 'which storage pool is meant? Set the option pool to one of "capacity", "fast"'],
])('pool %s in domain %s: %s', async (wanted, domain, message) => {
  const gateway = clientOf(await arrayOf());
  const error = await rejection(gateway.findPool({ pool: wanted, domain }, soon()));
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error.message).toBe(message);
});

test('an array without pools says so', async () => {
  const gateway = clientOf(await arrayOf([], []));
  const error = await rejection(gateway.findPool({ pool: undefined, domain: undefined }, soon()));
  expect(error.message).toBe('no storage pool; there is none');
});

test('pools are read once, however many ask and whatever they ask', async () => {
  const fake = await arrayOf();
  const gateway = clientOf(fake);
  const ask = { pool: 'capacity', domain: undefined };
  await Promise.all(Array.from({ length: 20 }, () => gateway.findPool(ask, soon())));
  await gateway.describePool('a1' as PoolId, soon());
  expect(fake.calls.toSorted()).toEqual([DOMAINS, POOLS]);
});

test('a pool that is not there is looked for afresh, but not again and again', async () => {
  let now = 0;
  const fake = await arrayOf();
  const gateway = clientOf(fake, { clock: { elapsed: () => now } });
  const ask = { pool: 'new', domain: undefined };
  await rejection(gateway.findPool(ask, soon()));
  expect(fake.calls).toHaveLength(2);
  now = 3000;
  fake.on(POOLS, json(200, [...LAYOUT, pool('a4', 'new', 'd1')]));
  expect((await gateway.findPool(ask, soon())).id).toBe('a4');
  expect(fake.calls).toHaveLength(4);
  expect(await gateway.describePool('ff' as PoolId, soon())).toBeUndefined();
  expect(fake.calls).toHaveLength(4);
});

const HOUR_MS = 3_600_000;

/** Those since the last look. */
function callsOf(fake: FakeGateway): () => string[] {
  let seen = 0;
  return () => {
    const calls = fake.calls.slice(seen);
    seen += calls.length;
    return calls;
  };
}

test('what is old costs one call for a new volume: pools first, then domains, and both are heeded', async () => {
  let now = 1;
  const fake = await arrayOf();
  const calls = callsOf(fake);
  const gateway = clientOf(fake, { clock: { elapsed: () => now } });
  const ask = { pool: 'fast', domain: 'pd1' };
  expect((await gateway.findPool(ask, soon())).id).toBe('a1');
  expect(calls().toSorted()).toEqual([DOMAINS, POOLS]);
  fake.on(POOLS, json(200, [pool('a1', 'slow', 'd1'), pool('a2', 'fast', 'd2'), pool('a9', 'fast', 'd1')]));
  fake.on(
    DOMAINS,
    json(200, [
      { id: 'd1', name: 'pd2' },
      { id: 'd2', name: 'pd1' },
    ]),
  );
  now = HOUR_MS;
  expect((await gateway.findPool(ask, soon())).id).toBe('a9');
  expect(calls()).toEqual([POOLS]);
  expect((await gateway.findPool(ask, soon())).id).toBe('a2');
  expect(calls()).toEqual([DOMAINS]);
  await gateway.findPool(ask, soon());
  expect(calls()).toEqual([]);
});

test('to describe a volume its pool is not read again, however old it is', async () => {
  let now = 1;
  const fake = await arrayOf();
  const calls = callsOf(fake);
  const gateway = clientOf(fake, { clock: { elapsed: () => now } });
  await gateway.describePool('a1' as PoolId, soon());
  calls();
  now = 100 * HOUR_MS;
  expect((await gateway.describePool('a1' as PoolId, soon()))?.domainName).toBe('pd1');
  expect(calls()).toEqual([]);
});

test('a failed reading is not kept', async () => {
  const fake = await arrayOf();
  fake.on(DOMAINS, html(404));
  const gateway = clientOf(fake, { retry: { whenUnreachable: 0 } });
  const ask = { pool: 'capacity', domain: undefined };
  expect((await rejection(gateway.findPool(ask, soon()))).message).toContain(
    'cannot list protection domains',
  );
  fake.on(DOMAINS, json(200, NAMES));
  expect((await gateway.findPool(ask, soon())).id).toBe('a3');
});

test('a caller that gives up does not end the reading for the others', async () => {
  const gate = Promise.withResolvers<undefined>();
  const fake = await arrayOf();
  fake.on(POOLS, async (response, seen) => {
    await gate.promise;
    json(200, LAYOUT)(response, seen);
  });
  const gateway = clientOf(fake);
  const leaving = new AbortController();
  const ask = { pool: 'capacity', domain: undefined };
  const left = rejection(gateway.findPool(ask, leaving.signal));
  const stays = gateway.findPool(ask, soon());
  await expect.poll(() => fake.count(POOLS)).toBe(1);
  leaving.abort();
  expect((await left).name).toBe('CancelledError');
  gate.resolve(undefined);
  expect((await stays).id).toBe('a3');
});
