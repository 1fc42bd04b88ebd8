import { describe, expect, test } from 'vitest';
import {
  CancelledError,
  GatewayRejectedError,
  GatewayUnavailableError,
  InvalidRequestError,
} from '../../../src/errors.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import type { ArrayName, HostId, PoolId, VolumeId } from '../../../src/array/ids.ts';
import type { NewVolume } from '../../../src/array/volume.ts';
import {
  clientOf,
  cut,
  fakeGateway,
  html,
  json,
  refusal,
  rejection,
  silence,
  soon,
  type Answer,
  type FakeGateway,
  type Seen,
} from './fake-gateway.ts';

const GRAIN = 8 * 1024 * 1024;
const ID = 'aa' as VolumeId;
const SDC = 'cc' as HostId;
const NAME = 'docker-db' as ArrayName;
const NEW: NewVolume = {
  name: NAME,
  sizeKiB: 10 * 1024 * 1024,
  pool: { id: 'sp' as PoolId, name: 'sp1', domainId: 'pd', domainName: 'pd1', zeroPadding: true },
  provisioning: 'thin',
};
const MADE = {
  id: 'aa',
  name: NAME,
  sizeInKb: 2 * GRAIN,
  storagePoolId: 'sp',
  vtreeId: 'vt',
  volumeType: 'ThinProvisioned',
};
const mapped = (...sdcs: string[]): object => ({
  ...MADE,
  mappedSdcInfo: sdcs.map((hostId) => ({ sdcId: hostId })),
});

/** The id of a snapshot. */
const TAKEN = 'c948d0b10000000a';

const GET = 'GET /api/instances/Volume::aa';
const FIND = 'POST /api/types/Volume/instances/action/queryIdByKey';
const SNAPSHOT = 'POST /api/instances/System/action/snapshotVolumes';
const action = (name: string): string => `POST /api/instances/Volume::aa/action/${name}`;

const NOT_FOUND = refusal(3, 'Not found');
const GONE = refusal(79, 'Could not find the volume');
const OK = json(200, {});

interface Case {
  readonly name: string;
  readonly route: string;
  readonly run: (gateway: Gateway, signal: AbortSignal) => Promise<unknown>;
  readonly success: Answer;
  readonly result: unknown;
  /** What a look finds when it has happened, and when it has not. */
  readonly done: Record<string, Answer>;
  readonly undone: Record<string, Answer>;
  /** How the array refuses what our own lost first attempt did already. */
  readonly again: Answer;
}

const CASES: Case[] = [
  {
    name: 'create',
    route: 'POST /api/types/Volume/instances',
    run: (gateway, signal) => gateway.createVolume(NEW, signal),
    success: json(200, { id: 'aa' }),
    result: 'aa',
    done: { [FIND]: json(200, 'aa'), [GET]: json(200, MADE) },
    undone: { [FIND]: NOT_FOUND },
    again: refusal(99, 'Volume name already in use. Please use a different name.'),
  },
  {
    name: 'map',
    route: action('addMappedSdc'),
    run: (gateway, signal) => gateway.attachVolume({ volumeId: ID, hostId: SDC, readOnly: false }, signal),
    success: OK,
    result: undefined,
    done: { [GET]: json(200, mapped('cc')) },
    undone: { [GET]: json(200, mapped()) },
    again: refusal(81, 'The volume is already mapped to this SDC'),
  },
  {
    name: 'unmap',
    route: action('removeMappedSdc'),
    run: (gateway, signal) => gateway.detachVolume(ID, SDC, signal),
    success: OK,
    result: undefined,
    done: { [GET]: json(200, mapped('dd')) },
    undone: { [GET]: json(200, mapped('cc')) },
    again: refusal(84, 'The volume is not mapped to SDC'),
  },
  {
    name: 'rename',
    route: action('setVolumeName'),
    run: (gateway, signal) => gateway.renameVolume(ID, NAME, signal),
    success: OK,
    result: undefined,
    done: { [GET]: json(200, MADE) },
    undone: { [GET]: json(200, { ...MADE, name: 'provisional' }) },
    again: refusal(99, 'Volume name already in use. Please use a different name.'),
  },
  {
    name: 'remove',
    route: action('removeVolume'),
    run: (gateway, signal) => gateway.removeVolume(ID, signal),
    success: OK,
    result: undefined,
    done: { [GET]: GONE },
    undone: { [GET]: json(200, MADE) },
    again: GONE,
  },
  {
    name: 'snapshot',
    route: SNAPSHOT,
    run: (gateway, signal) => gateway.snapshotVolume('bb' as VolumeId, NAME, signal),
    success: json(200, { volumeIdList: [TAKEN], snapshotGroupId: 'gg' }),
    result: TAKEN,
    done: {
      [FIND]: json(200, TAKEN),
      [`GET /api/instances/Volume::${TAKEN}`]: json(200, {
        ...MADE,
        id: TAKEN,
        volumeType: 'Snapshot',
        ancestorVolumeId: 'bb',
      }),
    },
    undone: { [FIND]: GONE },
    again: refusal(99, 'Volume name already in use. Please use a different name.'),
  },
  {
    name: 'grow',
    route: action('setVolumeSize'),
    run: (gateway, signal) => gateway.growVolume(ID, 2 * GRAIN, signal),
    success: OK,
    result: undefined,
    done: { [GET]: json(200, MADE) },
    undone: { [GET]: json(200, { ...MADE, sizeInKb: GRAIN }) },
    again: refusal(133, 'Volume capacity can only be increased'),
  },
];

