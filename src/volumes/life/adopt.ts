import { asArrayName, type ArrayName } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import type { HeldDevice } from '../../attach/attacher.ts';
import {
  GatewayRejectedError,
  InvalidRequestError,
  VolumeConflictError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../errors.ts';
import { quote } from '../../units/quote.ts';
import { answered, mountingVolume, type VolumeIn } from '../host-volume.ts';
import { arrayNameFor, validateVolumeName, volumeNameOf } from '../naming.ts';
import type { VolumeLabel } from '../options/label.ts';
import type { AdoptReport, AdoptRequest } from '../operator-actions.ts';
import { describeHolder } from '../takeover/holders.ts';
import type { HostIdentity, VolumeHost } from '../volume-host.ts';
import type { VolumeName } from '../volume.ts';
import { labelAdopted } from './adopted-label.ts';
import { awaitDevice } from './await-device.ts';
import { throwReason } from './device-release.ts';
import { mayStillHappen } from './late-requests.ts';
import type { VolumeLookup } from './lookup.ts';
import { releaseAfterFailure, releaseVolume } from './release.ts';

/** What is to be adopted, and what it will be called. */
export interface Adoption {
  readonly from: ArrayName;
  readonly name: VolumeName;
  /** The array's name of then; the present one for what is adopted in place. */
  readonly to: ArrayName;
  readonly subpath: string | null;
}

/** Throws InvalidRequestError for what cannot be adopted so; nothing is asked of anybody. */
export function planAdoption(prefix: string, request: AdoptRequest): Adoption {
  const { arrayName, name, inPlace, subpath } = request;
  if (arrayName === '' || arrayName.startsWith('~'))
    throw new InvalidRequestError(
      `volume ${quote(arrayName)} is not adopted: names that begin with "~" are this plugin's own, of what is unfinished, removed or a snapshot`,
    );
  const from = asArrayName(arrayName);
  const given = name ?? (inPlace ? volumeNameOf(prefix, arrayName) : arrayName);
  if (given === undefined) throw notInPlace(prefix, arrayName);
  const called = validateVolumeName(given);
  const to = arrayNameFor(prefix, called);
  if (inPlace && to !== from) throw notInPlace(prefix, arrayName);
  return { from, name: called, to, subpath };
}

function notInPlace(prefix: string, arrayName: string): InvalidRequestError {
  return new InvalidRequestError(
    `volume ${quote(arrayName)} cannot be adopted under the name that it has: only what is called "${prefix}NAME" at the array is seen by ` +
      `engines here, as NAME; leave --in-place out to have it renamed`,
  );
}

/**
 * Takes a volume that others have made for one of ours: looks into it while it is attached to this host alone, gives it a label where it
 * has a file system and none, and the name that engines will know it by. Nothing is formatted, and of what is in it nothing but the label is
 * written. Call with the locks of both names held. Rejects with VolumeInUseError while any host has it, VolumeConflictError for what is no
 * file system of ours or where the name is taken, VolumeNotFoundError; it stays as it was then. Repeating is safe.
 */
export async function adoptVolume(
  host: VolumeHost,
  lookup: Pick<VolumeLookup, 'remember'>,
  adoption: Adoption,
  signal: AbortSignal,
): Promise<AdoptReport> {
  const { array, identity } = host;
  const { from, to, name } = adoption;
  const me = await identity.current(signal);
  if (identity.doubt !== undefined) throw kept(from, identity.doubt);
  const volume = await findFree(host, adoption, signal);
  const { content, label, isWritten } = await lookInto(host, adoption, { volume, me }, signal);
  if (to !== from) await rename(host, adoption, volume, signal);
  const now = await array.getVolume(volume.id, signal);
  if (now?.name !== to)
    throw new VolumeConflictError(
      `adopting volume ${quote(from)} failed: the array has it as ${quote(now?.name ?? '')} now; somebody renamed it at the same time`,
    );
  lookup.remember(name, now, label);
  const written = isWritten ? 'written' : label === undefined ? 'none' : 'kept';
  return { name, volumeId: volume.id, arrayName: to, sizeKiB: now.sizeKiB, content, label: written };
}

async function findFree(host: VolumeHost, adoption: Adoption, signal: AbortSignal): Promise<ArrayVolume> {
  const { array, journal } = host;
  const { from, to, name } = adoption;
  const id = await array.findVolumeId(from, signal);
  const volume = id === undefined ? undefined : await array.getVolume(id, signal);
  if (volume?.name !== from)
    throw new VolumeNotFoundError(
      `adopting volume ${quote(from)} failed: the array has no volume of exactly this name`,
    );
  const holders = volume.attachments.map(describeHolder);
  if (volume.attachedToAll) holders.push('every host');
  if (holders.length > 0)
    throw kept(from, `it is mapped to host ${holders.join(', ')}; whoever did that must let go of it first`);
  if (journal.get(name) !== undefined || journal.all().some(({ volumeId }) => volumeId === volume.id))
    throw kept(from, `the plugin on this host works with ${quote(name)}; try again when that is done`);
  if (to !== from && (await array.findVolumeId(to, signal)) !== undefined) throw nameTaken(adoption);
  return volume;
}

/** What was seen in it. */
interface Looked {
  readonly content: AdoptReport['content'];
  readonly label: VolumeLabel | undefined;
  readonly isWritten: boolean;
}

interface Found {
  readonly volume: ArrayVolume;
  readonly me: HostIdentity;
}

/** Attached to this host alone, which the array sees to, and taken off again whatever comes of it. */
async function lookInto(
  host: VolumeHost,
  { name, from, subpath }: Adoption,
  { volume, me }: Found,
  signal: AbortSignal,
): Promise<Looked> {
  const { clock, filesystems, journal } = host;
  const { id, sizeKiB, accessModeLimit } = volume;
  const now = new Date(clock.now()).toISOString();
  const entry = mountingVolume(name, undefined, {
    arrayName: from,
    volumeId: id,
    systemId: me.systemId,
    mountpoint: filesystems.mountpointOf(from),
    since: now,
    hostId: me.hostId,
    heldSince: now,
    attachment: 'intended',
  });
  // On disk before the array is asked (rule 13).
  await journal.put(entry);
  await attach(host, entry, { volume, me }, signal);
  const ours = answered(entry);
  let looked: Looked;
  let held: HeldDevice | undefined;
  try {
    held = await awaitDevice(host, { id, sizeKiB, attempt: `adopting volume "${from}"` }, me, signal);
    await filesystems.prepareMountpoint(entry.mountpoint);
    const isReadOnly = accessModeLimit === 'ReadOnly';
    looked = await labelAdopted(host, { entry: ours, volume, held, subpath, isReadOnly }, signal);
  } catch (cause) {
    const reason = await throwReason(cause, { held, log: host.log }, signal).catch((why: unknown) => why);
    await held?.close();
    await releaseAfterFailure(host, ours, { unused: false });
    throw reason;
  }
  await held.close();
  const outcome = await releaseVolume(host, ours, signal);
  filesystems.spareMountpoint(entry.mountpoint);
  if (outcome !== 'released')
    throw kept(
      from,
      'something on this host has opened it and keeps it; it is let go of later, adopt it then',
    );
  return looked;
}

async function attach(
  host: VolumeHost,
  entry: VolumeIn<'mounting'>,
  { volume, me }: Found,
  signal: AbortSignal,
): Promise<void> {
  const readOnly = volume.accessModeLimit === 'ReadOnly';
  try {
    await host.array.attachVolume({ volumeId: volume.id, hostId: me.hostId, readOnly }, signal);
  } catch (cause) {
    const isRefused = cause instanceof GatewayRejectedError;
    if (isRefused) await host.journal.delete(entry.name);
    else await releaseAfterFailure(host, mayStillHappen(cause) ? entry : answered(entry), { unused: true });
    if (isRefused && cause.refusal === 'held-by-another')
      throw kept(entry.arrayName, 'another host mapped it just now');
    throw cause;
  }
}

async function rename(
  { array }: Pick<VolumeHost, 'array'>,
  adoption: Adoption,
  { id }: ArrayVolume,
  signal: AbortSignal,
): Promise<void> {
  try {
    await array.renameVolume(id, adoption.to, signal);
  } catch (cause) {
    if (!(cause instanceof GatewayRejectedError) || cause.refusal !== 'name-in-use') throw cause;
    throw nameTaken(adoption);
  }
}

function nameTaken({ from, name }: Adoption): VolumeConflictError {
  return new VolumeConflictError(
    `adopting volume ${quote(from)} failed: there is a volume ${quote(name)} already; give it another name`,
  );
}

function kept(arrayName: string, why: string): VolumeInUseError {
  return new VolumeInUseError(`volume ${quote(arrayName)} was left as it is: ${why}`);
}
