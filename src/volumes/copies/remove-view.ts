import { GatewayRejectedError, isPluginError } from '../../errors.ts';
import type { VolumeId } from '../../array/ids.ts';
import type { VolumeHost } from '../volume-host.ts';
import { isViewOf } from './view-names.ts';

/**
 * Removes a view that this host has let go of, unless another has it. Two calls. Never rejects: what stays is removed by whoever sees it
 * unused, a host or the steward.
 */
export async function removeUnusedView(
  { array, log, policy }: Pick<VolumeHost, 'array' | 'log' | 'policy'>,
  id: VolumeId,
  signal: AbortSignal,
): Promise<void> {
  try {
    const view = await array.getVolume(id, signal);
    if (view === undefined || !isViewOf(policy.prefix, view)) return;
    if (view.attachedToAll || view.attachments.length > 0) return;
    await array.removeVolume(id, signal);
  } catch (cause) {
    if (!isPluginError(cause)) throw cause;
    const isWanted = cause instanceof GatewayRejectedError && cause.refusal === 'still-attached';
    if (!isWanted) log.warn({ volumeId: id, error: cause.message }, 'view of a snapshot not removed now');
  }
}
