import type { PoolView, TimelineEntry, VolumeView } from './page-data.ts';

/*
 * What GET /api/volumes/ID and /api/pools/ID answer, version 1 (docs/page.md): what the overview has no room for. Fields may be added within a version;
 * none changes its meaning or goes. Times are ISO 8601, sizes KiB; null: the array does not say.
 */

/** A snapshot of a volume. */
export interface SnapshotView {
  readonly id: string;
  /** As people call it behind the "@"; of one that a policy of the array took, as it is on the array. */
  readonly name: string;
  readonly takenAt: string | null;
  /** Null: it stays until somebody removes it; or the array's policy decides. */
  readonly expiresAt: string | null;
  /** Until then nobody can remove it. */
  readonly secureUntil: string | null;
  /** frozen: it holds all that had been written. crash-consistent: as after a power cut. */
  readonly consistency: 'frozen' | 'crash-consistent';
  /** A policy of the array took it, and removes it. */
  readonly isOfPolicy: boolean;
  readonly sizeKiB: number;
}

/** Room in a volume's file system as the host says that has it mounted, or why that is not known here. */
export type RoomView =
  | {
      readonly kind: 'known';
      readonly sizeKiB: number;
      readonly usedKiB: number;
      readonly availableKiB: number;
    }
  | { readonly kind: 'unknown'; readonly why: string };

/** One volume, opened. */
export interface VolumeDetail {
  readonly version: 1;
  /** When the array said so; the answer may be some seconds old. */
  readonly readAt: string;
  readonly volume: VolumeView;
  /** Oldest first. */
  readonly snapshots: readonly SnapshotView[];
  /** Clones, and what others have made of the volume. */
  readonly otherCopies: number;
  /** What the volume itself holds on the disks, one copy counted. */
  readonly heldKiB: number | null;
  /** What all its copies hold together, beyond what they share with it: of one alone nobody can tell. */
  readonly copiesHeldKiB: number | null;
  readonly room: RoomView;
  /** Null: nothing is known yet, or there are too many volumes. */
  readonly io: IoHistory | null;
  /** What happened to it while this steward looked, newest first. */
  readonly moves: readonly TimelineEntry[];
}

/**
 * What the array counted of I/O at some moments of the last hour, each list as long as the first; null: not known, or no I/O to measure. Of
 * each moment it is what the array measured then, over its own interval of some seconds.
 */
export interface IoHistory {
  /** Seconds since 1970, rising. */
  readonly atSeconds: readonly number[];
  readonly readIops: readonly (number | null)[];
  readonly writeIops: readonly (number | null)[];
  readonly readKiBps: readonly (number | null)[];
  readonly writeKiBps: readonly (number | null)[];
  /** Microseconds, as hosts see it; of a pool the mean over its operations. */
  readonly readLatencyUs: readonly (number | null)[];
  readonly writeLatencyUs: readonly (number | null)[];
}

/** One pool, opened. */
export interface PoolDetail {
  readonly version: 1;
  readonly id: string;
  /** Null: nothing is known yet. */
  readonly io: IoHistory | null;
  /** What was used since this steward began to look, the further back the fewer. */
  readonly capacity: {
    /** Seconds since 1970, rising. */
    readonly atSeconds: readonly number[];
    readonly usedKiB: readonly number[];
    /** What may be used: all but the spare. */
    readonly roomKiB: number;
    readonly forecast: PoolView['forecast'];
  };
}
