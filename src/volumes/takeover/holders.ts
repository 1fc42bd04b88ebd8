import { VolumeNotFoundError } from '../../errors.ts';
import type { HostIdentity } from '../volume-host.ts';
import type { HostState } from '../../array/host.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume, Attachment } from '../../array/volume.ts';

/** Who holds a volume, as operators look for them: name and address, else what there is. */
export function describeHolder(holder: HolderName): string {
  const { name, ip, isLastKnown } = nameOfHolder(holder);
  const known = isLastKnown ? ['last known'] : [];
  const [title = holder.hostId, ...more] = [name, ip].filter((word) => word !== null);
  const aside = [...more, ...known].join(', ');
  return aside === '' ? title : `${title} (${aside})`;
}

type HolderName = Pick<Attachment, 'hostId' | 'hostName' | 'hostAddress' | 'lastKnown'>;

/** What the array says of a holder, else what this host last knew. */
export function nameOfHolder({ hostName, hostAddress, lastKnown }: Omit<HolderName, 'hostId'>): {
  readonly name: string | null;
  readonly ip: string | null;
  readonly isLastKnown: boolean;
} {
  const name = hostName ?? lastKnown?.name ?? null;
  const ip = hostAddress ?? lastKnown?.address ?? null;
  return { name, ip, isLastKnown: name !== hostName || ip !== hostAddress };
}

/** This host as a holder, in the same words. */
export function describeSelf({ hostId, hostName, hostAddress }: HostIdentity): string {
  return describeHolder({ hostId, hostName, hostAddress });
}

/** Rule 16: unknown unless the array says so. One gateway call, two for an NVMe host. */
export async function stateOfHolder(
  array: StorageArray,
  { hostId }: Attachment,
  signal: AbortSignal,
): Promise<HostState> {
  const host = await array.getHost(hostId, signal);
  return host?.state ?? 'unknown';
}

/** The attachments of hosts other than this one's. */
export function attachmentsOfOthers(volume: ArrayVolume, me: HostIdentity): readonly Attachment[] {
  return volume.attachments.filter(({ hostId }) => hostId !== me.hostId);
}

export function isHeldBy(volume: ArrayVolume, attachment: Attachment): boolean {
  return volume.attachments.some(({ hostId }) => hostId === attachment.hostId);
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
