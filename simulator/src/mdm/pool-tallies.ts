import type { VolumeRecord } from './records.ts';
import type { Observer } from './table.ts';

/** Sums over a pool's volumes, so that nothing has to walk 100,000 of them to answer. */
export interface PoolTally {
  readonly volumes: number;
  readonly thickBases: number;
  readonly thinBases: number;
  readonly snapshots: number;
  readonly unmapped: number;
  readonly mappedToAll: number;
  readonly vtrees: number;
  readonly thickKiB: number;
  readonly thinKiB: number;
  readonly snapshotKiB: number;
}

const NONE: PoolTally = {
  volumes: 0,
  thickBases: 0,
  thinBases: 0,
  snapshots: 0,
  unmapped: 0,
  mappedToAll: 0,
  vtrees: 0,
  thickKiB: 0,
  thinKiB: 0,
  snapshotKiB: 0,
};

/** Keeps every pool's tally as volumes come, change and go. */
export class PoolTallies implements Observer<VolumeRecord> {
  readonly #tallies = new Map<string, PoolTally>();
  readonly #vtreeSizes = new Map<string, number>();

  of(poolId: string): PoolTally {
    return this.#tallies.get(poolId) ?? NONE;
  }

  /** Number of volumes and snapshots in a VTree. */
  vtreeSize(vtreeId: string): number {
    return this.#vtreeSizes.get(vtreeId) ?? 0;
  }

  replace(before: VolumeRecord | undefined, after: VolumeRecord | undefined): void {
    if (before) this.#add(before, -1);
    if (after) this.#add(after, 1);
  }

  #add(volume: VolumeRecord, sign: 1 | -1): void {
    const tally = this.of(volume.poolId);
    const thick = volume.type === 'ThickProvisioned' ? sign : 0;
    const thin = volume.type === 'ThinProvisioned' ? sign : 0;
    const snapshot = volume.type === 'Snapshot' ? sign : 0;
    const mapped = volume.mappedToAll || volume.mappings.length > 0;
    this.#tallies.set(volume.poolId, {
      volumes: tally.volumes + sign,
      thickBases: tally.thickBases + thick,
      thinBases: tally.thinBases + thin,
      snapshots: tally.snapshots + snapshot,
      unmapped: tally.unmapped + (mapped ? 0 : sign),
      mappedToAll: tally.mappedToAll + (volume.mappedToAll ? sign : 0),
      vtrees: tally.vtrees + this.#countVtree(volume.vtreeId, sign),
      thickKiB: tally.thickKiB + thick * volume.sizeKiB,
      thinKiB: tally.thinKiB + thin * volume.sizeKiB,
      snapshotKiB: tally.snapshotKiB + snapshot * volume.sizeKiB,
    });
  }

  /** By how much the number of VTrees changes. */
  #countVtree(vtreeId: string, sign: 1 | -1): number {
    const before = this.vtreeSize(vtreeId);
    const after = before + sign;
    if (after === 0) this.#vtreeSizes.delete(vtreeId);
    else this.#vtreeSizes.set(vtreeId, after);
    if (before === 0) return 1;
    return after === 0 ? -1 : 0;
  }
}