const LOST: [string, Answer][] = [
  ['cut off', cut],
  ['never given', silence],
  ['a 502 page', html(502)],
  ['a 504 page', html(504)],
  ['a page with status 200', html(200)],
  ['"Communication error" of the MDM', refusal(69, 'Communication error')],
  ['"A timeout occurred" of the MDM', refusal(68, 'A timeout occurred')],
];

function bodyOf(seen: Seen | undefined): unknown {
  return JSON.parse(seen?.body ?? '');
}

function bodiesOf(fake: FakeGateway, route: string): unknown[] {
  return fake.seen.filter((seen) => seen.route === route).map(bodyOf);
}

function changesOf(fake: FakeGateway, route: string): number {
  return fake.calls.filter((call) => call === route).length;
}

describe.each(CASES)('$name', ({ route, run, success, result, done, undone, again }) => {
  test('is one call', async () => {
    const fake = await fakeGateway({ [route]: [success] });
    expect(await run(clientOf(fake), soon())).toEqual(result);
    expect(fake.calls).toEqual([route]);
  });

  test.each(LOST)('happened, but its answer was %s: is seen, not repeated', async (_how, lost) => {
    const fake = await fakeGateway({ [route]: [lost], ...done });
    const options = lost === silence ? { requestTimeoutMs: 150 } : {};
    expect(await run(clientOf(fake, options), soon())).toEqual(result);
    expect(changesOf(fake, route)).toBe(1);
  });

  test('did not happen and its answer was lost: is looked for, then repeated', async () => {
    const fake = await fakeGateway({ [route]: [cut, success], ...undone });
    expect(await run(clientOf(fake), soon())).toEqual(result);
    expect(fake.calls).toEqual([route, ...Object.keys(undone), route]);
  });

  test('happened after we had looked: the refusal of the repetition is not believed', async () => {
    const fake = await fakeGateway({ [route]: [cut, again], ...undone });
    const answered = fake.count(route);
    expect(answered).toBe(0);
    for (const [look, answer] of Object.entries(undone))
      fake.on(look, [answer, ...(done[look] === undefined ? [] : [done[look]])]);
    for (const [look, answer] of Object.entries(done)) if (!(look in undone)) fake.on(look, answer);
    expect(await run(clientOf(fake), soon())).toEqual(result);
    expect(changesOf(fake, route)).toBe(2);
  });

  test('"The system is busy" is waited out', async () => {
    const busy = refusal(164, 'The system is busy. Retry later');
    const fake = await fakeGateway({ [route]: [busy, busy, success] });
    expect(await run(clientOf(fake), soon())).toEqual(result);
    expect(fake.calls).toEqual([route, route, route]);
  });

  test('answers always lost: gives up after some tries and says so', async () => {
    const fake = await fakeGateway({ [route]: cut, ...undone });
    const error = await rejection(run(clientOf(fake), soon()));
    expect(error).toBeInstanceOf(GatewayUnavailableError);
    expect(error.message).toContain('connection cut');
    expect(changesOf(fake, route)).toBe(5);
  });

  test('looking fails too: says that it may have happened', async () => {
    const fake = await fakeGateway({ [route]: [cut] });
    for (const look of Object.keys(undone)) fake.on(look, html(503));
    const error = await rejection(run(clientOf(fake), soon()));
    expect(error).toBeInstanceOf(GatewayUnavailableError);
    expect(error.message).toContain('or see whether it happened');
    expect(changesOf(fake, route)).toBe(1);
  });

  test('the signal ends it at once', async () => {
    const fake = await fakeGateway({ [route]: silence });
    const leaving = new AbortController();
    const running = run(clientOf(fake), leaving.signal);
    await expect.poll(() => fake.calls.length).toBe(1);
    leaving.abort();
    expect(await rejection(running)).toBeInstanceOf(CancelledError);
    expect(fake.calls).toEqual([route]);
  });
});

