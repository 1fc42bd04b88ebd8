import type { PoolReading } from '../array/pool.ts';
import type { PoolId } from '../array/ids.ts';
import { heldWords, type TrashHeld } from '../volumes/trash/trash-held.ts';
import type { ClusterSpace, StorageArray } from '../array/storage-array.ts';
import { ok, problem, warning, type Finding } from './finding.ts';
import type { Check } from './run-checks.ts';

const NAME = 'storage pool';
const WARN_PERCENT = 80;
const PROBLEM_PERCENT = 95;

/** The pool that new volumes go to: how full, what the trash holds of it, and whether all data has two copies. */
export function poolCheck(
  array: Pick<StorageArray, 'findPool'> & { readonly capacity: Pick<ClusterSpace, 'readCluster'> },
  wanted: { readonly pool: string | undefined; readonly domain: string | undefined },
  trashOf: (poolId: PoolId, signal: AbortSignal) => Promise<TrashHeld>,
): Check {
  return {
    name: NAME,
    run: async (signal) => {
      const [pool, cluster] = await Promise.all([
        array.findPool(wanted, signal),
        array.capacity.readCluster(signal),
      ]);
      const reading = cluster.pools.find(({ id }) => id === pool.id);
      if (reading === undefined)
        return [problem(NAME, `the array says nothing about "${pool.name}"`, 'look at the array')];
      return [judgeFill(reading, await trashOf(pool.id, signal)), judgeHealth(reading)];
    },
  };
}

/** Use of what can be used, spare left out. */
export function judgeFill({ name, capacity }: PoolReading, trash: TrashHeld): Finding {
  const usable = capacity.limitKiB - capacity.spareKiB;
  const percent = usable <= 0 ? 100 : Math.round((capacity.usedKiB / usable) * 100);
  const held = trash.volumes === 0 ? '' : `, and the trash holds ${heldWords(trash)} of it`;
  const says = `"${name}" is ${percent} % full${held}`;
  const fix = 'add devices, remove volumes and snapshots, or erase what was removed ("volume trash")';
  if (percent >= PROBLEM_PERCENT) return problem(NAME, says, fix);
  return percent >= WARN_PERCENT ? warning(NAME, says, fix) : ok(NAME, says);
}

/** Copies that are missing. */
export function judgeHealth({ name, capacity }: PoolReading): Finding {
  const check = 'data of the pool';
  const { failedKiB, degradedKiB } = capacity;
  const gib = (kib: number): string => `${(kib / 1_048_576).toFixed(1)} GiB`;
  if (failedKiB > 0) {
    return problem(
      check,
      `${gib(failedKiB)} of "${name}" cannot be read`,
      'bring the failed servers and disks back',
    );
  }
  if (degradedKiB > 0) {
    return warning(
      check,
      `${gib(degradedKiB)} of "${name}" has one copy`,
      'look at the rebuild and at failed disks',
    );
  }
  return ok(check, 'two copies of everything');
}
