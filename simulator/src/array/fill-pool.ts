import { capacityOf } from '../mdm/capacity.ts';
import { changePool, poolById } from '../mdm/pools.ts';
import type { SimulatedArray } from './array.ts';

/** Makes a pool look used to so many percent of what is not spare, and gives the KiB that took. */
export async function fillPool(array: SimulatedArray, poolId: string, percent: number): Promise<number> {
  await array.measure();
  return array.perform((cluster) => {
    changePool(cluster, poolId, { fillKiB: 0 });
    const capacity = capacityOf(cluster, poolById(cluster, poolId));
    const room = capacity.limitKiB - capacity.spareKiB;
    const fillKiB = Math.max(0, Math.ceil((room * percent) / 100) - capacity.usedKiB);
    changePool(cluster, poolId, { fillKiB });
    return fillKiB;
  });
}
