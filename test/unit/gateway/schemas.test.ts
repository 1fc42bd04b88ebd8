import { expect, test } from 'vitest';
import { hostSchema, systemSchema, volumeSchema } from '../../../src/gateway/objects/schemas.ts';
import { understand } from '../../../src/gateway/wire/fields.ts';

/** Captured shape of 3.5 ([CloudStack] test). */
const CAPTURE = {
  storagePoolId: '4daaa55e00000000',
  dataLayout: 'MediumGranularity',
  vtreeId: '657e289500000009',
  sizeInKb: 8388608,
  snplIdOfAutoSnapshot: null,
  volumeType: 'ThinProvisioned',
  consistencyGroupId: null,
  ancestorVolumeId: null,
  accessModeLimit: 'ReadWrite',
  useRmcache: false,
  mappedSdcInfo: null,
  creationTime: 1623335880,
  name: 'testvolume',
  id: 'c948d0b10000000a',
  links: [{ rel: 'self', href: '/api/instances/Volume::c948d0b10000000a' }],
};

test('a captured volume is understood, without what nobody reads', () => {
  expect(understand(volumeSchema, CAPTURE)).toEqual({
    id: 'c948d0b10000000a',
    name: 'testvolume',
    sizeKiB: 8388608,
    kind: 'thin',
    poolId: '4daaa55e00000000',
    familyId: '657e289500000009',
    ancestorId: null,
    createdAtSeconds: 1623335880,
    accessModeLimit: 'ReadWrite',
    groupId: null,
    secureUntilSeconds: null,
    policyId: null,
    madeByPolicy: false,
    attachments: [],
    attachedToAll: false,
  });
});

test('a 2.x volume, with numbers and booleans as strings, is understood', () => {
  const old = { ...CAPTURE, accessModeLimit: undefined };
  const attachment = { sdcId: 'aa', sdcIp: '10.0.0.1', limitIops: '11', limitBwInMbps: '2' };
  const wire = {
    ...old,
    sizeInKb: '8388608',
    volumeType: 'ThickProvisioned',
    mappingToAllSdcsEnabled: 'TRUE',
    mappedSdcInfo: [attachment],
  };
  expect(understand(volumeSchema, wire)).toMatchObject({
    sizeKiB: 8388608,
    kind: 'thick',
    accessModeLimit: 'ReadWrite',
    attachedToAll: true,
    attachments: [
      {
        hostId: 'aa',
        hostKind: 'sdc',
        hostName: null,
        hostAddress: '10.0.0.1',
        accessMode: 'ReadWrite',
        limitIops: 11,
        limitBandwidthKiBps: 2048,
      },
    ],
  });
});

test.each([
  ['empty list', []],
  ['null', null],
  ['left out', undefined],
])('mappings as %s mean none', (_what, mappedSdcInfo) => {
  expect(understand(volumeSchema, { ...CAPTURE, mappedSdcInfo }).attachments).toEqual([]);
});

test('whoever holds the volume is a holder, also an NVMe host without SDC id', () => {
  const mappedSdcInfo = [{ sdcId: null, hostId: 'bb', hostType: 'NVMeHost', nqn: 'nqn.x' }, { sdcId: null }];
  const { attachments } = understand(volumeSchema, { ...CAPTURE, mappedSdcInfo });
  expect(attachments.map(({ hostId }) => hostId)).toEqual(['bb', 'unknown']);
});

test('an unknown access mode counts as writing', () => {
  const mappedSdcInfo = [{ sdcId: 'aa', accessMode: 'Exotic' }];
  const volume = understand(volumeSchema, { ...CAPTURE, mappedSdcInfo, accessModeLimit: 'Exotic' });
  expect([volume.accessModeLimit, volume.attachments[0]?.accessMode]).toEqual(['ReadWrite', 'ReadWrite']);
});

test('a snapshot has an ancestor, an unnamed volume the name null', () => {
  const wire = { ...CAPTURE, volumeType: 'Snapshot', ancestorVolumeId: 'cdd883cf00000002', name: '' };
  expect(understand(volumeSchema, wire)).toMatchObject({
    kind: 'snapshot',
    ancestorId: 'cdd883cf00000002',
    name: null,
  });
});

test('what is missing is named, without the value', () => {
  const wire = { ...CAPTURE, sizeInKb: undefined };
  expect(() => understand(volumeSchema, wire)).toThrow(/^answer cannot be understood at sizeInKb/);
  expect(() => understand(volumeSchema, 'S3cret')).toThrow(/its top level(?!.*S3cret)/);
});

test('an SDC that never connected has no address; its GUID is upper-case', () => {
  const wire = {
    id: 'aa',
    name: null,
    sdcGuid: '7e012974-3651-4dcb-9954-25975a3c3cdf',
    sdcIp: 'N/A',
    sdcApproved: 'false',
    mdmConnectionState: 'Disconnected',
  };
  expect(understand(hostSchema, wire)).toEqual({
    id: 'aa',
    name: null,
    guid: '7E012974-3651-4DCB-9954-25975A3C3CDF',
    kind: 'sdc',
    address: null,
    addresses: [],
    approvedAddresses: [],
    isApproved: false,
    state: 'disconnected',
    osType: null,
    version: null,
  });
});

