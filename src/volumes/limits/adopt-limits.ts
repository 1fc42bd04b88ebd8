import { isPluginError } from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { limitedVolume, type HostVolume } from '../host-volume.ts';
import type { VolumeLock } from '../life/volume-lock.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import { limitsOf, sameLimits, type VolumeLimits } from './limits.ts';
import { changeOwnLabel } from './own-label.ts';

type Host = Pick<VolumeHost, 'array' | 'attacher' | 'filesystems' | 'journal' | 'log'>;

/**
 * Writes limits that somebody has set at the array, on attachments of this host, into the volumes' labels, so that they hold on every later
 * host. Only what differs from the limits that this host itself has put on this attachment was set by somebody (rule 13). `mapped`: volumes
 * that the array has attached here. No call while nothing differs. Never rejects but for what is no PluginError.
 */
export async function adoptLimits(
  host: Host,
  lock: VolumeLock,
  { mapped, me }: { readonly mapped: readonly ArrayVolume[]; readonly me: HostIdentity },
  signal: AbortSignal,
): Promise<void> {
  for (const volume of mapped) {
    const entry = host.journal.all().find(({ volumeId }) => volumeId === volume.id);
    if (entry === undefined || setByOthers(entry, volume, me) === undefined) continue;
    if (lock.holders().some(({ name }) => name === entry.name)) continue;
    try {
      await lock.run(entry.name, 'taking over limits', signal, () => adopt(host, entry.name, me, signal));
    } catch (cause) {
      if (!isPluginError(cause)) throw cause;
      host.log.warn(
        { volume: entry.name, error: cause.message },
        'limits that were set at the array are not in the label yet; trying again',
      );
    }
  }
}

/** The list may be older than what this host has done since, so the volume is read again. */
async function adopt(host: Host, name: string, me: HostIdentity, signal: AbortSignal): Promise<void> {
  const { array, journal, log } = host;
  const entry = journal.get(name);
  if (entry?.phase !== 'mounted') return;
  const volume = await array.getVolume(entry.volumeId, signal);
  if (volume === undefined || volume.accessModeLimit !== 'ReadWrite') return;
  const limits = setByOthers(entry, volume, me);
  if (limits === undefined) return;
  await changeOwnLabel(host, entry, (label) => ({ ...label, ...limits }), signal);
  await journal.put(limitedVolume(entry, limits));
  log.info(
    { volume: name, ...limits, before: entry.limits },
    'limits that were set at the array hold on every host from now on',
  );
}

/** Undefined: nobody has set any since this host did. */
function setByOthers(entry: HostVolume, volume: ArrayVolume, me: HostIdentity): VolumeLimits | undefined {
  const attachment = volume.attachments.find(({ hostId }) => hostId === me.hostId);
  if (entry.phase !== 'mounted' || entry.limits === undefined || attachment?.hostKind !== 'sdc')
    return undefined;
  const limits = limitsOf(attachment);
  return sameLimits(limits, entry.limits) ? undefined : limits;
}
