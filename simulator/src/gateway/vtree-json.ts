import { since, type Cluster } from '../mdm/cluster.ts';
import { refusal } from '../mdm/failures.ts';
import { linksOf } from './links.ts';

/** A VTree: a volume with its snapshots. It exists as long as one of them does. */
export function vtreeJson(cluster: Cluster, id: string): object {
  const { volumes, volumesByVtree, pools } = cluster.state;
  const members = volumes.many(volumesByVtree.ids(id));
  const bases = members.filter((volume) => volume.ancestorId === null);
  const roots = bases.map((volume) => volume.id);
  const poolId = members[0]?.poolId;
  if (poolId === undefined) throw refusal('INVALID_VTREE_ID');
  const dataLayout = pools.get(poolId)?.dataLayout;
  return {
    id,
    name: bases[0]?.name ?? null,
    storagePoolId: poolId,
    baseVolumeId: roots[0] ?? null,
    ...(since(cluster, '3.0')
      ? {
          compressionMethod: members[0]?.compressionMethod,
          dataLayout,
          rootVolumes: roots,
          inDeletion: false,
          vtreeMigrationInfo: {
            migrationStatus: 'NotInMigration',
            sourceStoragePoolId: null,
            destinationStoragePoolId: null,
            migrationQueuePosition: null,
            migrationPauseReason: null,
            thicknessConversionType: 'NoConversion',
          },
        }
      : {}),
    links: linksOf('VTree', id, {
      relationships: ['Statistics', 'Volume'],
      parents: { storagePoolId: `StoragePool::${poolId}` },
    }),
  };
}