describe('create', () => {
  const route = 'POST /api/types/Volume/instances';

  test('a name that is taken is 99, at once', async () => {
    const fake = await fakeGateway({
      [route]: [refusal(99, 'Volume name already in use. Please use a different name.')],
    });
    const error = await rejection(clientOf(fake).createVolume(NEW, soon()));
    expect(error).toMatchObject({ code: 'GATEWAY_REJECTED', refusal: 'name-in-use', retryable: false });
  });

  test('a name that is taken is in use under any number; a free name is not', async () => {
    const moved = refusal(4711, 'words that no table has');
    const fake = await fakeGateway({ [route]: moved, [action('setVolumeName')]: moved });
    const gateway = clientOf(fake);
    fake.on(FIND, json(200, 'bb'));
    expect(await rejection(gateway.createVolume(NEW, soon()))).toMatchObject({ refusal: 'name-in-use' });
    expect(await rejection(gateway.renameVolume(ID, NAME, soon()))).toMatchObject({ refusal: 'name-in-use' });
    fake.on(FIND, NOT_FOUND);
    expect(await rejection(gateway.createVolume(NEW, soon()))).toMatchObject({ arrayCode: 4711 });
    expect(await rejection(gateway.renameVolume(ID, NAME, soon()))).toMatchObject({ arrayCode: 4711 });
  });

  test('after a lost answer, a volume that bears another name than was asked for proves nothing', async () => {
    const other = json(200, { ...MADE, name: 'docker-other' });
    const fake = await fakeGateway({ [route]: [cut], [FIND]: json(200, 'aa'), [GET]: other });
    const error = await rejection(clientOf(fake).createVolume(NEW, soon()));
    expect(error).toBeInstanceOf(GatewayUnavailableError);
    expect(error.message).toContain('"docker-other"');
    expect(changesOf(fake, route)).toBe(1);
  });

  test.each([
    ['size', { ...MADE, sizeInKb: 3 * GRAIN }],
    ['too small a size', { ...MADE, sizeInKb: GRAIN }],
    ['pool', { ...MADE, storagePoolId: 'other' }],
    ['provisioning', { ...MADE, volumeType: 'ThickProvisioned' }],
    ['mapping', mapped('dd')],
  ])("after a lost answer, a volume of another %s is another's", async (_what, found) => {
    const fake = await fakeGateway({ [route]: [cut], [FIND]: json(200, 'aa'), [GET]: json(200, found) });
    const error = await rejection(clientOf(fake).createVolume(NEW, soon()));
    expect(error).toMatchObject({ code: 'GATEWAY_REJECTED', refusal: 'name-in-use' });
  });

  test('numbers travel as strings', async () => {
    const fake = await fakeGateway({ [route]: [json(200, { id: 'aa' })] });
    await clientOf(fake).createVolume({ ...NEW, provisioning: 'thick' }, soon());
    expect(JSON.parse(fake.seen.at(-1)?.body ?? '')).toEqual({
      name: NAME,
      volumeSizeInKb: '10485760',
      storagePoolId: 'sp',
      protectionDomainId: 'pd',
      volumeType: 'ThickProvisioned',
    });
  });
});

