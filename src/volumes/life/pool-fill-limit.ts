import { CapacityError, GatewayRejectedError } from '../../errors.ts';
import { formatSize } from '../../units/size.ts';
import { formatDuration } from '../../units/duration.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { StoragePool } from '../../array/pool.ts';
import type { VolumeName } from '../volume.ts';

/** Raw space counts two copies. */
const COPIES = 2;
const KIB_PER_GIB = 1024 ** 2;

/**
 * Rejects with CapacityError while the pool is fuller than the operator wants new volumes to find it. One call where a limit is
 * set, none otherwise. An array that does not say how full it is, is not taken for a full one: it has limits of its own.
 */
export async function assertBelowFillLimit(
  { array, policy, log }: Pick<VolumeHost, 'array' | 'policy' | 'log'>,
  name: VolumeName,
  pool: StoragePool,
  signal: AbortSignal,
): Promise<void> {
  const limit = policy.refuseAbovePercent;
  if (limit === undefined) return;
  const usage = await usageOf({ array, log }, pool, signal);
  if (usage === undefined || usage.roomKiB <= 0) return;
  const percent = (usage.usedKiB / usage.roomKiB) * 100;
  if (percent <= limit) return;
  const excessKiB = usage.usedKiB - (usage.roomKiB * limit) / 100;
  // Whole GiB, rounded up: less would not do.
  const tooMuch = formatSize(Math.ceil(excessKiB / COPIES / KIB_PER_GIB) * KIB_PER_GIB);
  throw new CapacityError(
    `creating volume "${name}" was refused: storage pool "${pool.name}" is ${percent.toFixed(1)} % full, and new volumes are refused ` +
      `above ${limit} % (SCALEIO_REFUSE_ABOVE) until ${tooMuch} are freed (remove or trim volumes) or devices are added${keptWords(policy.removeGraceMs)}`,
    { context: { pool: pool.name, usedPercent: percent, limitPercent: limit } },
  );
}

/** What a Remove alone does not free; how much that is takes a list of the whole array, for which nobody waits here. */
function keptWords(removeGraceMs: number): string {
  if (removeGraceMs === 0) return '';
  const grace = formatDuration(removeGraceMs);
  return `; what was removed in the last ${grace} still takes its space: "volume trash" lists it, and "volume trash erase" frees it`;
}

async function usageOf(
  { array, log }: Pick<VolumeHost, 'array' | 'log'>,
  pool: StoragePool,
  signal: AbortSignal,
): Promise<{ usedKiB: number; roomKiB: number } | undefined> {
  try {
    return await array.poolUsage(pool.id, signal);
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError)) throw cause;
    log.warn({ pool: pool.name, error: cause.message }, 'the array does not say how full the pool is');
    return undefined;
  }
}
