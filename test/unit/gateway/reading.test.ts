import { expect, test } from 'vitest';
import { GatewayUnavailableError } from '../../../src/errors.ts';
import type { ArrayName, FamilyId, HostId, PoolId, VolumeId } from '../../../src/array/ids.ts';
import { clientOf, fakeGateway, html, json, refusal, rejection, soon, type Answer } from './fake-gateway.ts';

const LIST = 'GET /api/types/Volume/instances';
const FIND = 'POST /api/types/Volume/instances/action/queryIdByKey';
const SELECT = 'POST /api/types/Volume/instances/action/queryBySelectedIds';
const USAGE = 'POST /api/types/StoragePool/instances/action/querySelectedStatistics';
const SDCS = 'GET /api/types/Sdc/instances';
const GUID = '7E012974-3651-4DCB-9954-25975A3C3CDF';

const volume = (id: string, name: string | null = `docker-${id}`): object => ({
  id,
  name,
  sizeInKb: 8388608,
  storagePoolId: 'sp',
  vtreeId: 'vt',
});
const ids = (...all: string[]): VolumeId[] => all as VolumeId[];

test('a name is looked up in one call, exactly as it is written', async () => {
  const fake = await fakeGateway({ [FIND]: [json(200, 'aa')] });
  expect(await clientOf(fake).findVolumeId('Docker-"db"' as ArrayName, soon())).toBe('aa');
  expect(fake.calls).toEqual([FIND]);
  expect(JSON.parse(fake.seen.at(-1)?.body ?? '')).toEqual({ name: 'Docker-"db"' });
  expect(fake.seen.at(-1)?.headers['content-type']).toBe('application/json');
});

test.each([
  ['2.x and 3.x', refusal(3, 'Not found')],
  ['4.x', refusal(79, 'Could not find the volume')],
])('no such name: %s', async (_what, answer) => {
  const fake = await fakeGateway({ [FIND]: [answer] });
  expect(await clientOf(fake).findVolumeId('x' as ArrayName, soon())).toBeUndefined();
});

/** What none of the array's own words is. */
const NO_WORDS: [string, Answer][] = [
  ['nothing', (response) => response.end()],
  ['204', (response) => response.writeHead(204).end()],
  ['null', json(200, null)],
  ['an empty text', json(200, '')],
  ['an object', json(200, {})],
  ['a 404 page', html(404)],
];

test.each(NO_WORDS)('a look-up by name that is answered with %s tells nothing', async (_what, answer) => {
  const fake = await fakeGateway({ [FIND]: answer });
  const error = await rejection(clientOf(fake).findVolumeId('x' as ArrayName, soon()));
  expect(error.message).toContain('cannot look up volume "x"');
});

test.each(NO_WORDS)(
  'reading a volume, an SDC or a list that is answered with %s tells nothing',
  async (_what, answer) => {
    const asked = ['GET /api/instances/Volume::aa', 'GET /api/instances/Sdc::cc', LIST, SDCS, SELECT];
    const ofSdc = 'GET /api/instances/Sdc::cc/relationships/Volume';
    const fake = await fakeGateway(Object.fromEntries([...asked, ofSdc].map((route) => [route, answer])));
    const gateway = clientOf(fake, { retry: { whenUnreachable: 0 } });
    const answers = [
      gateway.getVolume('aa' as VolumeId, soon()),
      gateway.getHost('cc' as HostId, soon()),
      gateway.listVolumes(() => true, soon()),
      gateway.listVolumeNames((name) => name, soon()),
      gateway.findHost(GUID, soon()),
      gateway.getVolumes(ids('aa'), soon()),
      gateway.volumesOfHost('cc' as HostId, soon()),
    ];
    expect(await Promise.all(answers.map(rejection))).toHaveLength(answers.length);
  },
);

