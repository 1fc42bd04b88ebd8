import { expect, test } from 'vitest';
import { sdcReadingSchema, volumeReadingSchema } from '../../../src/gateway/objects/inventory-schemas.ts';
import { understand } from '../../../src/gateway/objects/schemas.ts';

/** Captured shape of 3.5 ([CloudStack] test). */
const VOLUME = {
  storagePoolId: '4daaa55e00000000',
  vtreeId: '657e289500000009',
  sizeInKb: 8388608,
  volumeType: 'ThinProvisioned',
  ancestorVolumeId: null,
  accessModeLimit: 'ReadWrite',
  mappedSdcInfo: null,
  creationTime: 1623335880,
  name: 'testvolume',
  id: 'c948d0b10000000a',
  links: [],
};

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

test('a captured volume is read', () => {
  expect(understand(volumeReadingSchema, VOLUME)).toEqual({
    id: 'c948d0b10000000a',
    name: 'testvolume',
    poolId: '4daaa55e00000000',
    vtreeId: '657e289500000009',
    sizeKiB: 8388608,
    createdAt: 1623335880,
    isReadOnly: false,
    isSnapshot: false,
    isMappedToAll: false,
    mappings: [],
  });
});

test('numbers and booleans as strings are read, and what an old array leaves out is null or no', () => {
  const wire = {
    id: 'aa',
    storagePoolId: 'bb',
    sizeInKb: '8388608',
    mappingToAllSdcsEnabled: 'TRUE',
    mappedSdcInfo: [{ sdcId: 'cc', sdcIp: 'N/A', limitIops: '11', limitBwInMbps: '2' }],
  };
  expect(understand(volumeReadingSchema, wire)).toEqual({
    id: 'aa',
    name: null,
    poolId: 'bb',
    vtreeId: null,
    sizeKiB: 8388608,
    createdAt: null,
    isReadOnly: false,
    isSnapshot: false,
    isMappedToAll: true,
    mappings: [{ sdcId: 'cc', isSdc: true, sdcIp: null, limitIops: 11, limitBwKiBs: 2048 }],
  });
});

test('a host that is no SDC is a holder, and told apart', () => {
  const mappedSdcInfo = [
    { sdcId: 'aa', hostType: 'SdcHost', nqn: null },
    { sdcId: 'bb', hostType: 'NVMeHost', nqn: 'nqn.x' },
    { sdcId: null, hostId: 'cc' },
    {},
  ];
  const { mappings } = understand(volumeReadingSchema, { ...VOLUME, mappedSdcInfo });
  expect(mappings.map(({ sdcId, isSdc }) => [sdcId, isSdc])).toEqual([
    ['aa', true],
    ['bb', false],
    ['cc', false],
    ['unknown', false],
  ]);
});

test('a snapshot is one by its type or by its ancestor; the limit to reading shows', () => {
  const read = (wire: object) => understand(volumeReadingSchema, { ...VOLUME, ...wire });
  expect(read({ volumeType: 'Snapshot' }).isSnapshot).toBe(true);
  expect(read({ ancestorVolumeId: 'dd' }).isSnapshot).toBe(true);
  expect(read({ accessModeLimit: 'ReadOnly' }).isReadOnly).toBe(true);
});

test('a captured SDC is read, its GUID upper-case; while it is away its installed version is known', () => {
  expect(understand(sdcReadingSchema, SDC)).toEqual({
    id: 'd0f055a700000000',
    guid: '7E012974-3651-4DCB-9954-25975A3C3CDF',
    name: null,
    ip: '127.1.1.10',
    isConnected: false,
    isApproved: true,
    version: 'R2_0.14000.0',
  });
});

test('an SDC without address, GUID or approval is read', () => {
  const wire = { id: 'aa', sdcIp: 'N/A', mdmConnectionState: 'Connected', versionInfo: 'R3_6.0.0' };
  expect(understand(sdcReadingSchema, wire)).toEqual({
    id: 'aa',
    guid: null,
    name: null,
    ip: null,
    isConnected: true,
    isApproved: true,
    version: 'R3_6.0.0',
  });
  expect(understand(sdcReadingSchema, { ...SDC, sdcApproved: 'false' }).isApproved).toBe(false);
});

test('what is missing is named', () => {
  expect(() => understand(volumeReadingSchema, { ...VOLUME, sizeInKb: undefined })).toThrow(/at sizeInKb/);
  expect(() => understand(sdcReadingSchema, { ...SDC, id: '' })).toThrow(/at id/);
});
