import type { ArrayHost } from '../../array/host.ts';
import { asVolumeId, type HostId, type VolumeId } from '../../array/ids.ts';
import { describedHost, type Holder, type SeenVolume, type ArrayView } from './array-view.ts';

/** What changed about a volume or a host between two sightings. */
export interface Movement {
  readonly kind:
    'takeover' | 'moved' | 'attached' | 'released' | 'created' | 'removed' | 'host-lost' | 'host-back';
  /** For people. */
  readonly text: string;
  /** The volume, or the host, that it is about. */
  readonly about: VolumeId | HostId;
  /** Who had the volume before. */
  readonly from?: { readonly hostId: HostId; readonly label: string; readonly wasLost: boolean };
}

/** What the array says, as far as it shows between two sightings; what came and went in between does not show. */
export function movementsBetween(before: ArrayView, now: ArrayView): Movement[] {
  return [...hostMovements(before, now), ...volumeMovements(before, now)];
}

/**
 * A volume that leaves one host and comes to another in a later sighting has moved: the one movement that says what both
 * together mean, undefined where they do not belong together.
 */
export function joined(left: Movement, came: Movement, now: ArrayView): Movement | undefined {
  if (came.kind !== 'attached' || left.about !== came.about || left.from === undefined) return undefined;
  const volume = now.volumes.get(asVolumeId(came.about));
  const [holder, ...others] = volume?.holders ?? [];
  if (volume === undefined || holder === undefined || others.length > 0) return undefined;
  return holder.hostId === left.from.hostId ? undefined : moved(volume, left.from, holder, now);
}

function hostMovements(before: ArrayView, now: ArrayView): Movement[] {
  const held = heldBy(now);
  const changes: Movement[] = [];
  for (const [id, host] of now.hosts) {
    const known = before.hosts.get(id);
    if (known === undefined || known.state === host.state || host.state === 'unknown') continue;
    const label = describedHost(id, now.hosts);
    const count = held.get(id) ?? 0;
    const holding = count === 0 ? '' : `; it holds ${count} volume${count === 1 ? '' : 's'}`;
    if (host.state === 'connected')
      changes.push({ kind: 'host-back', about: id, text: `host ${label} is connected to the array again` });
    else changes.push({ kind: 'host-lost', about: id, text: `host ${label} has lost the array${holding}` });
  }
  return changes;
}

/** How many of the volumes each host holds. */
export function heldBy({ volumes }: ArrayView): ReadonlyMap<HostId, number> {
  const counts = new Map<HostId, number>();
  for (const { holders } of volumes.values())
    for (const { hostId } of holders) counts.set(hostId, (counts.get(hostId) ?? 0) + 1);
  return counts;
}

function volumeMovements(before: ArrayView, now: ArrayView): Movement[] {
  const changes: Movement[] = [];
  for (const volume of now.volumes.values()) {
    const known = before.volumes.get(volume.id);
    if (known === undefined)
      changes.push({ kind: 'created', about: volume.id, text: `${nameOf(volume)} was created` });
    changes.push(...holderMovements(volume, known?.holders ?? [], before, now));
  }
  for (const volume of before.volumes.values()) {
    if (!now.volumes.has(volume.id))
      changes.push({ kind: 'removed', about: volume.id, text: `${nameOf(volume)} was removed` });
  }
  return changes;
}

function holderMovements(
  volume: SeenVolume,
  had: readonly Holder[],
  before: ArrayView,
  now: ArrayView,
): Movement[] {
  const came = volume.holders.filter(({ hostId }) => !had.some((one) => one.hostId === hostId));
  const left = had.filter(({ hostId }) => !volume.holders.some((one) => one.hostId === hostId));
  const [newcomer] = came;
  const [leaver] = left;
  const isMove = had.length === 1 && volume.holders.length === 1;
  if (isMove && newcomer !== undefined && leaver !== undefined)
    return [moved(volume, formerOf(leaver, before, now), newcomer, now)];
  return [
    ...left.map((holder) => releasedBy(volume, formerOf(holder, before, now))),
    ...came.map(({ hostId, address }): Movement => {
      const text = `${nameOf(volume)} was attached to ${describedHost(hostId, now.hosts, address)}`;
      return { kind: 'attached', about: volume.id, text };
    }),
  ];
}

type Former = NonNullable<Movement['from']>;

/** A host that has lost the array cannot give a volume back by itself: it was taken from it. */
function formerOf({ hostId, address }: Holder, before: ArrayView, now: ArrayView): Former {
  const isLost = (hosts: ReadonlyMap<HostId, ArrayHost>): boolean =>
    hosts.get(hostId)?.state === 'disconnected';
  return {
    hostId,
    label: describedHost(hostId, before.hosts, address),
    wasLost: isLost(before.hosts) || isLost(now.hosts),
  };
}

function moved(volume: SeenVolume, from: Former, to: Holder, now: ArrayView): Movement {
  const target = describedHost(to.hostId, now.hosts, to.address);
  if (!from.wasLost) {
    const text = `${nameOf(volume)} moved from ${from.label} to ${target}`;
    return { kind: 'moved', about: volume.id, from, text };
  }
  const text = `${nameOf(volume)} was taken over by ${target} from ${from.label}, which had lost the array`;
  return { kind: 'takeover', about: volume.id, from, text };
}

function releasedBy(volume: SeenVolume, from: Former): Movement {
  const text = from.wasLost
    ? `${nameOf(volume)} was taken from ${from.label}, which had lost the array`
    : `${nameOf(volume)} was released by ${from.label}`;
  return { kind: from.wasLost ? 'takeover' : 'released', about: volume.id, from, text };
}

function nameOf({ name, isSnapshot }: SeenVolume): string {
  return `${isSnapshot ? 'snapshot' : 'volume'} "${name}"`;
}
