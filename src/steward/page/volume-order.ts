import type { IoWatch } from './io-watch.ts';
import type { ArrayView, Holder, SeenVolume } from './array-view.ts';
import type { VolumeOrder } from './page-data.ts';

export const VOLUME_ORDERS = [
  'trouble',
  'name',
  'io',
  'size',
  'newest',
] as const satisfies readonly VolumeOrder[];

/** The array has lost this host. */
export function isLost({ hostId }: Holder, { hosts }: ArrayView): boolean {
  return hosts.get(hostId)?.state === 'disconnected';
}

/** Somebody may be waiting for this volume: a host that has it has lost the array. */
export function isAtRisk({ holders }: SeenVolume, sighting: ArrayView): boolean {
  return holders.some((holder) => isLost(holder, sighting));
}

/** In that order; those that are alike in it stay as they are, which is by name. */
export function inOrder(
  volumes: readonly SeenVolume[],
  order: VolumeOrder,
  { sighting, io }: { readonly sighting: ArrayView; readonly io: Pick<IoWatch, 'nowOf'> },
): readonly SeenVolume[] {
  if (order === 'name') return volumes;
  const rankOf: Record<typeof order, (volume: SeenVolume) => number> = {
    trouble: (volume) => Number(isAtRisk(volume, sighting)),
    io: ({ id }) => io.nowOf(id)?.iops ?? -1,
    size: ({ sizeKiB }) => sizeKiB,
    newest: ({ createdAtSeconds }) => createdAtSeconds ?? -1,
  };
  const rank = rankOf[order];
  return volumes
    .map((volume) => ({ volume, rank: rank(volume) }))
    .sort((one, other) => other.rank - one.rank)
    .map(({ volume }) => volume);
}
