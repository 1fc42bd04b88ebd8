import { VolumeNotFoundError } from '../../errors.ts';
import type { HostIdentity } from '../volume-host.ts';
import type { StorageArray } from '../ports.ts';
import type { ArrayVolume, HolderState, Mapping } from '../volume.ts';

/** Who holds a volume, as operators look for them: name and address, else what there is. */
export function describeHolder(holder: HolderName): string {
  const { name, ip, isLastKnown } = nameOfHolder(holder);
  const known = isLastKnown ? ['last known'] : [];
  const [title = holder.sdcId, ...more] = [name, ip].filter((word) => word !== null);
  const aside = [...more, ...known].join(', ');
  return aside === '' ? title : `${title} (${aside})`;
}

type HolderName = Pick<Mapping, 'sdcId' | 'sdcName' | 'sdcIp' | 'lastKnown'>;

/** What the array says of a holder, else what this host last knew. */
export function nameOfHolder({ sdcName, sdcIp, lastKnown }: Omit<HolderName, 'sdcId'>): {
  readonly name: string | null;
  readonly ip: string | null;
  readonly isLastKnown: boolean;
} {
  const name = sdcName ?? lastKnown?.name ?? null;
  const ip = sdcIp ?? lastKnown?.ip ?? null;
  return { name, ip, isLastKnown: name !== sdcName || ip !== sdcIp };
}

/** This host as a holder, in the same words. */
export function describeSelf({ sdcId, sdcName, sdcIp }: HostIdentity): string {
  return describeHolder({ sdcId, sdcName, sdcIp });
}

/** Rule 16: unknown unless the array says so. One gateway call, two for an NVMe host. */
export async function stateOfHolder(
  array: StorageArray,
  { sdcId }: Mapping,
  signal: AbortSignal,
): Promise<HolderState> {
  const sdc = await array.getSdc(sdcId, signal);
  return sdc?.state ?? 'unknown';
}

/** The mappings of SDCs other than this host's. */
export function mappingsOfOthers(volume: ArrayVolume, me: HostIdentity): readonly Mapping[] {
  return volume.mappings.filter(({ sdcId }) => sdcId !== me.sdcId);
}

export function isHeldBy(volume: ArrayVolume, mapping: Mapping): boolean {
  return volume.mappings.some(({ sdcId }) => sdcId === mapping.sdcId);
}

/** The volume as it is now: one gateway call. Rejects with VolumeNotFoundError when it was removed meanwhile. */
export async function readAgain(
  array: StorageArray,
  volume: ArrayVolume,
  signal: AbortSignal,
): Promise<ArrayVolume> {
  const now = await array.getVolume(volume.id, signal);
  if (now !== undefined) return now;
  throw new VolumeNotFoundError(`volume "${volume.name ?? volume.id}" was removed meanwhile`);
}
