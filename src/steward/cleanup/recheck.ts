import type { VolumeId } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import {
  isMarkerOf,
  restsOn,
  type DeadAttachment,
  type ExpiredSnapshot,
  type Leftover,
  type OrphanedMarker,
  type UnfinishedVolume,
} from './leftovers.ts';

/** What is asked just before something is removed. */
export type RecheckedArray = Pick<StorageArray, 'getVolume' | 'getHost' | 'volumesOfFamily'>;

/**
 * What the array says of a leftover at this moment. clear: still one; `markers` go with it. gone: somebody was quicker.
 * kept: it is in use, or no leftover any more.
 */
export type Recheck =
  | { readonly kind: 'clear'; readonly markers: readonly VolumeId[] }
  | { readonly kind: 'gone' }
  | { readonly kind: 'kept'; readonly why: string };

/**
 * Asks the array about this one leftover, object by object: lists may be old, or lack something. At most three calls, the
 * volume itself last. Rejects as StorageArray.
 */
export function recheck(array: RecheckedArray, leftover: Leftover, signal: AbortSignal): Promise<Recheck> {
  switch (leftover.kind) {
    case 'unfinished':
      return lookAtUnfinished(array, leftover, signal);
    case 'marker':
      return lookAtMarker(array, leftover, signal);
    case 'mapping':
      return lookAtMapping(array, leftover, signal);
    case 'expired':
      return lookAtExpired(array, leftover, signal);
    case 'anonymous':
      return Promise.resolve(kept('only a person can tell whether it is wanted'));
  }
}

async function lookAtUnfinished(
  array: RecheckedArray,
  { volume, makerId, isForgotten }: UnfinishedVolume,
  signal: AbortSignal,
): Promise<Recheck> {
  const maker = await makerObstacle(array, { makerId, isForgotten }, signal);
  if (maker !== undefined) return kept(maker);
  const family = volume.familyId === null ? [] : await array.volumesOfFamily(volume, signal);
  const others = family.filter((other) => other.id !== volume.id && restsOn(volume, other));
  const isOnlyMarked = others.every((other) => isMarkerOf(volume.id, other));
  if (!isOnlyMarked) return kept('it has snapshots');
  if (others.some(isMapped)) return kept('its failover marker is mapped');
  const now = await array.getVolume(volume.id, signal);
  if (now === undefined) return { kind: 'gone' };
  if (now.name !== volume.name) return kept('it has another name now');
  const before = new Set(volume.attachments.map(({ hostId }) => hostId));
  if (now.attachedToAll || now.attachments.some(({ hostId }) => !before.has(hostId)))
    return kept('it has been mapped meanwhile');
  return clear(others.map(({ id }) => id));
}

async function makerObstacle(
  array: RecheckedArray,
  { makerId, isForgotten }: Pick<UnfinishedVolume, 'makerId' | 'isForgotten'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (makerId === undefined) return undefined;
  const maker = await array.getHost(makerId, signal);
  if (maker === undefined) return 'the SDC that made it has been removed just now';
  if (maker.state === 'connected' && !isForgotten) return 'the host that made it is back';
  return maker.state === 'unknown'
    ? 'the array does not say whether the host that made it is there'
    : undefined;
}

async function lookAtMarker(
  array: RecheckedArray,
  { volume, ofVolumeId }: OrphanedMarker,
  signal: AbortSignal,
): Promise<Recheck> {
  if ((await array.getVolume(ofVolumeId, signal)) !== undefined)
    return kept('the volume that it speaks of is there');
  const now = await array.getVolume(volume.id, signal);
  if (now === undefined) return { kind: 'gone' };
  if (now.name !== volume.name) return kept('it has another name now');
  return isMapped(now) ? kept('it has been mapped meanwhile') : clear([]);
}

async function lookAtExpired(
  array: RecheckedArray,
  { volume }: ExpiredSnapshot,
  signal: AbortSignal,
): Promise<Recheck> {
  const now = await array.getVolume(volume.id, signal);
  if (now === undefined) return { kind: 'gone' };
  if (now.name !== volume.name) return kept('it has another name now');
  if (now.kind !== 'snapshot') return kept('it is no snapshot');
  return isMapped(now) ? kept('it has been mapped meanwhile') : clear([]);
}

async function lookAtMapping(
  array: RecheckedArray,
  { volume, hostId }: DeadAttachment,
  signal: AbortSignal,
): Promise<Recheck> {
  if ((await array.getHost(hostId, signal)) !== undefined) return kept('the array has that SDC');
  const now = await array.getVolume(volume.id, signal);
  if (now === undefined || !now.attachments.some((attachment) => attachment.hostId === hostId))
    return { kind: 'gone' };
  return now.name === volume.name ? clear([]) : kept('the volume has another name now');
}

function isMapped({ attachedToAll, attachments }: ArrayVolume): boolean {
  return attachedToAll || attachments.length > 0;
}

function clear(markers: readonly VolumeId[]): Recheck {
  return { kind: 'clear', markers };
}

function kept(why: string): Recheck {
  return { kind: 'kept', why };
}