describe('map', () => {
  const route = action('addMappedSdc');
  const request = { volumeId: ID, hostId: SDC, readOnly: false };
  const bodyOf = (fake: FakeGateway): unknown => JSON.parse(fake.seen.at(-1)?.body ?? '');

  test('rule 1: is exclusive, in so many words', async () => {
    const fake = await fakeGateway({ [route]: [OK] });
    await clientOf(fake).attachVolume(request, soon());
    expect(bodyOf(fake)).toEqual({ sdcId: 'cc', allowMultipleMappings: 'FALSE' });
  });

  test('for reading only: shared, and limited to reading', async () => {
    const fake = await fakeGateway({ [route]: [OK] }, { version: '3.0' });
    await clientOf(fake).attachVolume({ ...request, readOnly: true }, soon());
    expect(bodyOf(fake)).toEqual({ sdcId: 'cc', allowMultipleMappings: 'TRUE', accessMode: 'ReadOnly' });
  });

  test('rule 1: 2.x cannot limit a mapping to reading, so it is never shared', async () => {
    const fake = await fakeGateway({}, { version: '2.6' });
    const gateway = clientOf(fake);
    expect(await rejection(gateway.attachVolume({ ...request, readOnly: true }, soon()))).toBeInstanceOf(
      InvalidRequestError,
    );
    expect(await rejection(gateway.limitToReadOnly(ID, soon()))).toBeInstanceOf(InvalidRequestError);
    expect(fake.calls).toEqual([]);
  });

  test.each([
    [81, 'The volume is already mapped to this SDC'],
    [4037, 'some text of 4.x'],
    // Numbers moved with 4.x, so that any may come to mean anything.
    [999, 'words that no table has'],
    [168, 'words that no table has'],
    [97, 'words that no table has'],
  ])('%d: mapped to us already is success, and seen', async (code, text) => {
    const fake = await fakeGateway({ [route]: [refusal(code, text)], [GET]: json(200, mapped('cc')) });
    await clientOf(fake).attachVolume(request, soon());
    expect(fake.calls).toEqual([route, GET]);
  });

  test('"mapped to us already" of a volume that others have, or nobody, is not believed', async () => {
    const fake = await fakeGateway({ [route]: refusal(81, 'The volume is already mapped to this SDC') });
    fake.on('GET /api/instances/Sdc::cc', json(200, { id: 'cc' }));
    const gateway = clientOf(fake);
    fake.on(GET, json(200, MADE));
    expect(await rejection(gateway.attachVolume(request, soon()))).toMatchObject({ arrayCode: 81 });
    fake.on(GET, json(200, mapped('cc', 'dd')));
    expect(await rejection(gateway.attachVolume(request, soon()))).toMatchObject({
      refusal: 'held-by-another',
    });
  });

  test('a refusal of a volume that all SDCs have is held by another, also where it lists none, or us alone', async () => {
    const fake = await fakeGateway({ [route]: refusal(4711, 'words that no table has') });
    const gateway = clientOf(fake);
    for (const found of [MADE, mapped('cc')]) {
      fake.on(GET, json(200, { ...found, mappingToAllSdcsEnabled: true }));
      expect(await rejection(gateway.attachVolume(request, soon()))).toMatchObject({
        refusal: 'held-by-another',
      });
    }
  });

  test('an SDC that the array does not have is unknown, as is a volume that is gone, whatever the number', async () => {
    const fake = await fakeGateway({ [route]: refusal(4711, 'words that no table has') });
    fake.on('GET /api/instances/Sdc::cc', refusal(80, 'Could not find the SDC'));
    const gateway = clientOf(fake);
    fake.on(GET, json(200, MADE));
    expect(await rejection(gateway.attachVolume(request, soon()))).toMatchObject({ refusal: 'host-unknown' });
    fake.on(GET, GONE);
    expect(await rejection(gateway.attachVolume(request, soon()))).toMatchObject({
      refusal: 'volume-unknown',
    });
  });

  test.each([
    [306, 'Only a single SDC may be mapped to this volume at a time'],
    [0, 'This volume is already mapped and may not be mapped to additional SDCs.'],
    [4711, 'words that no table has'],
  ])('%d "%s" is held by another where another SDC has it', async (code, text) => {
    const fake = await fakeGateway({ [route]: [refusal(code, text)], [GET]: json(200, mapped('dd')) });
    expect(await rejection(clientOf(fake).attachVolume(request, soon()))).toMatchObject({
      refusal: 'held-by-another',
    });
  });

  test('"already mapped to a SDC" does not say which: looked at', async () => {
    const fake = await fakeGateway({ [route]: refusal(324, 'The volume is already mapped to a SDC') });
    const gateway = clientOf(fake);
    fake.on(GET, json(200, mapped('cc')));
    await gateway.attachVolume(request, soon());
    fake.on(GET, json(200, mapped('dd')));
    expect(await rejection(gateway.attachVolume(request, soon()))).toMatchObject({
      refusal: 'held-by-another',
    });
  });

  test('lost, and another SDC has it meanwhile: the refusal stands', async () => {
    const held = refusal(306, 'Only a single SDC may be mapped to this volume at a time');
    const fake = await fakeGateway({ [route]: [cut, held], [GET]: json(200, mapped('dd')) });
    expect(await rejection(clientOf(fake).attachVolume(request, soon()))).toMatchObject({
      refusal: 'held-by-another',
    });
  });
});

