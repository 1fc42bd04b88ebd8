import { describe, expect, test } from 'vitest';
import { simulate, versions, type GatewayClient, type Json } from './gateway-client.ts';

/* Statistics in bulk: one property that the array does not know makes the whole call fail, so the lists of clients must be there whole. */

/** Of StoragePoolConstants in PyPowerFlex, besides what devices.test.ts and the sums of capacity are asked for. */
const poolProperties = `
  backgroundScanFixedReadErrorCount netFglUncompressedDataSizeInKb BackgroundScannedInMB maxUserDataCapacityInKb
  persistentChecksumBuilderProgress rfcacheReadsSkippedAlignedSizeTooLarge rfcacheWritesSkippedHeavyLoad userDataSdcReadLatency
  numOfDeviceAtFaultRebuilds persistentChecksumCapacityInKb rfcacheIosOutstanding backgroundScanFixedCompareErrorCount
  volMigrationWriteBwc fglUserDataCapacityInKb pendingMovingInEnterProtectedMaintenanceModeJobs aggregateCompressionLevel
  targetOtherLatency pendingMovingOutExitProtectedMaintenanceModeJobs volMigrationReadBwc netCapacityInUseNoOverheadInKb
  rfcacheReadsSkippedInternalError pendingMovingInExitProtectedMaintenanceModeJobs rfcacheReadsSkippedLowResources
  rplJournalCapAllowed userDataSdcTrimLatency activeMovingInEnterProtectedMaintenanceModeJobs rfcacheWritesSkippedInternalError
  rfcacheWritesSkippedCacheMiss fglSparesInKb numOfMigratingVolumes rfcacheWriteMiss migratingVtreeIds rfacheReadHit
  compressedDataCompressionRatio rplUsedJournalCap totalFglMigrationSizeInKb logWrittenBlocksInKb
  enterProtectedMaintenanceModeReadBwc numOfReplicationJournalVolumes rfcacheReadsSkippedLockIos netProvisionedAddressesInKb
  trimmedUserDataCapacityInKb provisionedAddressesInKb rmPendingThickInKb netFglUserDataCapacityInKb metadataOverheadInKb
  rplTotalJournalCap netMetadataOverheadInKb rfcacheReadsFromCache activeMovingOutEnterProtectedMaintenanceModeJobs
  enterProtectedMaintenanceModeCapacityInKb fglUncompressedDataSizeInKb fglCompressedDataSizeInKb rfcacheAvgReadTime
  pendingMovingOutEnterProtectedMaintenanceModeJobs mgUserDdataCcapacityInKb netMgUserDataCapacityInKb rfcacheWritesReceived
  netTrimmedUserDataCapacityInKb numOfMarkedVolumesForReplication targetWriteLatency
  pendingExitProtectedMaintenanceModeCapacityInKb rfcacheIosSkipped exitProtectedMaintenanceModeReadBwc netFglSparesInKb
  rfcacheReadsSkipped activeExitProtectedMaintenanceModeCapacityInKb activeMovingOutExitProtectedMaintenanceModeJobs
  currentFglMigrationSizeInKb rfcacheWritesSkippedMaxIoSize netMaxUserDataCapacityInKb numOfMigratingVtrees rfacheWriteHit
  rfcacheSourceDeviceWrites enterProtectedMaintenanceModeWriteBwc rfcacheIoErrors inaccessibleCapacityInKb
  rfcacheReadsSkippedMaxIoSize activeMovingInExitProtectedMaintenanceModeJobs rfcacheWritesSkippedStuckIo
  netFglCompressedDataSizeInKb userDataSdcWriteLatency backgroundScanReadErrorCount migratingVolumeIds
  rfcacheWritesSkippedLowResources exitProtectedMaintenanceModeWriteBwc rfcacheSkippedUnlinedWrite numOfOutgoingMigrations
  rfcacheAvgWriteTime rfcacheSourceDeviceReads rfcacheReadsPending rfcacheReadsSkippedHeavyLoad rfcacheReadMiss targetReadLatency
  activeEnterProtectedMaintenanceModeCapacityInKb backgroundScanCompareErrorCount rfcacheReadsReceived spSdsIds
  pendingEnterProtectedMaintenanceModeCapacityInKb vtreeAddresSpaceInKb rfcacheReadsSkippedStuckIo rfcacheWritePending
  userDataTrimBwc numOfIncomingVtreeMigrations thinCapacityAllocatedInKm thinCapacityAllocatedInKb thinUserDataCapacityInKb
`
  .trim()
  .split(/\s+/);