test('rule 15: an answer about another object than was asked for tells nothing', async () => {
  const other = { ...volume('bb'), mappedSdcInfo: [{ sdcId: 'dd' }], vtreeId: 'other' };
  const fake = await fakeGateway({
    'GET /api/instances/Volume::aa': json(200, volume('bb')),
    'GET /api/instances/Sdc::cc': json(200, { id: 'dd', mdmConnectionState: 'Disconnected' }),
    'GET /api/instances/Sdc::cc/relationships/Volume': json(200, [other]),
    'GET /api/instances/VTree::vt/relationships/Volume': json(200, [other]),
    [SELECT]: json(200, [other]),
    [USAGE]: json(200, { other: { capacityInUseInKb: 1, capacityLimitInKb: 9, spareCapacityInKb: 1 } }),
  });
  const gateway = clientOf(fake, { retry: { whenUnreachable: 0 } });
  const answers: Promise<unknown>[] = [
    gateway.getVolume('aa' as VolumeId, soon()),
    gateway.getHost('cc' as HostId, soon()),
    gateway.volumesOfHost('cc' as HostId, soon()),
    gateway.volumesOfFamily({ id: 'aa' as VolumeId, familyId: 'vt' as FamilyId }, soon()),
    gateway.getVolumes(ids('aa'), soon()),
    gateway.poolUsage('sp' as PoolId, soon()),
  ];
  for (const error of await Promise.all(answers.map(rejection))) {
    expect(error).toBeInstanceOf(GatewayUnavailableError);
    expect(error.message).toMatch(/not asked for|was asked for/);
  }
});

test('a list with something in it that is no object of the array is unknown, not shorter', async () => {
  const fake = await fakeGateway();
  const gateway = clientOf(fake, { retry: { whenUnreachable: 0 } });
  for (const odd of [7, null, { name: 'docker-x' }, { ...volume('bb'), name: 7 }]) {
    fake.on(LIST, json(200, [volume('aa'), odd]));
    const error = await rejection(gateway.listVolumeNames((name) => name, soon()));
    expect(error).toBeInstanceOf(GatewayUnavailableError);
  }
});

test("a gateway that does not know a V-tree's volumes is asked for the list of all; a 404 page of one that knows nothing is none of that", async () => {
  const route = 'GET /api/instances/VTree::vt/relationships/Volume';
  for (const answer of [html(404), refusal(0, 'VTree has no relationship Volume', 404)]) {
    const other = { ...volume('bb'), vtreeId: 'other' };
    const fake = await fakeGateway({ [route]: answer, [LIST]: json(200, [volume('aa'), other]) });
    const gateway = clientOf(fake);
    expect(
      (await gateway.volumesOfFamily({ id: 'aa' as VolumeId, familyId: 'vt' as FamilyId }, soon())).map(
        ({ id }) => id,
      ),
    ).toEqual(['aa']);
    expect(gateway.stats()[0]).toMatchObject({ healthy: true });
  }
  const fake = await fakeGateway({ [route]: html(404) });
  const gateway = clientOf(fake, { retry: { whenUnreachable: 0 } });
  await gateway.identity(soon());
  fake.on('GET /api/version', html(404));
  expect(
    await rejection(gateway.volumesOfFamily({ id: 'aa' as VolumeId, familyId: 'vt' as FamilyId }, soon())),
  ).toBeInstanceOf(GatewayUnavailableError);
  expect(gateway.stats()[0]).toMatchObject({ healthy: false });
});

test('a volume that is gone is undefined; an unusable answer is not', async () => {
  const fake = await fakeGateway({
    'GET /api/instances/Volume::aa': [refusal(79, 'Could not find the volume')],
    'GET /api/instances/Volume::cc': json(200, { id: 'cc', name: 'x' }),
  });
  const gateway = clientOf(fake);
  expect(await gateway.getVolume('aa' as VolumeId, soon())).toBeUndefined();
  expect(await gateway.getVolume('../bb' as VolumeId, soon())).toBeUndefined();
  const error = await rejection(gateway.getVolume('cc' as VolumeId, soon()));
  expect(error).toBeInstanceOf(GatewayUnavailableError);
  expect(error.message).toContain('answer cannot be understood at sizeInKb');
});

test('many volumes are read in one call, none in no call', async () => {
  const fake = await fakeGateway({ [SELECT]: [json(200, [volume('aa'), volume('bb')])] });
  const gateway = clientOf(fake);
  expect((await gateway.getVolumes(ids('aa', 'bb', 'aa'), soon())).map(({ id }) => id)).toEqual(['aa', 'bb']);
  expect(JSON.parse(fake.seen.at(-1)?.body ?? '')).toEqual({ ids: ['aa', 'bb'] });
  expect(await gateway.getVolumes([], soon())).toEqual([]);
  expect(fake.calls).toEqual([SELECT]);
});

