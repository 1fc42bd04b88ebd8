import { expect, test } from 'vitest';
import {
  sdcSchema,
  snapshotSchema,
  systemSchema,
  understand,
  volumeSchema,
} from '../../../src/gateway/objects/schemas.ts';

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
    storagePoolId: '4daaa55e00000000',
    vtreeId: '657e289500000009',
    ancestorId: null,
    createdAtSeconds: 1623335880,
    accessModeLimit: 'ReadWrite',
    mappings: [],
    mappedToAllSdcs: false,
  });
});

test('a 2.x volume, with numbers and booleans as strings, is understood', () => {
  const old = { ...CAPTURE, accessModeLimit: undefined };
  const mapping = { sdcId: 'aa', sdcIp: '10.0.0.1', limitIops: '11', limitBwInMbps: '2' };
  const wire = {
    ...old,
    sizeInKb: '8388608',
    volumeType: 'ThickProvisioned',
    mappingToAllSdcsEnabled: 'TRUE',
    mappedSdcInfo: [mapping],
  };
  expect(understand(volumeSchema, wire)).toMatchObject({
    sizeKiB: 8388608,
    kind: 'thick',
    accessModeLimit: 'ReadWrite',
    mappedToAllSdcs: true,
    mappings: [
      {
        sdcId: 'aa',
        sdcName: null,
        sdcIp: '10.0.0.1',
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
  expect(understand(volumeSchema, { ...CAPTURE, mappedSdcInfo }).mappings).toEqual([]);
});

test('whoever holds the volume is a holder, also an NVMe host without SDC id', () => {
  const mappedSdcInfo = [{ sdcId: null, hostId: 'bb', hostType: 'NVMeHost', nqn: 'nqn.x' }, { sdcId: null }];
  const { mappings } = understand(volumeSchema, { ...CAPTURE, mappedSdcInfo });
  expect(mappings.map(({ sdcId }) => sdcId)).toEqual(['bb', 'unknown']);
});

test('an unknown access mode counts as writing', () => {
  const mappedSdcInfo = [{ sdcId: 'aa', accessMode: 'Exotic' }];
  const volume = understand(volumeSchema, { ...CAPTURE, mappedSdcInfo, accessModeLimit: 'Exotic' });
  expect([volume.accessModeLimit, volume.mappings[0]?.accessMode]).toEqual(['ReadWrite', 'ReadWrite']);
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
  expect(understand(sdcSchema, wire)).toEqual({
    id: 'aa',
    name: null,
    guid: '7E012974-3651-4DCB-9954-25975A3C3CDF',
    ip: null,
    approved: false,
    state: 'disconnected',
    osType: null,
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
  expect(understand(sdcSchema, { id: 'aa', mdmConnectionState })).toMatchObject({ state });
});

test('systems and snapshots', () => {
  expect(understand(systemSchema, { id: 'aa' })).toEqual({ id: 'aa', name: null });
  expect(understand(snapshotSchema, { volumeIdList: ['aa'], snapshotGroupId: 'bb' })).toBe('aa');
  expect(() => understand(snapshotSchema, { volumeIdList: [] })).toThrow('answer cannot be understood');
});