describe('unmap', () => {
  const route = action('removeMappedSdc');

  test('rule 2: takes it from this one SDC, touches no other and no SCSI initiator', async () => {
    const fake = await fakeGateway({ [route]: [OK] });
    await clientOf(fake).detachVolume(ID, SDC, soon());
    expect(JSON.parse(fake.seen.at(-1)?.body ?? '')).toEqual({ sdcId: 'cc' });
  });

  test.each([
    [84, 'The volume is not mapped to SDC'],
    [4039, 'some text of 4.x'],
    [79, 'Could not find the volume'],
    [4711, 'words that no table has'],
  ])('%d is success where the SDC has no mapping, and only there', async (code, text) => {
    const fake = await fakeGateway({ [route]: refusal(code, text) });
    const gateway = clientOf(fake);
    for (const answer of [GONE, json(200, MADE), json(200, mapped('dd'))]) {
      fake.on(GET, answer);
      await gateway.detachVolume(ID, SDC, soon());
    }
    fake.on(GET, json(200, mapped('dd', 'cc')));
    const error = await rejection(gateway.detachVolume(ID, SDC, soon()));
    expect(error).toBeInstanceOf(GatewayRejectedError);
    expect(fake.calls.slice(0, 2)).toEqual([route, GET]);
  });

  test('an SDC that the array does not know holds nothing, which is looked at', async () => {
    const fake = await fakeGateway({ [route]: refusal(80, 'Could not find the SDC') });
    const gateway = clientOf(fake);
    fake.on(GET, json(200, mapped('dd')));
    await gateway.detachVolume(ID, SDC, soon());
    fake.on(GET, json(200, mapped('cc')));
    expect(await rejection(gateway.detachVolume(ID, SDC, soon()))).toBeInstanceOf(GatewayRejectedError);
  });
});

