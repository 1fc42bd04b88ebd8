import type { Capacity } from '../mdm/capacity.ts';

/*
 * Statistics of pools about what the simulated array does not do, or does without effort: caches, scanner, migration, protected
 * maintenance, replication, fine granularity. They are there, at rest, because one unknown property fails a whole bulk query, and
 * clients ask for all of them [PyPowerFlex constants.py, ansible storagepool.py, delfin]. Misspelt names are the array's own.
 */

const BWC = { numSeconds: 0, totalWeightInKb: 0, numOccured: 0 };

function each<T>(names: string, value: T): Record<string, T> {
  return Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, value]),
  );
}

/** The cache on flash devices, which no pool has here. */
const flashCache = each(
  `rfacheReadHit rfacheWriteHit rfcacheAvgReadTime rfcacheAvgWriteTime rfcacheIoErrors rfcacheIosOutstanding
   rfcacheIosSkipped rfcacheReadMiss rfcacheReadsFromCache rfcacheReadsPending rfcacheReadsReceived rfcacheReadsSkipped
   rfcacheReadsSkippedAlignedSizeTooLarge rfcacheReadsSkippedHeavyLoad rfcacheReadsSkippedInternalError
   rfcacheReadsSkippedLockIos rfcacheReadsSkippedLowResources rfcacheReadsSkippedMaxIoSize rfcacheReadsSkippedStuckIo
   rfcacheSkippedUnlinedWrite rfcacheSourceDeviceReads rfcacheSourceDeviceWrites rfcacheWriteMiss rfcacheWritePending
   rfcacheWritesReceived rfcacheWritesSkippedCacheMiss rfcacheWritesSkippedHeavyLoad rfcacheWritesSkippedInternalError
   rfcacheWritesSkippedLowResources rfcacheWritesSkippedMaxIoSize rfcacheWritesSkippedStuckIo`,
  0,
);

/** Of every release. */
export const IDLE_FEATURES: Record<string, unknown> = { ...flashCache, BackgroundScannedInMB: 0 };

/** Of 2.x alone. */
export const IDLE_FEATURES_OF_2: Record<string, unknown> = {
  ...each('BackgroundScanCompareCount fixedReadErrorCount', 0),
};

const IDLE_SINCE_3: Record<string, unknown> = {
  ...each(
    `backgroundScanCompareErrorCount backgroundScanFixedCompareErrorCount backgroundScanFixedReadErrorCount
     backgroundScanReadErrorCount numOfDeviceAtFaultRebuilds persistentChecksumCapacityInKb inaccessibleCapacityInKb
     logWrittenBlocksInKb rmPendingThickInKb trimmedUserDataCapacityInKb netTrimmedUserDataCapacityInKb
     metadataOverheadInKb netMetadataOverheadInKb`,
    0,
  ),
  ...each(
    `enterProtectedMaintenanceModeCapacityInKb activeEnterProtectedMaintenanceModeCapacityInKb
     pendingEnterProtectedMaintenanceModeCapacityInKb exitProtectedMaintenanceModeCapacityInKb
     activeExitProtectedMaintenanceModeCapacityInKb pendingExitProtectedMaintenanceModeCapacityInKb
     activeMovingInEnterProtectedMaintenanceModeJobs pendingMovingInEnterProtectedMaintenanceModeJobs
     activeMovingOutEnterProtectedMaintenanceModeJobs pendingMovingOutEnterProtectedMaintenanceModeJobs
     activeMovingInExitProtectedMaintenanceModeJobs pendingMovingInExitProtectedMaintenanceModeJobs
     activeMovingOutExitProtectedMaintenanceModeJobs pendingMovingOutExitProtectedMaintenanceModeJobs`,
    0,
  ),
  ...each(
    `numOfMigratingVolumes numOfMigratingVtrees numOfIncomingVtreeMigrations numOfOutgoingMigrations
     numOfMarkedVolumesForReplication numOfReplicationJournalVolumes rplTotalJournalCap rplUsedJournalCap`,
    0,
  ),
  ...each(
    `fglSparesInKb netFglSparesInKb fglCompressedDataSizeInKb netFglCompressedDataSizeInKb currentFglMigrationSizeInKb
     totalFglMigrationSizeInKb compressedDataCompressionRatio`,
    0,
  ),
  ...each(
    `enterProtectedMaintenanceModeReadBwc enterProtectedMaintenanceModeWriteBwc exitProtectedMaintenanceModeReadBwc
     exitProtectedMaintenanceModeWriteBwc volMigrationReadBwc volMigrationWriteBwc userDataTrimBwc targetReadLatency
     targetWriteLatency targetOtherLatency userDataSdcReadLatency userDataSdcWriteLatency userDataSdcTrimLatency`,
    BWC,
  ),
  aggregateCompressionLevel: 'Uncompressed',
};

/** From 3.x: what is at rest, and the same capacities under the names that they have by layout [ansible sample]. */
export function featuresSince3(capacity: Capacity, dataLayout: string): Record<string, unknown> {
  const room = capacity.limitKiB - capacity.spareKiB;
  const fineKiB = dataLayout === 'FineGranularity' ? capacity.usedKiB : 0;
  const mediumKiB = capacity.usedKiB - fineKiB;
  return {
    ...IDLE_SINCE_3,
    maxUserDataCapacityInKb: room,
    netMaxUserDataCapacityInKb: room / 2,
    provisionedAddressesInKb: capacity.usedKiB,
    netProvisionedAddressesInKb: capacity.usedKiB / 2,
    vtreeAddresSpaceInKb: (capacity.thinAllocatedKiB + capacity.thickUsedKiB) / 2,
    mgUserDdataCcapacityInKb: mediumKiB,
    netMgUserDataCapacityInKb: mediumKiB / 2,
    fglUserDataCapacityInKb: fineKiB,
    netFglUserDataCapacityInKb: fineKiB / 2,
    fglUncompressedDataSizeInKb: fineKiB,
    netFglUncompressedDataSizeInKb: fineKiB / 2,
  };
}
