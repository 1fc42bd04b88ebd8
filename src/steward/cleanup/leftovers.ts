import type { ArrayHost, HostState } from '../../array/host.ts';
import type { HostId, VolumeId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { formatDuration } from '../../units/duration.ts';
import { isOurs, markOfProvisional, parseMarker, provisionalMark } from '../../volumes/naming.ts';
import { isViewOf } from '../../volumes/copies/view-names.ts';
import { readSnapshotName } from '../../volumes/copies/snapshot-names.ts';
import { mayBeAnonymous } from '../../volumes/upkeep/anonymous-names.ts';

/** Creation times this far ahead of our clock are the clocks' disagreement; further ahead one of them is wrong. */
const CLOCKS_DIFFER_MS = 5 * 60_000;

/** A policy "never" given by command stands in the name of an empty volume of this size. */
const STAND_IN_KIB = 8 * 1024 * 1024;

/** Beyond the age of any leftover; hosts look for their own every hour. */
const FORGOTTEN_MS = 6 * 24 * 3_600_000;

/** Which leftovers are looked for. */
export interface Search {
  /** Of the names of our volumes. */
  readonly prefix: string;
  /** Milliseconds since creation, by the array's clock and ours. */
  readonly olderThanMs: number;
  /** Also what does not tell whose it is. */
  readonly ofUnknownHosts: boolean;
  readonly deadSdcMappings: boolean;
}

/** All volumes and all SDCs, read in this order: an SDC that is new may have a volume, one that is gone has none. */
export interface ReadArray {
  readonly volumes: readonly ArrayVolume[];
  readonly hosts: readonly ArrayHost[];
  /** What an SDC was called that is not among them. */
  readonly formerly?: (id: HostId) => string | undefined;
}

interface Common {
  readonly volume: ArrayVolume;
  /** For people: 'volume "~new.…" (…)'. */
  readonly target: string;
  /** What makes it a leftover. */
  readonly why: string;
  /** Why it stays all the same. */
  readonly obstacle: string | undefined;
}

/** A volume that no Create will finish. */
export interface UnfinishedVolume extends Common {
  readonly kind: 'unfinished';
  /** Undefined when no SDC of the array made it under our prefix. */
  readonly makerId: HostId | undefined;
  /** So old and unmapped that its maker may be connected: it clears its own away within hours, and has not this one. */
  readonly isForgotten: boolean;
}

/** A failover marker whose volume is gone. */
export interface OrphanedMarker extends Common {
  readonly kind: 'marker';
  /** The volume that it speaks of. */
  readonly ofVolumeId: VolumeId;
}

/** A volume of ours that is mapped to an SDC which the array does not have. */
export interface DeadAttachment extends Common {
  readonly kind: 'mapping';
  readonly hostId: HostId;
}

/** A volume that no host has and whose name is most likely one that an engine made up. Never removed by a policy. */
export interface LikelyAnonymous extends Common {
  readonly kind: 'anonymous';
}

/** A snapshot whose time is over, as whoever took it has said; or what was looked into instead of one. */
export interface ExpiredSnapshot extends Common {
  readonly kind: 'expired';
}

/** What nobody needs any more on the array, most of it of hosts that are gone. */
export type Leftover = UnfinishedVolume | OrphanedMarker | DeadAttachment | LikelyAnonymous | ExpiredSnapshot;

/** Everything that looks like a leftover in one reading of the array; nothing here knows how long it has looked so. */
export function findLeftovers(read: ReadArray, search: Search, nowMs: number): Leftover[] {
  return new Finder(read, search, nowMs).find();
}

/** Equal for the same leftover in the same state: whatever changes begins anew. */
export function keyOf(leftover: Leftover): string {
  const { kind, volume } = leftover;
  const about = kind === 'mapping' ? leftover.hostId : volume.attachments.map(({ hostId }) => hostId).join();
  return `${kind} ${volume.id} ${volume.name ?? ''} ${about}`;
}

/** True for the markers that speak of the volume; they have no life of their own. */
export function isMarkerOf(volumeId: VolumeId, candidate: Pick<ArrayVolume, 'name' | 'kind'>): boolean {
  const { name, kind } = candidate;
  return kind === 'snapshot' && name !== null && parseMarker(name)?.volumeId === volumeId;
}

/** Whether one of its family has its content from the volume: of a copy only what says so, for its origin and that one's others do not. */
export function restsOn(
  volume: Pick<ArrayVolume, 'id' | 'ancestorId'>,
  other: Pick<ArrayVolume, 'ancestorId'>,
): boolean {
  return volume.ancestorId === null || other.ancestorId === volume.id;
}

class Finder {
  readonly #read: ReadArray;
  readonly #search: Search;
  readonly #nowMs: number;
  readonly #volumeIds: ReadonlySet<string>;
  readonly #hostIds: ReadonlySet<string>;
  readonly #makers: ReadonlyMap<string, ArrayHost>;

  constructor(read: ReadArray, search: Search, nowMs: number) {
    this.#read = read;
    this.#search = search;
    this.#nowMs = nowMs;
    this.#volumeIds = new Set(read.volumes.map(({ id }) => id));
    this.#hostIds = new Set(read.hosts.map(({ id }) => id));
    this.#makers = makersOf(read.hosts, search.prefix);
  }

  find(): Leftover[] {
    return this.#read.volumes.flatMap((volume): Leftover[] => {
      if (volume.name === null) return [];
      const mark = markOfProvisional(volume.name);
      if (mark !== undefined) return this.#unfinished(volume, mark);
      const marker = parseMarker(volume.name);
      if (marker !== undefined) return this.#marker(volume, marker.volumeId);
      const snapshot = readSnapshotName(volume.name);
      if (snapshot !== undefined) return this.#expired(volume, snapshot);
      if (isViewOf(this.#search.prefix, volume)) return this.#unusedView(volume);
      if (!isOurs(this.#search.prefix, volume.name)) return [];
      return [...this.#deadMappings(volume), ...this.#anonymous(volume)];
    });
  }

  #unfinished(volume: ArrayVolume, mark: string): UnfinishedVolume[] {
    if (this.#isYoung(volume)) return [];
    const maker = this.#makers.get(mark);
    const by = maker === undefined ? 'by an unknown host' : `by SDC ${wordsFor(maker)}`;
    return [
      {
        kind: 'unfinished',
        volume,
        target: targetOf(volume),
        why: `${this.#ageOf(volume)} ${by} and never finished`,
        makerId: maker?.id,
        isForgotten: this.#isForgotten(volume),
        obstacle:
          this.#clockObstacle(volume) ?? this.#makerObstacle(volume, maker) ?? this.#familyObstacle(volume),
      },
    ];
  }

  /** A host that is there finishes or removes what it began; nobody else can know what it is at. */
  #makerObstacle(volume: ArrayVolume, maker: ArrayHost | undefined): string | undefined {
    const { attachedToAll, kind, ancestorId, attachments } = volume;
    if (kind === 'snapshot' && ancestorId === null)
      return 'it is a snapshot, and the array does not say of what, as it does of a copy';
    if (attachedToAll) return 'it is mapped to all SDCs';
    if (maker === undefined) {
      if (!this.#search.ofUnknownHosts)
        return 'no SDC of the array made it under our prefix; it is removed only where the policy has ofUnknownHosts';
      return attachments.length > 0 ? 'it is mapped, and not to the host that made it' : undefined;
    }
    if (maker.state === 'unknown') return 'the array does not say whether the host that made it is there';
    if (maker.state === 'connected' && !this.#isForgotten(volume))
      return 'the host that made it is connected, and clears it away itself';
    const isElsewhere = attachments.some(({ hostId, hostKind }) => hostKind !== 'sdc' || hostId !== maker.id);
    return isElsewhere ? 'it is mapped, and not only to the host that made it' : undefined;
  }

  /** What a host that is there has not cleared away by now it never will: its plugin is older, or has another GUID. */
  #isForgotten(volume: ArrayVolume): boolean {
    const ageMs = this.#ageMs(volume) ?? 0;
    return volume.attachments.length === 0 && ageMs >= this.#search.olderThanMs + FORGOTTEN_MS;
  }

  #familyObstacle(volume: ArrayVolume): string | undefined {
    const { id, familyId } = volume;
    if (familyId === null) return 'the array does not say whether it has snapshots';
    const others = this.#read.volumes.filter((other) => other.familyId === familyId && other.id !== id);
    return others.filter((other) => restsOn(volume, other)).every((other) => isMarkerOf(id, other))
      ? undefined
      : 'it has snapshots';
  }

  #marker(volume: ArrayVolume, ofVolumeId: VolumeId): OrphanedMarker[] {
    if (this.#volumeIds.has(ofVolumeId) || this.#isYoung(volume)) return [];
    return [
      {
        kind: 'marker',
        volume,
        target: targetOf(volume),
        why: `${this.#ageOf(volume)} to carry the failover policy of volume "${ofVolumeId}", which is gone`,
        ofVolumeId,
        obstacle: this.#clockObstacle(volume) ?? this.#markerObstacle(volume),
      },
    ];
  }

  #expired(
    volume: ArrayVolume,
    { expiresAtSeconds, isOf }: NonNullable<ReturnType<typeof readSnapshotName>>,
  ): ExpiredSnapshot[] {
    if (expiresAtSeconds === null) return [];
    const overMs = this.#nowMs - expiresAtSeconds * 1000;
    if (overMs < CLOCKS_DIFFER_MS) return [];
    const obstacle = this.#expiredObstacle(volume, isOf);
    const why = `it was to be kept until ${formatDuration(overMs)} ago`;
    return [{ kind: 'expired', volume, target: targetOf(volume), why, obstacle }];
  }

  /** Hosts have one only while they look into its snapshot, and make another whenever they want to. */
  #unusedView(volume: ArrayVolume): ExpiredSnapshot[] {
    if (volume.attachedToAll || volume.attachments.length > 0 || this.#isYoung(volume)) return [];
    const why = `${this.#ageOf(volume)} to look into a snapshot, and no host has it`;
    const obstacle = this.#clockObstacle(volume);
    return [{ kind: 'expired', volume, target: targetOf(volume), why, obstacle }];
  }

  #expiredObstacle(volume: ArrayVolume, isOf: (id: VolumeId) => boolean): string | undefined {
    const { attachedToAll, attachments, kind, ancestorId } = volume;
    if (kind !== 'snapshot') return 'it is no snapshot, whatever its name says';
    if (ancestorId !== null && this.#volumeIds.has(ancestorId) && !isOf(ancestorId))
      return 'it is not of the volume that its name says';
    if (attachedToAll || attachments.length > 0) return 'it is mapped';
    return this.#clockObstacle(volume);
  }

  #markerObstacle({ kind, attachedToAll, attachments, sizeKiB }: ArrayVolume): string | undefined {
    if (kind !== 'snapshot' && sizeKiB !== STAND_IN_KIB)
      return 'it is neither a snapshot, as markers are, nor of the size of a stand-in';
    if (attachedToAll || attachments.length > 0) return 'it is mapped';
    return this.#search.ofUnknownHosts
      ? undefined
      : 'its name does not tell whose it was; it is removed only where the policy has ofUnknownHosts';
  }

  /** Since when no host has it the array does not say, nor whether a stopped container will want it again. */
  #anonymous(volume: ArrayVolume): LikelyAnonymous[] {
    const { name, attachedToAll, kind, attachments } = volume;
    const isHad = attachedToAll || kind === 'snapshot' || attachments.length > 0;
    if (isHad || !mayBeAnonymous(this.#search.prefix, name ?? '') || this.#isYoung(volume)) return [];
    return [
      {
        kind: 'anonymous',
        volume,
        target: targetOf(volume),
        why: `${this.#ageOf(volume)}, no host has it now, and its name is most likely one that an engine made up`,
        obstacle:
          'only a person can tell whether a container will want it: docker-volume-scaleio volume remove-anonymous, on a host',
      },
    ];
  }

  #deadMappings(volume: ArrayVolume): DeadAttachment[] {
    if (!this.#search.deadSdcMappings) return [];
    const dead = volume.attachments.filter(
      ({ hostId, hostKind }) => hostKind === 'sdc' && !this.#hostIds.has(hostId),
    );
    return dead.map(({ hostId }) => ({
      kind: 'mapping',
      volume,
      hostId,
      target: `${targetOf(volume)} at SDC "${hostId}"`,
      why: `it is mapped to SDC "${hostId}"${this.#formerly(hostId)}, which the array does not have any more`,
      obstacle: undefined,
    }));
  }

  #formerly(hostId: HostId): string {
    const name = this.#read.formerly?.(hostId);
    return name === undefined ? '' : ` (last known as ${name})`;
  }

  #ageMs({ createdAtSeconds }: ArrayVolume): number | undefined {
    return createdAtSeconds === null ? undefined : this.#nowMs - createdAtSeconds * 1000;
  }

  /** Most likely a Create is at it just now. */
  #isYoung(volume: ArrayVolume): boolean {
    const ageMs = this.#ageMs(volume) ?? Number.POSITIVE_INFINITY;
    return ageMs > -CLOCKS_DIFFER_MS && ageMs < this.#search.olderThanMs;
  }

  #clockObstacle(volume: ArrayVolume): string | undefined {
    const ageMs = this.#ageMs(volume);
    if (ageMs === undefined) return 'the array does not say when it was made';
    return ageMs < 0 ? "it was made in the future: the array's clock or this one is wrong" : undefined;
  }

  #ageOf(volume: ArrayVolume): string {
    const ageMs = this.#ageMs(volume);
    return ageMs === undefined || ageMs < 0 ? 'made' : `made ${formatDuration(ageMs)} ago`;
  }
}

/** By the mark in the names that they give. Where two have one mark, the one that is there counts. */
function makersOf(hosts: readonly ArrayHost[], prefix: string): ReadonlyMap<string, ArrayHost> {
  const makers = new Map<string, ArrayHost>();
  for (const host of hosts.toSorted((one, other) => Number(mayBeThere(one)) - Number(mayBeThere(other))))
    if (host.guid !== null) makers.set(provisionalMark(host.guid, prefix), host);
  return makers;
}

/** Rule 16: of whom the array says nothing may be at work. */
function mayBeThere({ state }: ArrayHost): boolean {
  return state !== 'disconnected';
}

function targetOf({ id, name }: ArrayVolume): string {
  return `volume "${name ?? ''}" (${id})`;
}

const STANDING: Readonly<Record<HostState, string>> = {
  connected: 'connected',
  disconnected: 'away',
  unknown: 'perhaps there',
};

function wordsFor({ id, name, address, state, lastKnown }: ArrayHost): string {
  const standing = STANDING[state];
  const known = lastKnown?.includes(name === null ? 'address' : 'name') === true ? ' (last known)' : '';
  return `"${name ?? address ?? id}"${known}, which is ${standing},`;
}