test.each([
  ['Connected', 'connected'],
  ['Disconnected', 'disconnected'],
  [null, 'unknown'],
  [undefined, 'unknown'],
  ['', 'unknown'],
  ['Exotic', 'unknown'],
])('rule 16: mdmConnectionState %s is %s', (mdmConnectionState, state) => {
  expect(understand(hostSchema, { id: 'aa', mdmConnectionState })).toMatchObject({ state });
});

test('systems', () => {
  expect(understand(systemSchema, { id: 'aa' })).toEqual({ id: 'aa', name: null });
});

test.each([
  [{}, {}],
  [{ secureSnapshotExpTime: 0 }, {}],
  [{ secureSnapshotExpTime: '1700000000' }, { secureUntilSeconds: 1_700_000_000 }],
  [{ snplIdOfSourceVolume: '0000000000000000', snplIdOfAutoSnapshot: '0000000000000000' }, {}],
  [{ snplIdOfSourceVolume: '15ae842800000004' }, { policyId: '15ae842800000004' }],
  [{ snplIdOfAutoSnapshot: '15ae842800000004' }, { madeByPolicy: true }],
  [{ consistencyGroupId: '22f1e80c00000001' }, { groupId: '22f1e80c00000001' }],
])('what a volume says of copies and policies: %j', (wire, said) => {
  const { groupId, secureUntilSeconds, policyId, madeByPolicy } = understand(volumeSchema, {
    ...CAPTURE,
    ...wire,
  });
  const nothing = { groupId: null, secureUntilSeconds: null, policyId: null, madeByPolicy: false };
  expect({ groupId, secureUntilSeconds, policyId, madeByPolicy }).toEqual({ ...nothing, ...said });
});

/** Captured shape of 2.6 ([csi-powerflex] fixture). */
const SDC = {
  id: 'd0f055a700000000',
  name: null,
  sdcGuid: '7e012974-3651-4DCB-9954-25975A3C3CDF',
  sdcIp: '127.1.1.10',
  sdcApproved: true,
  mdmConnectionState: 'Disconnected',
  osType: 'Linux',
  installedSoftwareVersionInfo: 'R2_0.14000.0',
  softwareVersionInfo: null,
  versionInfo: null,
};

test('a host that is no SDC is a holder, and told apart', () => {
  const mappedSdcInfo = [
    { sdcId: 'aa', hostType: 'SdcHost', nqn: null },
    { sdcId: 'bb', hostType: 'NVMeHost', nqn: 'nqn.x' },
    { sdcId: null, hostId: 'cc' },
    {},
  ];
  const { attachments } = understand(volumeSchema, { ...CAPTURE, mappedSdcInfo });
  expect(attachments.map(({ hostId, hostKind }) => [hostId, hostKind])).toEqual([
    ['aa', 'sdc'],
    ['bb', 'nvme'],
    ['cc', 'nvme'],
    ['unknown', 'nvme'],
  ]);
});

test('a snapshot is one by its type or by its ancestor; the limit to reading shows', () => {
  const read = (wire: object) => understand(volumeSchema, { ...CAPTURE, ...wire });
  expect(read({ volumeType: 'Snapshot' }).kind).toBe('snapshot');
  expect(read({ ancestorVolumeId: 'dd' }).kind).toBe('snapshot');
  expect(read({ accessModeLimit: 'ReadOnly' }).accessModeLimit).toBe('ReadOnly');
});

test('a captured SDC is read, its GUID upper-case; while it is away its installed version is known', () => {
  expect(understand(hostSchema, SDC)).toEqual({
    id: 'd0f055a700000000',
    guid: '7E012974-3651-4DCB-9954-25975A3C3CDF',
    name: null,
    kind: 'sdc',
    address: '127.1.1.10',
    addresses: ['127.1.1.10'],
    approvedAddresses: [],
    state: 'disconnected',
    isApproved: true,
    osType: 'Linux',
    version: 'R2_0.14000.0',
  });
});

test('an SDC without address, GUID or approval is read', () => {
  const wire = { id: 'aa', sdcIp: 'N/A', mdmConnectionState: 'Connected', versionInfo: 'R3_6.0.0' };
  expect(understand(hostSchema, wire)).toEqual({
    id: 'aa',
    guid: null,
    name: null,
    kind: 'sdc',
    address: null,
    addresses: [],
    approvedAddresses: [],
    state: 'connected',
    isApproved: true,
    osType: null,
    version: 'R3_6.0.0',
  });
  expect(understand(hostSchema, { ...SDC, sdcApproved: 'false' }).isApproved).toBe(false);
});
