import type { SdcReading, VolumeReading } from '../../inventory/ports.ts';
import { formatDuration } from '../../units/duration.ts';
import {
  isOurs,
  markOfProvisional,
  mayBeAnonymous,
  parseMarker,
  provisionalMark,
} from '../../volumes/naming.ts';
import type { SdcId, VolumeId } from '../../volumes/volume.ts';

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
  readonly volumes: readonly VolumeReading[];
  readonly sdcs: readonly SdcReading[];
  /** What an SDC was called that is not among them. */
  readonly formerly?: (id: SdcId) => string | undefined;
}

interface Common {
  readonly volume: VolumeReading;
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
  readonly makerId: SdcId | undefined;
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
export interface DeadMapping extends Common {
  readonly kind: 'mapping';
  readonly sdcId: SdcId;
}

/** A volume that no host has and whose name is most likely one that an engine made up. Never removed by a policy. */
export interface LikelyAnonymous extends Common {
  readonly kind: 'anonymous';
}

/** What hosts that are gone have left on the array. */
export type Leftover = UnfinishedVolume | OrphanedMarker | DeadMapping | LikelyAnonymous;

/** Everything that looks like a leftover in one reading of the array; nothing here knows how long it has looked so. */
export function findLeftovers(read: ReadArray, search: Search, nowMs: number): Leftover[] {
  return new Finder(read, search, nowMs).find();
}

/** Equal for the same leftover in the same state: whatever changes begins anew. */
export function keyOf(leftover: Leftover): string {
  const { kind, volume } = leftover;
  const about = kind === 'mapping' ? leftover.sdcId : volume.mappings.map(({ sdcId }) => sdcId).join();
  return `${kind} ${volume.id} ${volume.name ?? ''} ${about}`;
}

/** True for the markers that speak of the volume; they have no life of their own. */
export function isMarkerOf(
  volumeId: VolumeId,
  candidate: { readonly name: string | null; readonly isSnapshot: boolean },
): boolean {
  const { name, isSnapshot } = candidate;
  return isSnapshot && name !== null && parseMarker(name)?.volumeId === volumeId;
}

class Finder {
  readonly #read: ReadArray;
  readonly #search: Search;
  readonly #nowMs: number;
  readonly #volumeIds: ReadonlySet<string>;
  readonly #sdcIds: ReadonlySet<string>;
  readonly #makers: ReadonlyMap<string, SdcReading>;

  constructor(read: ReadArray, search: Search, nowMs: number) {
    this.#read = read;
    this.#search = search;
    this.#nowMs = nowMs;
    this.#volumeIds = new Set(read.volumes.map(({ id }) => id));
    this.#sdcIds = new Set(read.sdcs.map(({ id }) => id));
    this.#makers = makersOf(read.sdcs, search.prefix);
  }

  find(): Leftover[] {
    return this.#read.volumes.flatMap((volume): Leftover[] => {
      if (volume.name === null) return [];
      const mark = markOfProvisional(volume.name);
      if (mark !== undefined) return this.#unfinished(volume, mark);
      const marker = parseMarker(volume.name);
      if (marker !== undefined) return this.#marker(volume, marker.volumeId);
      if (!isOurs(this.#search.prefix, volume.name)) return [];
      return [...this.#deadMappings(volume), ...this.#anonymous(volume)];
    });
  }

  #unfinished(volume: VolumeReading, mark: string): UnfinishedVolume[] {
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
  #makerObstacle(volume: VolumeReading, maker: SdcReading | undefined): string | undefined {
    const { isMappedToAll, isSnapshot, mappings } = volume;
    if (isSnapshot) return 'it is a snapshot, which no Create makes';
    if (isMappedToAll) return 'it is mapped to all SDCs';
    if (maker === undefined) {
      if (!this.#search.ofUnknownHosts)
        return 'no SDC of the array made it under our prefix; only ofUnknownHosts would allow it';
      return mappings.length > 0 ? 'it is mapped, and not to the host that made it' : undefined;
    }
    if (maker.isConnected === null) return 'the array does not say whether the host that made it is there';
    if (maker.isConnected && !this.#isForgotten(volume))
      return 'the host that made it is connected, and clears it away itself';
    const isElsewhere = mappings.some(({ sdcId, isSdc }) => !isSdc || sdcId !== maker.id);
    return isElsewhere ? 'it is mapped, and not only to the host that made it' : undefined;
  }

  /** What a host that is there has not cleared away by now it never will: its plugin is older, or has another GUID. */
  #isForgotten(volume: VolumeReading): boolean {
    const ageMs = this.#ageMs(volume) ?? 0;
    return volume.mappings.length === 0 && ageMs >= this.#search.olderThanMs + FORGOTTEN_MS;
  }

  #familyObstacle(volume: VolumeReading): string | undefined {
    const { id, vtreeId } = volume;
    if (vtreeId === null) return 'the array does not say whether it has snapshots';
    const others = this.#read.volumes.filter((other) => other.vtreeId === vtreeId && other.id !== id);
    return others.every((other) => isMarkerOf(id, other)) ? undefined : 'it has snapshots';
  }