/** Of VolumeConstants in PyPowerFlex. */
const volumeProperties = `
  rplUsedJournalCap replicationState numOfChildVolumes userDataWriteBwc rplTotalJournalCap initiatorSdcId userDataSdcReadLatency
  userDataSdcTrimLatency mappedSdcIds registrationKey registrationKeys descendantVolumeIds numOfMappedSdcs reservationType
  userDataReadBwc numOfDescendantVolumes replicationJournalVolume userDataTrimBwc childVolumeIds userDataSdcWriteLatency
`
  .trim()
  .split(/\s+/);

/** Of pools of 2.x in a capture [delfin], besides what 3.x has as well. */
const oldPoolProperties = [
  ...[
    'BackgroundScannedInMB',
    'BackgroundScanCompareCount',
    'fixedReadErrorCount',
    'rfacheReadHit',
    'rfcacheReadMiss',
  ],
  ...[
    'rfcacheWritesSkippedStuckIo',
    'atRestCapacityInKb',
    'thinCapacityAllocatedInKb',
    'thinCapacityAllocatedInKm',
  ],
];

async function selected(client: GatewayClient, type: string, properties: readonly string[]) {
  const body = { allIds: '', properties };
  const reply = await client.post(`/api/types/${type}/instances/action/querySelectedStatistics`, body);
  return {
    status: reply.status,
    text: reply.text,
    objects: Object.values((reply.body ?? {}) as Record<string, Json>),
  };
}

describe.each(['3.6', '4.5'] as const)('in bulk, version %s', (version) => {
  test('[PyPowerFlex constants.py] every property that it asks of pools', async () => {
    const { client } = await simulate({ version });
    const { status, text, objects } = await selected(client, 'StoragePool', poolProperties);
    expect({ status, text }).toMatchObject({ status: 200 });
    expect(Object.keys(objects[0] ?? {})).toEqual(poolProperties);
  });

  test('[PyPowerFlex constants.py] every property that it asks of volumes', async () => {
    const { client } = await simulate({ version });
    await client.createVolume();
    const { status, objects } = await selected(client, 'Volume', volumeProperties);
    expect(status).toBe(200);
    expect(objects).toMatchObject([{ replicationJournalVolume: false }]);
  });

  test('what adds up still does: two spellings of one figure, net and raw, counters as objects', async () => {
    const { client } = await simulate({ version });
    await client.createVolume();
    const { objects } = await selected(client, 'StoragePool', poolProperties);
    const [pool] = objects;
    expect(pool).toMatchObject({
      thinCapacityAllocatedInKb: 16_777_216,
      thinCapacityAllocatedInKm: 16_777_216,
      volMigrationReadBwc: { numSeconds: 0, totalWeightInKb: 0, numOccured: 0 },
      targetReadLatency: { numSeconds: 0, totalWeightInKb: 0, numOccured: 0 },
      aggregateCompressionLevel: 'Uncompressed',
      rfcacheReadMiss: 0,
    });
  });
});

test('[delfin] what pools of 2.x have', async () => {
  const { client } = await simulate({ version: '2.6' });
  const { status, text } = await selected(client, 'StoragePool', oldPoolProperties);
  expect({ status, text }).toMatchObject({ status: 200 });
});

test.each(versions)('[cinder] thin allocation in either spelling, version %s', async (version) => {
  const { client } = await simulate({ version });
  for (const property of ['thinCapacityAllocatedInKb', 'thinCapacityAllocatedInKm']) {
    expect((await selected(client, 'StoragePool', [property])).status).toBe(200);
  }
  expect((await selected(client, 'StoragePool', ['nonsense'])).status).not.toBe(200);
});

test('[ansible] what is no sum is none over two pools either', async () => {
  const { client } = await simulate({ domains: [{ name: 'pd1', pools: [{ name: 'a' }, { name: 'b' }] }] });
  await client.createVolume();
  const properties = ['compressionRatio', 'persistentChecksumBuilderProgress', 'maxUserDataCapacityInKb'];
  const pools = (await selected(client, 'StoragePool', properties)).objects;
  const rooms = pools.map((pool) => Number(pool['maxUserDataCapacityInKb']));
  const ofAll = { compressionRatio: 1, persistentChecksumBuilderProgress: 100 };
  expect(pools).toMatchObject([ofAll, ofAll]);
  const [domain] = (await selected(client, 'ProtectionDomain', properties)).objects;
  expect(domain).toEqual({ ...ofAll, maxUserDataCapacityInKb: rooms.reduce((sum, room) => sum + room, 0) });
});
