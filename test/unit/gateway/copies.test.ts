import { describe, expect, test } from 'vitest';
import { GatewayUnavailableError, InvalidRequestError } from '../../../src/errors.ts';
import type { CopyRequest } from '../../../src/array/copies.ts';
import { asArrayName, asVolumeId, type VolumeId } from '../../../src/array/ids.ts';
import {
  clientOf,
  cut,
  fakeGateway,
  json,
  refusal,
  rejection,
  soon,
  type Answer,
  type FakeGateway,
} from './fake-gateway.ts';

const SNAPSHOT = 'POST /api/instances/System/action/snapshotVolumes';
const FIND = 'POST /api/types/Volume/instances/action/queryIdByKey';
const SELECTED = 'POST /api/types/Volume/instances/action/queryBySelectedIds';
const LIMITS = 'POST /api/instances/System/action/querySystemLimits';

const [DB, LOG] = [asVolumeId('aaaa000000000001'), asVolumeId('aaaa000000000002')];
const [ONE, TWO] = [asVolumeId('bbbb000000000001'), asVolumeId('bbbb000000000002')];
const ASKED: CopyRequest = {
  copies: [
    { volumeId: DB, name: asArrayName('~db') },
    { volumeId: LOG, name: asArrayName('~log') },
  ],
  access: 'ReadOnly',
};
const TAKEN = json(200, { volumeIdList: [ONE, TWO], snapshotGroupId: 'gg' });

const of = (id: VolumeId): string => `GET /api/instances/Volume::${id}`;
const action = (id: VolumeId, name: string): string => `POST /api/instances/Volume::${id}/action/${name}`;

function snapshot(id: VolumeId, name: string, ancestorVolumeId: VolumeId, more: object = {}): object {
  return {
    id,
    name,
    ancestorVolumeId,
    sizeInKb: 8 * 1024 * 1024,
    storagePoolId: 'sp',
    vtreeId: 'vt',
    volumeType: 'Snapshot',
    consistencyGroupId: 'gg',
    ...more,
  };
}

const ONE_OF_DB = { [of(ONE)]: json(200, snapshot(ONE, '~db', DB)) };
const TWO_OF_LOG = { [of(TWO)]: json(200, snapshot(TWO, '~log', LOG)) };

/** Look-ups by name are answered by what is asked for. */
function names(ids: Readonly<Record<string, VolumeId>>): Record<string, Answer> {
  return {
    [FIND]: (response, seen) => {
      const { name } = JSON.parse(seen.body) as { name: string };
      const id = ids[name];
      const answer = id === undefined ? refusal(3, 'Not found') : json(200, id);
      answer(response, seen);
    },
  };
}

function taken(fake: FakeGateway): number {
  return fake.calls.filter((call) => call === SNAPSHOT).length;
}

