import type { SdcReading } from '../../inventory/ports.ts';
import type { SdcId, VolumeId } from '../../volumes/volume.ts';
import { describedHost, type Holder, type SeenVolume, type RepeatedFinding } from './array-view.ts';

/** What changed about a volume or a host between two sightings. */
export interface Movement {
  readonly kind:
    'takeover' | 'moved' | 'attached' | 'released' | 'created' | 'removed' | 'host-lost' | 'host-back';
  /** For people. */
  readonly text: string;
  /** The volume, or the host, that it is about. */
  readonly about: VolumeId | SdcId;
  /** Who had the volume before. */
  readonly from?: { readonly sdcId: SdcId; readonly label: string; readonly wasLost: boolean };
}

/** What the array says, as far as it shows between two sightings; what came and went in between does not show. */
export function movementsBetween(before: RepeatedFinding, now: RepeatedFinding): Movement[] {
  return [...hostMovements(before, now), ...volumeMovements(before, now)];
}

/**
 * A volume that leaves one host and comes to another in a later sighting has moved: the one movement that says what both
 * together mean, undefined where they do not belong together.
 */
export function joined(left: Movement, came: Movement, now: RepeatedFinding): Movement | undefined {
  if (came.kind !== 'attached' || left.about !== came.about || left.from === undefined) return undefined;
  const volume = now.volumes.get(came.about as VolumeId);
  const [holder, ...others] = volume?.holders ?? [];
  if (volume === undefined || holder === undefined || others.length > 0) return undefined;
  return holder.sdcId === left.from.sdcId ? undefined : moved(volume, left.from, holder, now);
}

function hostMovements(before: RepeatedFinding, now: RepeatedFinding): Movement[] {
  const held = heldBy(now);
  const changes: Movement[] = [];
  for (const [id, host] of now.hosts) {
    const known = before.hosts.get(id);
    if (known === undefined || known.isConnected === host.isConnected || host.isConnected === null) continue;
    const label = describedHost(id, now.hosts);
    const count = held.get(id) ?? 0;
    const holding = count === 0 ? '' : `; it holds ${count} volume${count === 1 ? '' : 's'}`;
    if (host.isConnected)
      changes.push({ kind: 'host-back', about: id, text: `host ${label} is connected to the array again` });
    else changes.push({ kind: 'host-lost', about: id, text: `host ${label} has lost the array${holding}` });
  }
  return changes;
}

/** How many of the volumes each SDC holds. */
export function heldBy({ volumes }: RepeatedFinding): ReadonlyMap<SdcId, number> {
  const counts = new Map<SdcId, number>();
  for (const { holders } of volumes.values())
    for (const { sdcId } of holders) counts.set(sdcId, (counts.get(sdcId) ?? 0) + 1);
  return counts;
}

function volumeMovements(before: RepeatedFinding, now: RepeatedFinding): Movement[] {
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
  before: RepeatedFinding,
  now: RepeatedFinding,
): Movement[] {
  const came = volume.holders.filter(({ sdcId }) => !had.some((one) => one.sdcId === sdcId));
  const left = had.filter(({ sdcId }) => !volume.holders.some((one) => one.sdcId === sdcId));
  const [newcomer] = came;
  const [leaver] = left;
  const isMove = had.length === 1 && volume.holders.length === 1;
  if (isMove && newcomer !== undefined && leaver !== undefined)
    return [moved(volume, formerOf(leaver, before, now), newcomer, now)];
  return [
    ...left.map((holder) => releasedBy(volume, formerOf(holder, before, now))),
    ...came.map(({ sdcId, ip }): Movement => {
      const text = `${nameOf(volume)} was attached to ${describedHost(sdcId, now.hosts, ip)}`;
      return { kind: 'attached', about: volume.id, text };
    }),
  ];
}

type Former = NonNullable<Movement['from']>;

/** An SDC that has lost the array cannot give a volume back by itself: it was taken from it. */
function formerOf({ sdcId, ip }: Holder, before: RepeatedFinding, now: RepeatedFinding): Former {
  const isLost = (hosts: ReadonlyMap<SdcId, SdcReading>): boolean => hosts.get(sdcId)?.isConnected === false;
  return {
    sdcId,
    label: describedHost(sdcId, before.hosts, ip),
    wasLost: isLost(before.hosts) || isLost(now.hosts),
  };
}

function moved(volume: SeenVolume, from: Former, to: Holder, now: RepeatedFinding): Movement {
  const target = describedHost(to.sdcId, now.hosts, to.ip);
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
