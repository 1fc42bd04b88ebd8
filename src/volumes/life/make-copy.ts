import {
  CapacityError,
  FilesystemError,
  GatewayRejectedError,
  GatewayUnavailableError,
  VolumeConflictError,
  VolumeNotFoundError,
} from '../../errors.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { HeldDevice } from '../../attach/attacher.ts';
import type { CopyOrigin } from '../copies/find-origin.ts';
import { readOriginsLabel } from '../label-identity.ts';
import { optionsOfCopy } from '../options/clone-options.ts';
import { failoverOf, labelOf, type VolumeLabel } from '../options/label.ts';
import type { OptionValues } from '../options/option-table.ts';
import { markNew } from '../takeover/failover-marker.ts';
import type { VolumeHost } from '../volume-host.ts';
import type { FilesystemType } from '../volume.ts';
import { growOnMount } from './mount-filesystem.ts';
import { patiently } from './patience.ts';
import { fillAttached, readBack, unmountFilled, type MadeVolume, type Making } from './volume-in-making.ts';

/** What is copied, and how large the copy is to be. */
export interface CopyPlan {
  readonly origin: CopyOrigin;
  /** KiB, whole grains, not less than the origin has. */
  readonly sizeKiB: number;
}

/**
 * Makes a writable copy of a volume or snapshot under the provisional name: a snapshot of it at the array, with a file system UUID and a
 * label of its own. Nothing of the origin is changed, wherever it is mounted meanwhile, and nothing is formatted (rule 3). Whoever calls
 * it clears away what it leaves when it rejects.
 */
export async function makeCopy(
  host: VolumeHost,
  making: Making,
  { origin, sizeKiB }: CopyPlan,
  signal: AbortSignal,
): Promise<MadeVolume> {
  const { array } = host;
  const id = await snapshotOf(host, making, origin.volume, signal);
  const isMeant = ({ kind, ancestorId }: ArrayVolume): boolean =>
    kind === 'snapshot' && ancestorId === origin.volume.id;
  const made = await readBack(host, making, { id, isMeant }, signal);
  if (sizeKiB > made.sizeKiB) await array.growVolume(id, sizeKiB, signal);
  const copy = { ...made, sizeKiB: Math.max(sizeKiB, made.sizeKiB) };
  const fill = (held: HeldDevice): Promise<VolumeLabel> =>
    makeItsOwn(host, making, { held, copy, origin }, signal);
  const label = await fillAttached(host, making, { ...copy, fill }, signal);
  // Its policy may be its origin's, which stands in the label.
  await markNew(array, copy, failoverOf(label), signal);
  return { id, sizeKiB: copy.sizeKiB, poolId: copy.poolId, label };
}

async function snapshotOf(
  { array }: Pick<VolumeHost, 'array'>,
  { name, options, entry }: Making,
  { id: volumeId }: ArrayVolume,
  signal: AbortSignal,
): Promise<ArrayVolume['id']> {
  const attempt = `creating volume "${name}" as a copy of "${options.from ?? ''}" failed`;
  try {
    const copies = [{ volumeId, name: entry.arrayName }];
    const [id] = await array.snapshotVolumes({ copies, access: 'ReadWrite' }, signal);
    if (id === undefined)
      throw new GatewayUnavailableError(`${attempt}: the array named no volume; try again`);
    return id;
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError)) throw cause;
    if (cause.refusal === 'family-full')
      throw new CapacityError(
        `${attempt}: its family holds as many snapshots and copies as the array allows; remove some of them`,
        { cause },
      );
    if (cause.refusal === 'volume-unknown')
      throw new VolumeNotFoundError(`${attempt}: that was removed just now`, { cause });
    throw cause;
  }
}

interface Attached {
  readonly held: HeldDevice;
  readonly copy: ArrayVolume;
  readonly origin: CopyOrigin;
}

/**
 * Gives the copy a UUID and a label of its own. Its UUID comes first: until then it must not be mounted where its origin is. Between any
 * two steps that write it is made certain that the device is still the one that was identified (rule 14).
 */
async function makeItsOwn(
  host: VolumeHost,
  making: Making,
  attached: Attached,
  signal: AbortSignal,
): Promise<VolumeLabel> {
  const { filesystems } = host;
  const { name, entry } = making;
  const { held } = attached;
  const { device } = held;
  const { mountpoint } = entry;
  const needed = { device, attempt: `creating volume "${name}"` };
  const fs = await copiedFilesystem(host, making, device, signal);
  const renew = async (): Promise<void> => {
    await held.assertSame(signal);
    await filesystems.renewUuid(device, mountpoint, fs, signal);
    await held.assertSame(signal);
  };
  await patiently(host, needed, renew, signal);
  const mount = async (): Promise<void> => {
    await held.assertSame(signal);
    await filesystems.mount(device, mountpoint, { fs, options: [], readOnly: false }, signal);
  };
  await patiently(host, needed, mount, signal);
  await held.assertSame(signal);
  const label = await relabel(host, making, { ...attached, fs }, signal);
  await growOnMount(host, { entry, held, fs }, signal);
  await held.assertSame(signal);
  await unmountFilled(host, making, device, signal);
  return label;
}

async function copiedFilesystem(
  { filesystems }: Pick<VolumeHost, 'filesystems'>,
  { name, options }: Making,
  device: HeldDevice['device'],
  signal: AbortSignal,
): Promise<FilesystemType> {
  const probe = await filesystems.probe(device, signal);
  if (probe.kind === 'filesystem') return probe.fs;
  const attempt = `creating volume "${name}" as a copy of "${options.from ?? ''}" failed`;
  if (probe.kind === 'blank')
    throw new FilesystemError(`${attempt}: no file system is seen on that, and a copy is never formatted`);
  throw new VolumeConflictError(`${attempt}: that holds ${probe.what}, which this plugin does not mount`);
}

/** What the origin's label says and nobody asked otherwise holds for the copy, also what only a newer plugin knows (rule 19). */
async function relabel(
  host: VolumeHost,
  { name, options: asked, entry }: Making,
  { copy, origin, fs }: Attached & { readonly fs: FilesystemType },
  signal: AbortSignal,
): Promise<VolumeLabel> {
  const { filesystems } = host;
  const { mountpoint } = entry;
  const known = [origin.volume.id, origin.ofId];
  const theirs = await readOriginsLabel(host, { entry: { ...entry, name }, volume: copy }, known, signal);
  const options: OptionValues = optionsOfCopy(name, asked, { fs, label: theirs, sizeKiB: copy.sizeKiB });
  const { uid, gid, mode, subpath } = options;
  // Also where nothing is asked for: e2fsck has made its lost+found again.
  await filesystems.prepareRoot(mountpoint, { uid, gid, mode, subpath }, signal);
  const own = labelOf(options, { name, volumeId: copy.id, originId: origin.volume.id });
  const label = { ...theirs, ...own };
  await filesystems.writeLabel(mountpoint, label, signal);
  return label;
}