describe('snapshots of several volumes', () => {
  test.each([
    ['2.6', 'ReadOnly', {}],
    ['3.6', 'ReadOnly', { accessModeLimit: 'ReadOnly' }],
    ['4.5', 'ReadWrite', { accessModeLimit: 'ReadWrite' }],
  ] as const)('are one request on %s, for %s', async (version, access, more) => {
    const fake = await fakeGateway({ [SNAPSHOT]: [TAKEN] }, { version });
    expect(await clientOf(fake).snapshotVolumes({ ...ASKED, access }, soon())).toEqual([ONE, TWO]);
    expect(fake.calls).toEqual([SNAPSHOT]);
    expect(JSON.parse(fake.seen.at(-1)?.body ?? '')).toEqual({
      snapshotDefs: [
        { volumeId: DB, snapshotName: '~db' },
        { volumeId: LOG, snapshotName: '~log' },
      ],
      ...more,
    });
  });

  test('a time to be secured travels as text', async () => {
    const fake = await fakeGateway({ [SNAPSHOT]: [TAKEN] }, { version: '3.6' });
    await clientOf(fake).snapshotVolumes({ ...ASKED, secureForMinutes: 90 }, soon());
    expect(JSON.parse(fake.seen.at(-1)?.body ?? '')).toMatchObject({ retentionPeriodInMin: '90' });
  });

  test.each([
    ['one id too few', { volumeIdList: [ONE] }],
    ['one id too many', { volumeIdList: [ONE, TWO, DB] }],
    ['one id twice', { volumeIdList: [ONE, ONE] }],
    ['no list', {}],
    ['an empty list', { volumeIdList: [] }],
    ['an id that is none', { volumeIdList: [ONE, 'null'] }],
    ['a short id', { volumeIdList: [ONE, 'bb'] }],
  ])('rule 15: an answer with %s is none, and they are looked for', async (_how, answer) => {
    const found = names({ '~db': ONE, '~log': TWO });
    const fake = await fakeGateway({
      [SNAPSHOT]: [json(200, answer)],
      ...found,
      ...ONE_OF_DB,
      ...TWO_OF_LOG,
    });
    expect(await clientOf(fake).snapshotVolumes(ASKED, soon())).toEqual([ONE, TWO]);
    expect(taken(fake)).toBe(1);
  });

  test('a lost answer is met by looking, and by asking again where none is there', async () => {
    const fake = await fakeGateway({ [SNAPSHOT]: [cut, TAKEN], ...names({}) });
    expect(await clientOf(fake).snapshotVolumes(ASKED, soon())).toEqual([ONE, TWO]);
    expect(fake.calls).toEqual([SNAPSHOT, FIND, FIND, SNAPSHOT]);
  });

  test('after a lost answer some without the others are neither success nor taken again', async () => {
    const fake = await fakeGateway({ [SNAPSHOT]: [cut], ...names({ '~db': ONE }), ...ONE_OF_DB });
    const error = await rejection(clientOf(fake).snapshotVolumes(ASKED, soon()));
    expect(error).toBeInstanceOf(GatewayUnavailableError);
    expect(error.message).toContain('of 2 snapshots 1 are there');
    expect(taken(fake)).toBe(1);
  });

  test.each<[string, Record<string, Answer>, Partial<CopyRequest>]>([
    ['of another volume', { [of(TWO)]: json(200, snapshot(TWO, '~log', DB)) }, {}],
    [
      'that is no snapshot',
      { [of(TWO)]: json(200, { ...snapshot(TWO, '~log', LOG), ancestorVolumeId: null }) },
      {},
    ],
    [
      'of another moment',
      { [of(TWO)]: json(200, snapshot(TWO, '~log', LOG, { consistencyGroupId: 'hh' })) },
      {},
    ],
    ['that was seen before', TWO_OF_LOG, { known: new Set([TWO]) }],
  ])('after a lost answer a volume of the name %s is not ours', async (_what, other, more) => {
    const found = names({ '~db': ONE, '~log': TWO });
    const fake = await fakeGateway({ [SNAPSHOT]: [cut], ...found, ...ONE_OF_DB, ...other });
    const error = await rejection(clientOf(fake).snapshotVolumes({ ...ASKED, ...more }, soon()));
    expect(error).toMatchObject({ code: 'GATEWAY_REJECTED', refusal: 'name-in-use' });
    expect(taken(fake)).toBe(1);
  });

  test('a name that is taken is in use under any number', async () => {
    const moved = refusal(4711, 'words that no table has');
    const fake = await fakeGateway({ [SNAPSHOT]: moved, ...names({ '~log': TWO }) });
    const gateway = clientOf(fake);
    expect(await rejection(gateway.snapshotVolumes(ASKED, soon()))).toMatchObject({ refusal: 'name-in-use' });
    fake.on(FIND, refusal(3, 'Not found'));
    expect(await rejection(gateway.snapshotVolumes(ASKED, soon()))).toMatchObject({ arrayCode: 4711 });
  });

  test.each([181, 182])('a full family is full: %d, bare and in the details', async (rc) => {
    const details = [{ error: 'WORDS', rc, errorMessage: 'words' }];
    const bulk = { message: 'Error with details', httpStatusCode: 500, errorCode: 0, details };
    for (const answer of [refusal(rc, 'words'), json(500, bulk)]) {
      const fake = await fakeGateway({ [SNAPSHOT]: [answer] });
      expect(await rejection(clientOf(fake).snapshotVolumes(ASKED, soon()))).toMatchObject({
        refusal: 'family-full',
        retryable: false,
      });
    }
  });
});

