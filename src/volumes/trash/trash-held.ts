import type { PoolId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { formatSize } from '../../units/size.ts';

/** How much of a pool the trash holds. */
export interface TrashHeld {
  readonly volumes: number;
  /** As volumes have it, KiB; thin ones may use less, and snapshots that stay go on using theirs. */
  readonly sizeKiB: number;
}

/** What of the trash lies in the pool. */
export function heldIn(trash: readonly Pick<ArrayVolume, 'poolId' | 'sizeKiB'>[], poolId: PoolId): TrashHeld {
  const inPool = trash.filter((one) => one.poolId === poolId);
  return { volumes: inPool.length, sizeKiB: inPool.reduce((sum, { sizeKiB }) => sum + sizeKiB, 0) };
}

/** For people: "3 removed volumes of 48 GiB in all". */
export function heldWords({ volumes, sizeKiB }: TrashHeld): string {
  return `${volumes} removed ${volumes === 1 ? 'volume' : 'volumes'} of ${formatSize(sizeKiB)}${volumes === 1 ? '' : ' in all'}`;
}
