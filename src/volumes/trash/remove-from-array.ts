import { GatewayRejectedError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';

/**
 * Removes the volume alone. Where a policy of the array takes snapshots of it, it is taken off that one first, and its snapshots stay.
 * Rejects as StorageArray.removeVolume otherwise.
 */
export async function removeFromArray(
  array: Pick<StorageArray, 'removeVolume' | 'getVolume' | 'removePolicySource'>,
  { id }: Pick<ArrayVolume, 'id'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await array.removeVolume(id, signal);
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'policy-source') throw cause;
    const now = await array.getVolume(id, signal);
    if (now === undefined) return;
    if (now.policyId === null) throw cause;
    await array.removePolicySource(now.policyId, id, signal);
    await array.removeVolume(id, signal);
  }
}
