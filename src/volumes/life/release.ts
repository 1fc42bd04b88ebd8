import { FilesystemError, isPluginError } from '../../errors.ts';
import { removeUnusedView } from '../copies/remove-view.ts';
import { isViewName } from '../copies/view-names.ts';
import type { VolumeHost } from '../volume-host.ts';
import { releasingVolume, type AttachedVolume } from '../host-volume.ts';
import type { Device } from '../../attach/attacher.ts';

/**
 * released: nothing of the volume is left on this host. held: the kernel still uses it; the mapping stays (rule 5). frozen: its file
 * system is (fsfreeze -f), so it stays mounted, where it can be thawed. awaiting: it is
 * unmapped, but a request to map it got no answer and may still be carried out, so the entry stays. unproven: nothing here shows that
 * this host made the mapping, so it stays (rule 13).
 */
export type ReleaseOutcome = 'released' | 'held' | 'frozen' | 'awaiting' | 'unproven';

const POLL_MS = 20;
/** How long a file system that is to be released and looks frozen stays mounted. */
const THAW_LIMIT_MS = 600_000;

/**
 * Takes the volume off this host: unmount, wait for the kernel to let go, unmap, forget. What cannot be finished now is
 * left in the journal as 'releasing' for the reconciler, whether this resolves with anything but 'released' or rejects because the
 * array could not be reached. A mapping that was found here is left as it was, and only the entry goes. With `unused`
 * the caller knows that its device was never used here, and it is not looked at.
 */
export async function releaseVolume(
  host: VolumeHost,
  entry: AttachedVolume,
  signal: AbortSignal,
  { unused } = { unused: false },
): Promise<ReleaseOutcome> {
  if (entry.attachment === 'found') return leaveFound(host, entry, signal);
  const isRecorded = entry.phase === 'releasing' && entry.holders.length === 0;
  const [recorded, held] = await Promise.allSettled([
    isRecorded
      ? undefined
      : host.journal.put(releasingVolume(entry, new Date(host.clock.now()).toISOString())),
    unused ? undefined : takeDown(host, entry, signal),
  ]);
  if (held.status === 'rejected') throw held.reason;
  const outcome = held.value ?? (await unmap(host, entry, signal));
  // A full disk must not keep the volume from other hosts.
  if (recorded.status === 'rejected') {
    if (held.value === undefined) host.releasedUnrecorded.add(entry.volumeId);
    throw recorded.reason;
  }
  if (outcome === 'released') {
    if (isViewName(entry.arrayName)) await removeUnusedView(host, entry.volumeId, signal);
    await host.journal.delete(entry.name);
  }
  return outcome;
}

async function unmap(host: VolumeHost, entry: AttachedVolume, signal: AbortSignal): Promise<ReleaseOutcome> {
  const me = await host.identity.current(signal);
  if (!(await isProvenOurs(host, entry))) return 'unproven';
  await host.array.detachVolume(entry.volumeId, me.hostId, signal);
  return entry.attachment === 'intended' ? 'awaiting' : 'released';
}

/** What somebody else mapped here stays mapped, also when what was wanted with it failed (rule 13). */
async function leaveFound(
  host: VolumeHost,
  entry: AttachedVolume,
  signal: AbortSignal,
): Promise<ReleaseOutcome> {
  await host.filesystems.unmount(entry.mountpoint, { lazy: false }, signal);
  await host.journal.delete(entry.name);
  host.log.warn(
    { volume: entry.name, volumeId: entry.volumeId },
    'left mapped to this host, as it was found: this plugin did not map it',
  );
  return 'released';
}

/**
 * An entry of this boot was written by this host's plugin. One of an earlier boot may have come with a copied machine, so
 * there the device has to be here, and nothing may speak against this host's being who it says.
 */
async function isProvenOurs(host: VolumeHost, entry: AttachedVolume): Promise<boolean> {
  if (entry.earlierBoot !== true) return true;
  if (host.identity.doubt !== undefined) return false;
  return (await host.attacher.findDevice(entry.systemId, entry.volumeId)) !== undefined;
}

/** Unmounts; says what keeps the volume here all the same, undefined when nothing does. */
async function takeDown(
  host: VolumeHost,
  entry: AttachedVolume,
  signal: AbortSignal,
): Promise<'held' | 'frozen' | undefined> {
  const mounted = await deviceMountedAt(host, entry);
  if (mounted !== undefined && (await isToBeThawed(host, entry, { device: mounted, signal })))
    return 'frozen';
  try {
    await host.filesystems.unmount(entry.mountpoint, { lazy: false }, signal);
  } catch (cause) {
    if (!(cause instanceof FilesystemError)) throw cause;
    host.log.warn({ volume: entry.name, error: cause.message }, 'mountpoint is busy; releasing later');
    return 'held';
  }
  const linked = await host.attacher.findDevice(entry.systemId, entry.volumeId);
  const device = linked ?? mounted;
  return device !== undefined && (await staysHeld(host, device, signal)) ? 'held' : undefined;
}

/**
 * Unmounted it would stay frozen and held, and no path would be left to thaw it at. That it is frozen is only what it looks like, so
 * the volume is not kept from other hosts for that for ever.
 */
async function isToBeThawed(
  { filesystems, journal, log }: VolumeHost,
  { name, mountpoint, phase }: AttachedVolume,
  { device, signal }: { readonly device: Device; readonly signal: AbortSignal },
): Promise<boolean> {
  if (phase === 'releasing' && journal.ageMs(name) >= THAW_LIMIT_MS) return false;
  if (!(await filesystems.isFrozen(device, mountpoint, signal))) return false;
  log.warn(
    { volume: name, mountpoint },
    'its file system is frozen (fsfreeze -f); it is released once somebody has thawed it there with "fsfreeze -u"',
  );
  return true;
}

/** What the kernel says is mounted there: a link that udev lost must not make a used device look free. */
async function deviceMountedAt(host: VolumeHost, entry: AttachedVolume): Promise<Device | undefined> {
  const mounts = await host.filesystems.mounts();
  const mount = mounts.find(({ mountpoint }) => mountpoint === entry.mountpoint);
  if (mount === undefined) return undefined;
  return { path: mount.source, node: mount.source, number: mount.device, sizeBytes: 0 };
}

/** A container's mount namespace dies a little after its last process: give the kernel that moment. */
async function staysHeld(host: VolumeHost, device: Device, signal: AbortSignal): Promise<boolean> {
  const until = host.clock.elapsed() + host.policy.releaseWaitMs;
  while (await host.filesystems.isHeld(device)) {
    if (host.clock.elapsed() >= until) return true;
    await host.clock.sleep(POLL_MS, signal);
  }
  return false;
}

/**
 * Undoes a half-done mount after a failure. Never rejects: what is left is in the journal as 'releasing'.
 */
export async function releaseAfterFailure(
  host: VolumeHost,
  entry: AttachedVolume,
  how: { readonly unused: boolean },
): Promise<void> {
  try {
    const outcome = await releaseVolume(host, entry, AbortSignal.timeout(host.policy.cleanupMs), how);
    if (outcome === 'held')
      host.log.warn({ volume: entry.name }, 'device still in use after a failure; releasing later');
  } catch (cause) {
    const reason = isPluginError(cause) ? cause.message : String(cause);
    host.log.warn(
      { volume: entry.name, error: reason },
      'could not undo a failed mount now; releasing later',
    );
  }
}