describe('remove', () => {
  const route = action('removeVolume');

  test('removes the volume alone, and one that is gone is success', async () => {
    const fake = await fakeGateway({ [route]: [GONE], [GET]: GONE });
    await clientOf(fake).removeVolume(ID, soon());
    expect(JSON.parse(fake.seen.at(-2)?.body ?? '')).toEqual({ removeMode: 'ONLY_ME' });
  });

  test('"no such volume", "no such action" and the like are not believed while the volume can be read', async () => {
    const fake = await fakeGateway({ [GET]: json(200, MADE) });
    const gateway = clientOf(fake);
    for (const answer of [GONE, NOT_FOUND, refusal(0, 'Volume has no action removeVolume', 404)]) {
      fake.on(route, answer);
      expect(await rejection(gateway.removeVolume(ID, soon()))).toBeInstanceOf(GatewayRejectedError);
    }
  });

  test.each([104, 4711])('a mapped volume is still attached, called %d', async (code) => {
    const fake = await fakeGateway({ [route]: [refusal(code, 'words')], [GET]: json(200, mapped('dd')) });
    expect(await rejection(clientOf(fake).removeVolume(ID, soon()))).toMatchObject({
      refusal: 'still-attached',
    });
  });

  test('a removal under way is waited for', async () => {
    const underWay = refusal(212, 'A volume removal operation is currently in progress. ');
    const fake = await fakeGateway({ [route]: [underWay, underWay, GONE], [GET]: GONE });
    await clientOf(fake).removeVolume(ID, soon());
    expect(fake.calls).toEqual([route, route, route, GET]);
  });
});

describe('limits', () => {
  const route = action('setMappedSdcLimits');
  const target = { volumeId: ID, hostId: SDC };
  const limited = (limitIops: number, limitBwInMbps: number): Answer =>
    json(200, { ...MADE, mappedSdcInfo: [{ sdcId: 'cc', limitIops, limitBwInMbps }] });

  test('travel as strings, and are looked for when the answer is lost', async () => {
    const asked = { iops: 1000, bandwidthKiBps: 2048 };
    const fake = await fakeGateway({ [route]: [cut, OK], [GET]: limited(1000, 1) });
    await clientOf(fake).limitAttachment(target, asked, soon());
    expect(fake.calls).toEqual([route, GET, route]);
    expect(bodyOf(fake.seen.at(-1))).toEqual({
      sdcId: 'cc',
      iopsLimit: '1000',
      bandwidthLimitInKbps: '2048',
    });
    const there = await fakeGateway({ [route]: [cut], [GET]: limited(1000, 2) });
    await clientOf(there).limitAttachment(target, asked, soon());
    expect(there.calls).toEqual([route, GET]);
  });

  test('are lifted one after the other, since the gateway takes no request that lifts both', async () => {
    const fake = await fakeGateway({ [route]: [cut, OK, cut, OK], [GET]: limited(7, 7) });
    await clientOf(fake).limitAttachment(target, { iops: 0, bandwidthKiBps: 0 }, soon());
    expect(bodiesOf(fake, route)).toEqual([
      { sdcId: 'cc', iopsLimit: '0' },
      { sdcId: 'cc', iopsLimit: '0' },
      { sdcId: 'cc', bandwidthLimitInKbps: '0' },
      { sdcId: 'cc', bandwidthLimitInKbps: '0' },
    ]);
  });
});

test.each([
  [{}, []],
  [{ iops: 0 }, [{ sdcId: 'cc', iopsLimit: '0' }]],
  [{ bandwidthKiBps: 2048 }, [{ sdcId: 'cc', bandwidthLimitInKbps: '2048' }]],
])('a limit that is not named is not sent: %j', async (limits, bodies) => {
  const fake = await fakeGateway({ [action('setMappedSdcLimits')]: OK });
  await clientOf(fake).limitAttachment({ volumeId: ID, hostId: SDC }, limits, soon());
  expect(bodiesOf(fake, action('setMappedSdcLimits'))).toEqual(bodies);
});

test('a snapshot says its access mode where that is known', async () => {
  const answer = json(200, { volumeIdList: [TAKEN], snapshotGroupId: 'gg' });
  const bodies: unknown[] = [];
  for (const version of ['2.6', '3.6']) {
    const fake = await fakeGateway({ [SNAPSHOT]: [answer] }, { version });
    await clientOf(fake).snapshotVolume(ID, NAME, soon());
    bodies.push(bodyOf(fake.seen.at(-1)));
  }
  const snapshotDefs = [{ volumeId: 'aa', snapshotName: NAME }];
  expect(bodies).toEqual([{ snapshotDefs }, { snapshotDefs, accessModeLimit: 'ReadWrite' }]);
});