describe('the content of another', () => {
  const NEW_CALL = action(DB, 'overwriteVolumeContent');
  const OLD_CALL = action(DB, 'revertSnapshot');

  test.each([
    ['2.6', OLD_CALL, { volumeId: ONE, revertMode: 'copy' }],
    ['3.6', NEW_CALL, { srcVolumeId: ONE }],
    ['4.5', NEW_CALL, { srcVolumeId: ONE }],
  ])('on %s is one request, and again when the answer is lost', async (version, route, body) => {
    const there = { [of(DB)]: json(200, snapshot(DB, 'db', LOG)) };
    const fake = await fakeGateway({ [route]: [cut, cut, json(200, {})], ...there }, { version });
    await clientOf(fake).overwriteContent(DB, ONE, soon());
    expect(fake.calls).toEqual([route, of(DB), route, of(DB), route]);
    const sent = fake.seen.filter((seen) => seen.route === route);
    expect(sent.map((seen) => JSON.parse(seen.body) as unknown)).toEqual([body, body, body]);
  });

  test('is given up when all answers are lost', async () => {
    const there = { [of(DB)]: json(200, snapshot(DB, 'db', LOG)) };
    const fake = await fakeGateway({ [NEW_CALL]: cut, ...there }, { version: '3.6' });
    expect(await rejection(clientOf(fake).overwriteContent(DB, ONE, soon()))).toBeInstanceOf(
      GatewayUnavailableError,
    );
    expect(fake.calls.filter((call) => call === NEW_CALL)).toHaveLength(5);
  });

  const target = (more: object): object => ({ ...snapshot(DB, '~t', LOG), ...more });
  test.each([
    ['a target that is gone', [snapshot(ONE, '~s', DB)], { refusal: 'volume-unknown' }],
    ['a source that is gone', [target({})], { refusal: 'volume-unknown' }],
    ['another family', [target({ vtreeId: 'other' }), snapshot(ONE, '~s', DB)], { refusal: 'other-family' }],
    [
      'a secured target',
      [target({ secureSnapshotExpTime: 4_000_000_000 }), snapshot(ONE, '~s', DB)],
      { refusal: 'locked' },
    ],
    ['nothing of this', [target({}), snapshot(ONE, '~s', DB)], { refusal: 'other', arrayCode: 4711 }],
  ])('a refusal is judged by what the array shows: %s', async (_what, found, expected) => {
    const fake = await fakeGateway(
      { [NEW_CALL]: [refusal(4711, 'words that no table has')], [SELECTED]: json(200, found) },
      { version: '3.6' },
    );
    expect(await rejection(clientOf(fake).overwriteContent(DB, ONE, soon()))).toMatchObject(expected);
  });
});

describe('removing', () => {
  const REMOVE = action(DB, 'removeVolume');
  test.each([
    ['a secured snapshot', { secureSnapshotExpTime: 4_000_000_000 }, 'locked', '2096-10-02'],
    ["a policy's source", { snplIdOfSourceVolume: '15ae842800000004' }, 'policy-source', 'policy'],
    ['a plain one', {}, 'other', 'words'],
  ])('%s, refused in words that no table has', async (_what, more, meaning, said) => {
    const fake = await fakeGateway({
      [REMOVE]: [refusal(4711, 'words that no table has')],
      [of(DB)]: json(200, { ...snapshot(DB, 'x', LOG), ...more }),
    });
    const error = await rejection(clientOf(fake).removeVolume(DB, soon()));
    expect(error).toMatchObject({ refusal: meaning });
    expect(error.message).toContain(said);
  });
});

describe('the limit of a family', () => {
  const entries = (...list: object[]): Answer => json(200, { systemLimitEntryList: list });
  test.each([
    ['what the array says', entries({ type: 'snapshotsPerVtree', maxVal: '1022', minVal: '0' }), 1022],
    ['one less than its volumes', entries({ type: 'volumePerVtree', maxVal: '127' }), 126],
    ['the usual where it says nothing of it', entries({ type: 'volumes', maxVal: '131072' }), 126],
    ['the usual where that is no number', entries({ type: 'snapshotsPerVtree', maxVal: 'Unlimited' }), 126],
    ['the usual where it does not know the call', refusal(0, 'not a valid action', 404), 126],
    ['the usual where it refuses', refusal(0, 'no', 400), 126],
  ])('is %s, asked once', async (_what, answer, limit) => {
    const fake = await fakeGateway({ [LIMITS]: [answer] }, { version: '3.6' });
    const gateway = clientOf(fake);
    expect(await gateway.familyLimit(soon())).toBe(limit);
    expect(await gateway.familyLimit(soon())).toBe(limit);
    expect(fake.calls).toEqual([LIMITS]);
  });

  test('before 3.0 the usual is 31', async () => {
    const fake = await fakeGateway({ [LIMITS]: [refusal(0, 'not a valid action', 404)] }, { version: '2.6' });
    expect(await clientOf(fake).familyLimit(soon())).toBe(31);
  });
});

test('what cannot be is said before anything is sent', async () => {
  const fake = await fakeGateway({}, { version: '2.6' });
  const gateway = clientOf(fake);
  for (const request of [
    { ...ASKED, copies: [] },
    { ...ASKED, copies: [...ASKED.copies, { volumeId: DB, name: asArrayName('~log') }] },
    { ...ASKED, secureForMinutes: 0 },
    { ...ASKED, secureForMinutes: 44_641 },
    { ...ASKED, secureForMinutes: 60 },
  ])
    expect(await rejection(gateway.snapshotVolumes(request, soon()))).toBeInstanceOf(InvalidRequestError);
  expect(fake.calls).toEqual([]);
});