test('one that is gone and named in the refusal is left out of a second query', async () => {
  const text = "Query selected Instances type: Volume - Got no statistics for id ab01. It doesn't exist";
  const route = 'GET /api/instances/Volume::ab01';
  const fake = await fakeGateway({ [SELECT]: [refusal(0, text), json(200, [volume('cd02')])] });
  fake.on(route, refusal(79, 'Could not find the volume'));
  expect(await clientOf(fake).getVolumes(ids('ab01', 'cd02'), soon())).toHaveLength(1);
  expect(JSON.parse(fake.seen.at(-1)?.body ?? '')).toEqual({ ids: ['cd02'] });
  // The refusal names it, and it is there all the same.
  fake.on(route, json(200, volume('ab01')));
  fake.on(SELECT, refusal(0, text));
  fake.on(LIST, json(200, [volume('ab01'), volume('cd02'), volume('ef03')]));
  expect(await clientOf(fake).getVolumes(ids('ab01', 'cd02'), soon())).toHaveLength(2);
});

test('an array that refuses without a name is asked for its list', async () => {
  const fake = await fakeGateway({
    [SELECT]: [refusal(79, 'Could not find the volume')],
    [LIST]: [json(200, [volume('aa'), volume('bb'), volume('cc')])],
  });
  const found = await clientOf(fake).getVolumes(ids('cc', 'dd'), soon());
  expect(found.map(({ id }) => id)).toEqual(['cc']);
  expect(fake.calls).toEqual([SELECT, LIST]);
});

test('the list holds what passes by name; what does not pass is not looked at', async () => {
  const odd = { id: 'bb', name: 'other-1', sizeInKb: 'a great deal' };
  const fake = await fakeGateway({
    [LIST]: [json(200, [volume('aa'), odd, volume('cc', null), volume('dd', 'Docker-x')])],
  });
  const listed = await clientOf(fake).listVolumes((name) => name.startsWith('docker-'), soon());
  expect(listed.map(({ id }) => id)).toEqual(['aa']);
  expect(fake.calls).toEqual([LIST]);
});

test('the list of names holds what is picked of them, and looks at nothing else', async () => {
  const odd = { id: 'bb', name: 'odd', sizeInKb: 'a great deal' };
  const fake = await fakeGateway({ [LIST]: [json(200, [volume('aa'), odd, volume('cc', null)])] });
  const pick = (name: string): string | undefined => (name === 'docker-aa' ? undefined : name.toUpperCase());
  expect(await clientOf(fake).listVolumeNames(pick, soon())).toEqual(['ODD']);
});

test('an empty list is empty', async () => {
  const fake = await fakeGateway({ [LIST]: (response) => response.end('[]') });
  expect(await clientOf(fake).listVolumes(() => true, soon())).toEqual([]);
});

test('a list that stops half-way is read again from its start', async () => {
  const whole = JSON.stringify([volume('aa'), volume('bb')]);
  const fake = await fakeGateway({
    [LIST]: [(response) => response.end(whole.slice(0, -20)), (response) => response.end(whole)],
  });
  expect(await clientOf(fake).listVolumes(() => true, soon())).toHaveLength(2);
});

test('an unreadable volume that is ours fails the list instead of vanishing from it', async () => {
  const fake = await fakeGateway({ [LIST]: json(200, [{ id: 'aa', name: 'docker-a' }]) });
  const error = await rejection(clientOf(fake).listVolumes(() => true, soon()));
  expect(error.message).toContain('cannot list volumes: no gateway answered usefully');
});

test('volumes of an SDC and of a VTree', async () => {
  const ofSdc = 'GET /api/instances/Sdc::cc/relationships/Volume';
  const ofVtree = 'GET /api/instances/VTree::vt/relationships/Volume';
  const fake = await fakeGateway({
    [ofSdc]: [json(200, [{ ...volume('aa'), mappedSdcInfo: [{ sdcId: 'cc' }] }])],
    [ofVtree]: [json(200, [])],
  });
  const gateway = clientOf(fake);
  expect(await gateway.volumesOfHost('cc' as HostId, soon())).toHaveLength(1);
  expect(await gateway.volumesOfFamily({ id: 'aa' as VolumeId, familyId: 'vt' as FamilyId }, soon())).toEqual(
    [],
  );
  expect(fake.calls).toEqual([ofSdc, ofVtree]);
});

test('an SDC is found by its GUID in any case, or is undefined', async () => {
  const sdc = {
    id: 'cc',
    sdcGuid: GUID,
    mdmConnectionState: 'Connected',
    sdcApproved: true,
    osType: 'Linux',
  };
  const fake = await fakeGateway({
    [SDCS]: json(200, [{ id: 'bb', sdcGuid: null }, sdc]),
    'GET /api/instances/Sdc::cc': json(200, sdc),
    'GET /api/instances/Sdc::dd': refusal(80, 'Could not find the SDC'),
  });
  const gateway = clientOf(fake);
  const found = await gateway.findHost(GUID.toLowerCase(), soon());
  expect(found).toMatchObject({ id: 'cc', guid: GUID, state: 'connected', isApproved: true });
  expect(await gateway.findHost('00000000-0000-0000-0000-000000000000', soon())).toBeUndefined();
  expect(await gateway.getHost('cc' as HostId, soon())).toEqual(found);
  expect(await gateway.getHost('dd' as HostId, soon())).toBeUndefined();
});

