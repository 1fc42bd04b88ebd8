import { expect, test } from 'vitest';
import { InvalidRequestError } from '../../../src/errors.ts';
import { asPolicyId, asVolumeId } from '../../../src/array/ids.ts';
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

const LIST = 'GET /api/types/SnapshotPolicy/instances';
const POLICY = asPolicyId('15ae842800000004');
const OTHER = '15ae842900000005';
const ID = asVolumeId('aaaa000000000001');
const GET = `GET /api/instances/Volume::${ID}`;
const ADD = `POST /api/instances/SnapshotPolicy::${POLICY}/action/addSourceVolumeToSnapshotPolicy`;
const REMOVE = `POST /api/instances/SnapshotPolicy::${POLICY}/action/removeSourceVolumeFromSnapshotPolicy`;
const STRANGE = refusal(4711, 'words that no table has');
const THIRD = { version: '3.6' };

/** Captured shape of 4.5 ([ansible] sample), shortened to what is read and a little more. */
const SAMPLE = {
  id: POLICY,
  name: 'Sample_snapshot_policy_1',
  autoSnapshotCreationCadenceInMin: 120,
  numOfRetainedSnapshotsPerLevel: [30, 10],
  maxVTreeAutoSnapshots: 40,
  snapshotAccessMode: 'ReadOnly',
  snapshotPolicyState: 'Active',
  secureSnapshots: false,
  timeOfLastAutoSnapshot: 0,
  nextAutoSnapshotCreationTime: 1_683_709_201,
};

const volume = (snplIdOfSourceVolume: string | null): Answer =>
  json(200, {
    id: ID,
    name: 'db',
    sizeInKb: 8_388_608,
    storagePoolId: 'sp',
    vtreeId: 'vt',
    volumeType: 'ThinProvisioned',
    snplIdOfSourceVolume,
  });

function bodiesOf(fake: FakeGateway, route: string): unknown[] {
  return fake.seen.filter((seen) => seen.route === route).map(({ body }) => JSON.parse(body) as unknown);
}

test('a captured policy is understood', async () => {
  const fake = await fakeGateway({ [LIST]: json(200, [SAMPLE]) }, THIRD);
  expect(await clientOf(fake).listSnapshotPolicies(soon())).toEqual([
    {
      id: POLICY,
      name: 'Sample_snapshot_policy_1',
      isActive: true,
      cadenceMinutes: 120,
      retained: [30, 10],
      access: 'ReadOnly',
      isSecure: false,
      lastTakenAtSeconds: null,
      nextAtSeconds: 1_683_709_201,
    },
  ]);
});

test.each(['Paused', 'RemovePending', 'Exotic', null, undefined])(
  'rule 16: nobody counts on a policy in state %s, and what is not said is null',
  async (snapshotPolicyState) => {
    const fake = await fakeGateway({ [LIST]: json(200, [{ id: POLICY, snapshotPolicyState }]) }, THIRD);
    expect(await clientOf(fake).listSnapshotPolicies(soon())).toEqual([
      {
        id: POLICY,
        name: null,
        isActive: false,
        cadenceMinutes: null,
        retained: [],
        access: null,
        isSecure: null,
        lastTakenAtSeconds: null,
        nextAtSeconds: null,
      },
    ]);
  },
);

test('a name that no policy has is refused with the nearest, or with what there is', async () => {
  const named = (...names: string[]): Answer =>
    json(
      200,
      names.map((name, index) => ({ ...SAMPLE, id: `15ae84280000000${index}`, name })),
    );
  const fake = await fakeGateway({ [LIST]: named('hourly', 'daily') }, THIRD);
  const gateway = clientOf(fake);
  expect((await gateway.findSnapshotPolicy('daily', soon())).name).toBe('daily');
  const refused = async (name: string): Promise<string> => {
    const error = await rejection(gateway.findSnapshotPolicy(name, soon()));
    expect(error).toBeInstanceOf(InvalidRequestError);
    return error.message;
  };
  expect(await refused('hourli')).toBe('no snapshot policy "hourli"; did you mean "hourly"?');
  expect(await refused('weekly-or-so')).toBe('no snapshot policy "weekly-or-so"; there is "daily", "hourly"');
  fake.on(LIST, named('a1', 'b1', 'c1', 'd1', 'e1', 'f1'));
  expect(await refused('weekly')).toContain('"e1" and 1 more');
  fake.on(LIST, named());
  expect(await refused('weekly')).toContain('the array has none');
});

test('a source is added; a lost answer is met by looking', async () => {
  const fake = await fakeGateway({ [ADD]: [cut, json(200, {}), cut], [GET]: volume(null) }, THIRD);
  const gateway = clientOf(fake);
  await gateway.addPolicySource(POLICY, ID, soon());
  expect(fake.calls).toEqual([ADD, GET, ADD]);
  expect(bodiesOf(fake, ADD)).toEqual([{ sourceVolumeId: ID }, { sourceVolumeId: ID }]);
  fake.on(GET, volume(POLICY));
  await gateway.addPolicySource(POLICY, ID, soon());
  expect(fake.calls).toEqual([ADD, GET, ADD, ADD, GET]);
});

test('what the policy took stays when its source is taken off: it is told to detach, never to remove', async () => {
  const fake = await fakeGateway({ [REMOVE]: [cut, json(200, {})], [GET]: volume(POLICY) }, THIRD);
  await clientOf(fake).removePolicySource(POLICY, ID, soon());
  const body = { sourceVolumeId: ID, autoSnapshotRemovalAction: 'Detach' };
  expect(bodiesOf(fake, REMOVE)).toEqual([body, body]);
});

test.each([
  ['it has this policy already', volume(POLICY), undefined],
  ['it has another', volume(OTHER), { refusal: 'family-has-source' }],
  ['it is gone', refusal(79, 'Could not find the volume'), { refusal: 'volume-unknown' }],
  ['nothing of this', volume(null), { refusal: 'other', arrayCode: 4711 }],
])('a refusal to add is judged by what the volume says: %s', async (_what, found, expected) => {
  const fake = await fakeGateway({ [ADD]: [STRANGE], [GET]: found }, THIRD);
  const adding = clientOf(fake).addPolicySource(POLICY, ID, soon());
  if (expected === undefined) await adding;
  else expect(await rejection(adding)).toMatchObject(expected);
});

test.each([
  ['it has none', volume(null), undefined],
  ['it has another', volume(OTHER), undefined],
  ['it is gone', refusal(79, 'Could not find the volume'), undefined],
  ['it still has it', volume(POLICY), { refusal: 'other', arrayCode: 4711 }],
])('a refusal to take off is judged by what the volume says: %s', async (_what, found, expected) => {
  const fake = await fakeGateway({ [REMOVE]: [STRANGE], [GET]: found }, THIRD);
  const removing = clientOf(fake).removePolicySource(POLICY, ID, soon());
  if (expected === undefined) await removing;
  else expect(await rejection(removing)).toMatchObject(expected);
});

test.each(['addPolicySource', 'removePolicySource'] as const)(
  'before 3.0 %s asks nothing',
  async (method) => {
    const fake = await fakeGateway({}, { version: '2.6' });
    const gateway = clientOf(fake);
    expect(await rejection(gateway[method](POLICY, ID, soon()))).toBeInstanceOf(InvalidRequestError);
    expect(await gateway.listSnapshotPolicies(soon())).toEqual([]);
    expect(fake.calls).toEqual([]);
  },
);
