import type { Cluster } from './cluster.ts';
import { compressionIn, type CompressionMethod } from './compression.ts';
import { refusal } from './failures.ts';
import { poolById } from './pools.ts';
import type { VolumeRecord } from './records.ts';
import { volumeById } from './volumes.ts';

export interface Migration {
  readonly poolId: string;
  readonly conversion: 'NoConversion' | 'ThickToThin' | 'ThinToThick';
  /** Undefined takes what the new pool has for it. */
  readonly compressionMethod?: CompressionMethod | undefined;
}

/** Moves a volume with all its snapshots to another pool; here it has arrived when the call returns. */
export function migrateVtree(cluster: Cluster, volumeId: string, migration: Migration): void {
  const volume = volumeById(cluster, volumeId);
  const pool = poolById(cluster, migration.poolId);
  if (pool.id === volume.poolId) throw refusal('VTREE_MIGRATE_SAME_SP');
  const compressionMethod = compressionIn(cluster, pool, migration.compressionMethod);
  const { volumes, volumesByVtree } = cluster.state;
  for (const member of volumes.many(volumesByVtree.ids(volume.vtreeId))) {
    const type = convertedType(member, migration);
    if (type === 'ThickProvisioned' && pool.dataLayout === 'FineGranularity') throw refusal('THICK_ON_FG');
    volumes.put({ ...member, poolId: pool.id, type, compressionMethod });
  }
}

function convertedType(volume: VolumeRecord, { conversion }: Migration): VolumeRecord['type'] {
  if (volume.type === 'Snapshot' || conversion === 'NoConversion') return volume.type;
  return conversion === 'ThickToThin' ? 'ThinProvisioned' : 'ThickProvisioned';
}
