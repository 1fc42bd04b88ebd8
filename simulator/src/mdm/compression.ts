import { since, type Cluster } from './cluster.ts';
import { refusal } from './failures.ts';
import type { PoolRecord } from './records.ts';

/** What requests may say; only the second compresses. */
export const COMPRESSION_METHODS = ['None', 'Normal', 'Invalid'] as const;
export type CompressionMethod = (typeof COMPRESSION_METHODS)[number];

/**
 * What a volume of this pool shows for what was asked for: on medium granularity there is nothing to choose [ansible
 * volume.py, cinder mocks]. Throws where compression is asked for and the pool's layout has none [codes].
 */
export function compressionIn(
  cluster: Pick<Cluster, 'version'>,
  pool: Pick<PoolRecord, 'dataLayout'>,
  asked: CompressionMethod | undefined,
): string {
  if (pool.dataLayout === 'FineGranularity') return asked === 'Normal' ? 'Normal' : 'None';
  if (asked === 'Normal') throw refusal('COMPRESSION_NEEDS_FG');
  return since(cluster, '4.0') ? 'NotApplicable' : 'Invalid';
}
