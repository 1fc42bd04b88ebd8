import { expect, test } from 'vitest';
import { asFamilyId, asVolumeId } from '../../../src/array/ids.ts';
import { clientOf, fakeGateway, json, refusal, rejection, soon, type Seen } from './fake-gateway.ts';

const VOLUMES = 'POST /api/types/Volume/instances/action/querySelectedStatistics';
const FAMILIES = 'POST /api/types/VTree/instances/action/querySelectedStatistics';
const ID = asVolumeId('aaaa000000000001');
const FAMILY = asFamilyId('cccc000000000001');

const counter = (numSeconds: number, totalWeightInKb: number, numOccured: number): object => ({
  numSeconds,
  totalWeightInKb,
  numOccured,
});
const IO = ['userDataReadBwc', 'userDataWriteBwc'];
const WITH_LATENCY = [...IO, 'userDataSdcReadLatency', 'userDataSdcWriteLatency'];
const bodyAt = (seen: readonly Seen[], index: number): unknown => JSON.parse(seen.at(index)?.body ?? '');

test('rates are per second of the interval, latencies per operation', async () => {
  const figures = {
    userDataReadBwc: counter(10, 40_960, 500),
    userDataWriteBwc: counter(1, 4096, 100),
    userDataSdcReadLatency: counter(10, 512_000, 500),
    userDataSdcWriteLatency: counter(0, 0, 0),
  };
  const fake = await fakeGateway({ [VOLUMES]: json(200, { [ID]: figures }) }, { version: '3.6' });
  const io = await clientOf(fake).ioOf([ID], soon());
  expect(io.get(ID)).toEqual({
    read: { iops: 50, kibPerSecond: 4096, latencyMicroseconds: 1000 },
    write: { iops: 100, kibPerSecond: 4096, latencyMicroseconds: null },
  });
  expect(bodyAt(fake.seen, -1)).toEqual({ ids: [ID], properties: WITH_LATENCY });
});

test('an idle volume does nothing; operations without an interval, and what is not told, are unknown', async () => {
  const figures = { userDataReadBwc: counter(0, 0, 0), userDataWriteBwc: counter(0, 8, 2) };
  const fake = await fakeGateway({ [VOLUMES]: json(200, { [ID]: figures }) }, { version: '2.6' });
  const gateway = clientOf(fake);
  expect((await gateway.ioOf([ID], soon())).get(ID)).toEqual({
    read: { iops: 0, kibPerSecond: 0, latencyMicroseconds: null },
    write: { iops: null, kibPerSecond: null, latencyMicroseconds: null },
  });
  fake.on(VOLUMES, json(200, { [ID]: {} }));
  const unknown = { iops: null, kibPerSecond: null, latencyMicroseconds: null };
  expect((await gateway.ioOf([ID], soon())).get(ID)).toEqual({ read: unknown, write: unknown });
});

test('an array before 3.0 is not asked for latencies, and one that refuses them is not asked again', async () => {
  const old = await fakeGateway({ [VOLUMES]: json(200, {}) }, { version: '2.6' });
  await clientOf(old).ioOf('all', soon());
  expect(bodyAt(old.seen, -1)).toEqual({ allIds: '', properties: IO });

  const refused = refusal(0, 'userDataSdcReadLatency is not a property', 400);
  const fake = await fakeGateway({ [VOLUMES]: [refused, json(200, {}), json(200, {})] }, { version: '3.6' });
  const gateway = clientOf(fake);
  await gateway.ioOf('all', soon());
  await gateway.ioOf('all', soon());
  const asked = fake.seen.filter(({ route }) => route === VOLUMES);
  expect(asked.map((_, index) => bodyAt(asked, index))).toEqual(
    [WITH_LATENCY, IO, IO].map((properties) => ({ allIds: '', properties })),
  );
});

test('rule 15: figures of something else are no answer', async () => {
  const other = json(200, { aaaa000000000009: {} });
  const fake = await fakeGateway({ [VOLUMES]: other, [FAMILIES]: other }, { version: '3.6' });
  const gateway = clientOf(fake);
  expect((await rejection(gateway.ioOf([ID], soon()))).message).toContain('aaaa000000000009');
  expect((await rejection(gateway.usageOfFamilies([FAMILY], soon()))).message).toContain('aaaa000000000009');
});

test('what a family holds, in part where the array says no more', async () => {
  const usage = { baseNetCapacityInUseInKb: 2048, snapNetCapacityInUseInKb: '1024' };
  const fake = await fakeGateway({
    [FAMILIES]: [json(200, { [FAMILY]: usage }), json(200, { [FAMILY]: {} })],
  });
  const gateway = clientOf(fake);
  expect([...(await gateway.usageOfFamilies([FAMILY, FAMILY], soon())).values()]).toEqual([
    { familyId: FAMILY, baseKiB: 2048, snapshotsKiB: 1024 },
  ]);
  expect(bodyAt(fake.seen, -1)).toEqual({
    ids: [FAMILY],
    properties: ['baseNetCapacityInUseInKb', 'snapNetCapacityInUseInKb'],
  });
  expect((await gateway.usageOfFamilies([FAMILY], soon())).get(FAMILY)).toEqual({
    familyId: FAMILY,
    baseKiB: null,
    snapshotsKiB: null,
  });
});
