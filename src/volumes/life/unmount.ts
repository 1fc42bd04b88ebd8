import { isPluginError } from '../../errors.ts';
import { isAttached, withoutClaimant, type AttachedVolume, type Claimant } from '../host-volume.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { releaseVolume } from './release.ts';

/**
 * Takes one claim off a volume; with the last one the volume leaves this host. Unknown volume or claimant is success, also without a
 * gateway (rule 7): what cannot be done now is in the journal for the reconciler. Call with the volume's lock held. True when something
 * was released, or is left to be. Rejects as the journal does.
 */
export async function unmountVolume(
  host: VolumeHost,
  { name, claimant }: { readonly name: VolumeName; readonly claimant: Claimant },
  signal: AbortSignal,
): Promise<boolean> {
  const entry = host.journal.get(name);
  if (entry === undefined || !isAttached(entry)) return false;
  const left = withoutClaimant(entry, claimant);
  if (left.holders.length === 0) {
    await release(host, left, signal);
    return true;
  }
  if (left.holders.length < entry.holders.length) await host.journal.put(left);
  return false;
}

/**
 * Takes one claim off and leaves the volume where it is, for who may want it next; the reconciler releases it when nobody comes. Call
 * with the volume's lock held. False when there was no such claim.
 */
export async function dropClaim(host: VolumeHost, name: VolumeName, claimant: Claimant): Promise<boolean> {
  const entry = host.journal.get(name);
  if (entry === undefined || !isAttached(entry) || !entry.holders.includes(claimant)) return false;
  await host.journal.put(withoutClaimant(entry, claimant));
  return true;
}

async function release(host: VolumeHost, entry: AttachedVolume, signal: AbortSignal): Promise<void> {
  try {
    const outcome = await releaseVolume(host, entry, signal);
    if (outcome === 'held')
      host.log.info({ volume: entry.name }, 'still in use by the kernel; releasing later');
  } catch (cause) {
    if (!isPluginError(cause)) throw cause;
    host.log.warn({ volume: entry.name, error: cause.message }, 'not released now; trying again later');
  }
}
