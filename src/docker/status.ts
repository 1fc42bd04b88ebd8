import { nameOfHolder } from '../volumes/takeover/holders.ts';
import type { FenceRecord, HostVolume, KnownVolume } from '../volumes/ports.ts';
import type { StoragePool } from '../array/pool.ts';
import type { ArrayVolume } from '../array/volume.ts';
import { describeOptions } from '../volumes/options/describe-options.ts';

/** What `docker volume inspect` shows under Status. Sizes with their unit; null where this host does not know. */
export type VolumeStatus = Readonly<Record<string, unknown>>;

export interface StatusSources {
  readonly known: KnownVolume;
  /** As the array described it for this answer, or the last time it was asked; undefined: not since the start. */
  readonly volume: ArrayVolume | undefined;
  readonly pool: StoragePool | undefined;
  readonly entry: HostVolume | undefined;
  /** True when the array could not be asked although this answer needed it. */
  readonly stale: boolean;
  /** The last time that this host took the volume from another. */
  readonly lastFence: FenceRecord | undefined;
  /** Whether the marker of a volume with a failover policy of its own is on the array; undefined: not looked for, or none is needed. */
  readonly marker: 'there' | 'missing' | undefined;
  /** This host as a holder, for a volume mounted here. */
  readonly self: { readonly sdc: string; readonly ip: string | null } | undefined;
}

/** Words the status of one volume. */
export function describeStatus(sources: StatusSources): VolumeStatus {
  const { known, volume, pool, entry, stale } = sources;
  return {
    id: known.volumeId,
    arrayName: known.arrayName,
    ...describeOptions({ known, volume, pool }, known.label),
    failoverMarker: sources.marker ?? null,
    mappedTo: holders(sources),
    mountedHere: entry?.phase === 'mounted',
    users: entry?.holders.length ?? 0,
    lastFence: sources.lastFence ?? null,
    stale,
  };
}

function holders({ volume, entry, self }: StatusSources): readonly object[] {
  if (entry?.phase === 'mounted' && self !== undefined) return [self];
  return (volume?.attachments ?? []).map((attachment) => {
    const { name, ip, isLastKnown } = nameOfHolder(attachment);
    return { sdc: name ?? attachment.hostId, ip, ...(isLastKnown ? { lastKnown: true } : {}) };
  });
}