  #marker(volume: VolumeReading, ofVolumeId: VolumeId): OrphanedMarker[] {
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

  #markerObstacle({ isSnapshot, isMappedToAll, mappings, sizeKiB }: VolumeReading): string | undefined {
    if (!isSnapshot && sizeKiB !== STAND_IN_KIB)
      return 'it is neither a snapshot, as markers are, nor of the size of a stand-in';
    if (isMappedToAll || mappings.length > 0) return 'it is mapped';
    return this.#search.ofUnknownHosts
      ? undefined
      : 'its name does not tell whose it was; only ofUnknownHosts would allow it';
  }

  /** Since when no host has it the array does not say, nor whether a stopped container will want it again. */
  #anonymous(volume: VolumeReading): LikelyAnonymous[] {
    const { name, isMappedToAll, isSnapshot, mappings } = volume;
    const isHad = isMappedToAll || isSnapshot || mappings.length > 0;
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

  #deadMappings(volume: VolumeReading): DeadMapping[] {
    if (!this.#search.deadSdcMappings) return [];
    const dead = volume.mappings.filter(({ sdcId, isSdc }) => isSdc && !this.#sdcIds.has(sdcId));
    return dead.map(({ sdcId }) => ({
      kind: 'mapping',
      volume,
      sdcId,
      target: `${targetOf(volume)} at SDC "${sdcId}"`,
      why: `it is mapped to SDC "${sdcId}"${this.#formerly(sdcId)}, which the array does not have any more`,
      obstacle: undefined,
    }));
  }

  #formerly(sdcId: SdcId): string {
    const name = this.#read.formerly?.(sdcId);
    return name === undefined ? '' : ` (last known as ${name})`;
  }

  #ageMs({ createdAt }: VolumeReading): number | undefined {
    return createdAt === null ? undefined : this.#nowMs - createdAt * 1000;
  }

  /** Most likely a Create is at it just now. */
  #isYoung(volume: VolumeReading): boolean {
    const ageMs = this.#ageMs(volume) ?? Number.POSITIVE_INFINITY;
    return ageMs > -CLOCKS_DIFFER_MS && ageMs < this.#search.olderThanMs;
  }

  #clockObstacle(volume: VolumeReading): string | undefined {
    const ageMs = this.#ageMs(volume);
    if (ageMs === undefined) return 'the array does not say when it was made';
    return ageMs < 0 ? "it was made in the future: the array's clock or this one is wrong" : undefined;
  }

  #ageOf(volume: VolumeReading): string {
    const ageMs = this.#ageMs(volume);
    return ageMs === undefined || ageMs < 0 ? 'made' : `made ${formatDuration(ageMs)} ago`;
  }
}

/** By the mark in the names that they give. Where two have one mark, the one that is there counts. */
function makersOf(sdcs: readonly SdcReading[], prefix: string): ReadonlyMap<string, SdcReading> {
  const makers = new Map<string, SdcReading>();
  for (const sdc of sdcs.toSorted((one, other) => Number(mayBeThere(one)) - Number(mayBeThere(other))))
    if (sdc.guid !== null) makers.set(provisionalMark(sdc.guid, prefix), sdc);
  return makers;
}

/** Rule 16: of whom the array says nothing may be at work. */
function mayBeThere({ isConnected }: SdcReading): boolean {
  return isConnected !== false;
}

function targetOf({ id, name }: VolumeReading): string {
  return `volume "${name ?? ''}" (${id})`;
}

function wordsFor({ id, name, ip, isConnected, lastKnown }: SdcReading): string {
  const state = isConnected === null ? 'perhaps there' : isConnected ? 'connected' : 'away';
  const known = lastKnown?.includes(name === null ? 'ip' : 'name') === true ? ' (last known)' : '';
  return `"${name ?? ip ?? id}"${known}, which is ${state},`;
}
