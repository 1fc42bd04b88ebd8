import { asVolumeId, type VolumeId } from '../../array/ids.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { isPluginError } from '../../errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import { snapshotsAmong } from '../../volumes/copies/family-snapshots.ts';
import type { SeenVolume } from './array-view.ts';
import type { RoomView, SnapshotView, VolumeDetail } from './detail-data.ts';
import type { IoWatch } from './io-watch.ts';
import { volumeViewIn, type OverviewSources } from './overview.ts';

export interface VolumeDetailsParts {
  readonly array: Pick<StorageArray, 'volumesOfFamily' | 'usageOfFamilies'>;
  readonly sources: OverviewSources;
  readonly io: Pick<IoWatch, 'ofVolume'>;
  /** Asks the host that has the volume; never rejects for anything that hosts do. */
  readonly roomOf: RoomOf;
  readonly clock: Pick<Clock, 'now' | 'elapsed'>;
}

export type RoomOf = (volume: ArrayVolume, signal: AbortSignal) => Promise<RoomView>;

/** What came of opening a volume. `failed`: the array cannot say now, and why. */
export type Opened =
  | { readonly kind: 'shown'; readonly detail: VolumeDetail }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'failed'; readonly why: string };

/** What the array says of a volume's family. */
type Read = Pick<VolumeDetail, 'readAt' | 'snapshots' | 'otherCopies' | 'heldKiB' | 'copiesHeldKiB' | 'room'>;

interface Kept {
  readonly at: number;
  readonly reading: Promise<Read | string>;
}

const GONE: RoomView = { kind: 'unknown', why: 'the array has the volume no more' };
const FRESH_MS = 5000;
/** Readings of any volumes within the time that one counts as fresh. */
const MOST_READINGS = 20;
const LIMIT_MS = 15_000;

/**
 * What a volume opens to. Two gateway calls per opening; who opens the same within 5 s gets the same, and so many viewers cost no more
 * than one. Of 20 different ones within 5 s the next is put off.
 */
export class VolumeDetails {
  readonly #parts: VolumeDetailsParts;
  readonly #kept = new Map<VolumeId, Kept>();

  constructor(parts: VolumeDetailsParts) {
    this.#parts = parts;
  }

  /** Never rejects for anything the array does. */
  async open(id: string): Promise<Opened> {
    const volume = this.#seen(id);
    if (volume === undefined) return { kind: 'unknown' };
    const reading = this.#reading(volume);
    if (reading === undefined) return { kind: 'busy' };
    const read = await reading;
    if (typeof read === 'string') return { kind: 'failed', why: read };
    // What moved meanwhile is newer than what was read.
    const { sources, io } = this.#parts;
    const now = this.#seen(id) ?? volume;
    const moves = sources.watch.movesOf(volume.id);
    return {
      kind: 'shown',
      detail: {
        version: 1,
        ...read,
        volume: volumeViewIn(sources, now),
        io: io.ofVolume(id) ?? null,
        moves,
      },
    };
  }

  /** Only what the overview can show is ever asked for. */
  #seen(id: string): SeenVolume | undefined {
    return this.#parts.sources.watch.sighting?.volumes.get(asVolumeId(id));
  }

  #reading(volume: SeenVolume): Kept['reading'] | undefined {
    const at = this.#parts.clock.elapsed();
    for (const [id, kept] of this.#kept) if (at - kept.at >= FRESH_MS) this.#kept.delete(id);
    const known = this.#kept.get(volume.id);
    if (known !== undefined) return known.reading;
    if (this.#kept.size >= MOST_READINGS) return undefined;
    const reading = this.#read(volume);
    this.#kept.set(volume.id, { at, reading });
    return reading;
  }

  async #read(volume: SeenVolume): Promise<Read | string> {
    const { array, roomOf, clock } = this.#parts;
    const { id, familyId } = volume;
    const signal = AbortSignal.timeout(LIMIT_MS);
    try {
      const [family, usages] = await Promise.all([
        array.volumesOfFamily({ id, familyId }, signal),
        array.usageOfFamilies(familyId === null ? [] : [familyId], signal),
      ]);
      const usage = familyId === null ? undefined : usages.get(familyId);
      const snapshots = snapshotsIn(family, volume);
      const self = family.find((member) => member.id === id);
      return {
        room: self === undefined ? GONE : await roomOf(self, signal),
        readAt: new Date(clock.now()).toISOString(),
        snapshots,
        otherCopies: family.filter((member) => member.id !== id).length - snapshots.length,
        heldKiB: usage?.baseKiB ?? null,
        copiesHeldKiB: usage?.snapshotsKiB ?? null,
      };
    } catch (error) {
      if (isPluginError(error)) return error.message;
      throw error;
    }
  }
}

/** Those that this product took, and those that a policy of the array took, oldest first. */
function snapshotsIn(family: readonly ArrayVolume[], { id }: SeenVolume): SnapshotView[] {
  const own = snapshotsAmong(family, { id });
  const ofPolicy = family.filter(
    (member) =>
      member.madeByPolicy && member.ancestorId === id && !own.some(({ volume }) => volume.id === member.id),
  );
  const all = [
    ...own.map(({ volume, name, expiresAtSeconds, isFrozen }) => ({
      volume,
      name,
      expiresAtSeconds,
      isFrozen,
    })),
    ...ofPolicy.map((volume) => ({
      volume,
      name: volume.name ?? volume.id,
      expiresAtSeconds: null,
      isFrozen: false,
    })),
  ];
  return all
    .sort((one, other) => (one.volume.createdAtSeconds ?? 0) - (other.volume.createdAtSeconds ?? 0))
    .map(({ volume, name, expiresAtSeconds, isFrozen }) => ({
      id: volume.id,
      name,
      takenAt: iso(volume.createdAtSeconds),
      expiresAt: iso(expiresAtSeconds),
      secureUntil: iso(volume.secureUntilSeconds),
      consistency: isFrozen ? 'frozen' : 'crash-consistent',
      isOfPolicy: volume.madeByPolicy,
      sizeKiB: volume.sizeKiB,
    }));
}

function iso(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString();
}
