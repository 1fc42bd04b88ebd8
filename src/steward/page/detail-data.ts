import type { TimelineEntry, VolumeView } from './page-data.ts';

/*
 * What GET /api/volumes/ID answers, version 1 (docs/page.md): what the overview has no room for. Fields may be added within a version;
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
  /** What happened to it while this steward looked, newest first. */
  readonly moves: readonly TimelineEntry[];
}
