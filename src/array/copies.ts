import type { ArrayName, FamilyId, PolicyId, VolumeId } from './ids.ts';

/** What anybody may do with a snapshot: a clone is one that may be written. */
export type CopyAccess = 'ReadOnly' | 'ReadWrite';

/** Snapshots that are to be taken at one instant. */
export interface CopyRequest {
  /** One snapshot each; never empty. A volume may be in it twice, a name may not. */
  readonly copies: readonly { readonly volumeId: VolumeId; readonly name: ArrayName }[];
  readonly access: CopyAccess;
  /** Until then nobody, not even an administrator, can remove or overwrite them; whole minutes, at most 31 days. */
  readonly secureForMinutes?: number | undefined;
  /** Snapshots that the caller has seen before: where the answer got lost, none of them is taken for what this call made. */
  readonly known?: ReadonlySet<VolumeId> | undefined;
}

/** How long a snapshot can be secured at most: 31 days. */
export const LONGEST_SECURED_MINUTES = 31 * 24 * 60;

/** What the array takes snapshots of by itself, and when. */
export interface SnapshotPolicy {
  readonly id: PolicyId;
  readonly name: string | null;
  /** It takes snapshots. False also in a state that is not known: nobody may count on it then. */
  readonly isActive: boolean;
  /** Between two snapshots of its first level; null where the array does not say. */
  readonly cadenceMinutes: number | null;
  /** How many it keeps at each level, the first being the shortest. */
  readonly retained: readonly number[];
  readonly access: CopyAccess | 'NoAccess' | null;
  /** Its snapshots are secured; null where the array does not say. */
  readonly isSecure: boolean | null;
  /** Seconds since 1970, as the array counts; null: none yet, or not said. */
  readonly lastTakenAtSeconds: number | null;
  readonly nextAtSeconds: number | null;
}

/** What a family holds on the disks, one copy counted. Null where the array does not say. */
export interface FamilyUsage {
  readonly familyId: FamilyId;
  /** The volume at its root. */
  readonly baseKiB: number | null;
  /** All its snapshots together, beyond what they share with the volume. */
  readonly snapshotsKiB: number | null;
}

/** One direction of a volume's I/O in the array's present measuring interval. Null where the array does not say. */
export interface IoRate {
  readonly iops: number | null;
  readonly kibPerSecond: number | null;
  /** As hosts see it; null also where there was no I/O. */
  readonly latencyMicroseconds: number | null;
}

export interface VolumeIo {
  readonly read: IoRate;
  readonly write: IoRate;
}
