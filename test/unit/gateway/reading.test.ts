import { expect, test } from 'vitest';
import { GatewayUnavailableError } from '../../../src/errors.ts';
import type { ArrayName, SdcId, VolumeId, VtreeId } from '../../../src/volumes/volume.ts';
import { clientOf, fakeGateway, json, refusal, rejection, soon } from './fake-gateway.ts';

const LIST = 'GET /api/types/Volume/instances';
const FIND = 'POST /api/types/Volume/instances/action/queryIdByKey';
const SELECT = 'POST /api/types/Volume/instances/action/queryBySelectedIds';
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
  ['null', json(200, null)],
])('no such name: %s', async (_what, answer) => {
  const fake = await fakeGateway({ [FIND]: [answer] });
  expect(await clientOf(fake).findVolumeId('x' as ArrayName, soon())).toBeUndefined();
});

test('a volume that is gone is undefined; an unusable answer is not', async () => {
  const fake = await fakeGateway({
    'GET /api/instances/Volume::aa': [refusal(79, 'Could not find the volume')],
    'GET /api/instances/Volume::..%2Fbb': [refusal(0, 'id (../bb) must be a hexadecimal number', 400)],
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
  const fake = await fakeGateway({ [SELECT]: [refusal(0, text), json(200, [volume('cd02')])] });
  expect(await clientOf(fake).getVolumes(ids('ab01', 'cd02'), soon())).toHaveLength(1);
  expect(JSON.parse(fake.seen.at(-1)?.body ?? '')).toEqual({ ids: ['cd02'] });
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
  const odd = { name: 'odd', sizeInKb: 'a great deal' };
  const fake = await fakeGateway({ [LIST]: [json(200, [volume('aa'), odd, volume('cc', null), 7])] });
  const pick = (name: string): string | undefined => (name === 'docker-aa' ? undefined : name.toUpperCase());
  expect(await clientOf(fake).listVolumeNames(pick, soon())).toEqual(['ODD']);
});

test.each([
  ['[]', []],
  ['null', []],
])('a list of %s is empty', async (body) => {
  const fake = await fakeGateway({ [LIST]: (response) => response.end(body) });
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
  const fake = await fakeGateway({ [ofSdc]: [json(200, [volume('aa')])], [ofVtree]: [json(200, [])] });
  const gateway = clientOf(fake);
  expect(await gateway.volumesOfSdc('cc' as SdcId, soon())).toHaveLength(1);
  expect(await gateway.volumesOfVtree('vt' as VtreeId, soon())).toEqual([]);
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
  const found = await gateway.findSdcByGuid(GUID.toLowerCase(), soon());
  expect(found).toMatchObject({ id: 'cc', guid: GUID, connected: true, approved: true });
  expect(await gateway.findSdcByGuid('00000000-0000-0000-0000-000000000000', soon())).toBeUndefined();
  expect(await gateway.getSdc('cc' as SdcId, soon())).toEqual(found);
  expect(await gateway.getSdc('dd' as SdcId, soon())).toBeUndefined();
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
