import { setImmediate as breathe } from 'node:timers/promises';
import type { SimulatedArray } from './array.ts';
import { createVolume } from '../mdm/volumes.ts';
import { refusal } from '../mdm/failures.ts';

/** Volumes are made so many at a time, each batch one change of the state. */
const BATCH = 1000;

export interface SeedRequest {
  readonly count: number;
  readonly prefix?: string | undefined;
  readonly poolId?: string | undefined;
  readonly sizeGiB?: number | undefined;
}

/** Makes many thin volumes without data, the array's limit on their number aside, and gives their ids. */
export async function seedVolumes(array: SimulatedArray, request: SeedRequest): Promise<string[]> {
  const [first] = array.cluster.state.pools.values();
  const poolId = request.poolId ?? first?.id;
  if (poolId === undefined) throw refusal('STORAGE_POOL_NOT_FOUND');
  const ids: string[] = [];
  while (ids.length < request.count) {
    const made = await array.perform((cluster) => {
      const limits = { ...cluster.limits, volumes: Number.POSITIVE_INFINITY };
      const size = Math.min(BATCH, request.count - ids.length);
      return Array.from({ length: size }, (_, position) => {
        const name = `${request.prefix ?? 'seed-'}${ids.length + position + 1}`;
        const sizeKiB = (request.sizeGiB ?? 8) * 1024 * 1024;
        return createVolume({ ...cluster, limits }, { name, sizeKiB, poolId, type: 'ThinProvisioned' }).id;
      });
    });
    ids.push(...made);
    await breathe();
  }
  return ids;
}