const CONTROLLERS = 'GET /api/instances/Host::ee/relationships/NvmeController';
const path = (isConnected: unknown, hostId: string | null = 'ee'): object => ({
  id: 'f0',
  hostId,
  isConnected,
});

test.each([
  ['all paths down', [path(false), path(false, null)], 'disconnected'],
  ['one path up', [path(false), path(true)], 'connected'],
  ['no path listed', [], 'unknown'],
  ['a path that does not say', [path(false), path(null)], 'unknown'],
  ['a path of another host', [path(false, 'dd')], 'unknown'],
])('rule 16: an NVMe host with %s', async (_what, controllers, state) => {
  const host = { id: 'ee', hostType: 'NVMeHost', nqn: 'nqn.x', sdcGuid: null, mdmConnectionState: null };
  const fake = await fakeGateway({
    'GET /api/instances/Sdc::ee': json(200, host),
    [CONTROLLERS]: json(200, controllers),
  });
  expect(await clientOf(fake).getHost('ee' as HostId, soon())).toMatchObject({ state });
  expect(fake.calls).toEqual(['GET /api/instances/Sdc::ee', CONTROLLERS]);
});

test('rule 16: an NVMe host whose paths the gateway cannot list may be there', async () => {
  const host = { id: 'ee', hostType: 'NVMeHost', mdmConnectionState: null };
  const fake = await fakeGateway({ 'GET /api/instances/Sdc::ee': json(200, host) });
  for (const answer of [html(404), refusal(0, 'The type Host is not a valid instance type', 404)]) {
    fake.on(CONTROLLERS, answer);
    expect(await clientOf(fake).getHost('ee' as HostId, soon())).toMatchObject({ state: 'unknown' });
  }
});

test('20,000 volumes: the event loop turns while they are read', async () => {
  const all = Array.from({ length: 20_000 }, (_, index) => volume(index.toString(16), `docker-${index}`));
  const body = JSON.stringify(all);
  const fake = await fakeGateway({ [LIST]: (response) => response.end(body) });
  const gateway = clientOf(fake);
  await gateway.identity(soon());
  let turns = 0;
  let reading = true;
  const turn = (): void => {
    turns += 1;
    if (reading) setImmediate(turn);
  };
  setImmediate(turn);
  const listed = await gateway.listVolumes(() => true, soon());
  reading = false;
  expect(listed).toHaveLength(20_000);
  expect(turns).toBeGreaterThanOrEqual(body.length / (256 * 1024));
});

const STATISTICS = 'GET /api/instances/Volume::aa/relationships/Statistics';
const counter = (numOccured: unknown): object => ({ numSeconds: 5, totalWeightInKb: 40, numOccured });

test('the I/O of a volume is its reads and writes together, in one call', async () => {
  const statistics = { userDataReadBwc: counter(3), userDataWriteBwc: counter('4'), numOfMappedSdcs: 1 };
  const fake = await fakeGateway({ [STATISTICS]: [json(200, statistics)] });
  expect(await clientOf(fake).recentIo('aa' as VolumeId, soon())).toBe(7);
  expect(fake.calls).toEqual([STATISTICS]);
});

test.each([
  ['no counters', {}],
  ['one counter', { userDataReadBwc: counter(0) }],
  ['null', { userDataReadBwc: counter(0), userDataWriteBwc: null }],
])('an array that does not count the I/O is not taken for idle: %s', async (_what, statistics) => {
  const fake = await fakeGateway({ [STATISTICS]: json(200, statistics) });
  const error = await rejection(clientOf(fake).recentIo('aa' as VolumeId, soon()));
  expect(error).toBeInstanceOf(GatewayUnavailableError);
});

test('the I/O of a volume that is gone is refused, not 0', async () => {
  const fake = await fakeGateway({ [STATISTICS]: [refusal(79, 'Could not find the volume')] });
  expect(await rejection(clientOf(fake).recentIo('aa' as VolumeId, soon()))).toMatchObject({ arrayCode: 79 });
});
