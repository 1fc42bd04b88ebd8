import type { ArrayVolume, Attachment } from '../../array/volume.ts';
import type { VolumeLabel } from '../options/label.ts';

/** How fast a host may use a volume. They belong to the attachment and vanish with it. */
export interface VolumeLimits {
  /** I/O operations per second; 0: no limit. */
  readonly iops: number;
  /** KiB per second; 0: no limit. */
  readonly bandwidthKiBps: number;
}

export const NO_LIMITS: VolumeLimits = { iops: 0, bandwidthKiBps: 0 };

export function sameLimits(one: VolumeLimits, other: VolumeLimits): boolean {
  return one.iops === other.iops && one.bandwidthKiBps === other.bandwidthKiBps;
}

export function areNone(limits: VolumeLimits): boolean {
  return sameLimits(limits, NO_LIMITS);
}

export function limitsOf({
  limitIops,
  limitBandwidthKiBps,
}: Pick<Attachment, 'limitIops' | 'limitBandwidthKiBps'>): VolumeLimits {
  return { iops: limitIops, bandwidthKiBps: limitBandwidthKiBps };
}

export function labelledLimits(label: VolumeLabel | undefined): VolumeLimits {
  if (label === undefined) return NO_LIMITS;
  const { iops, bandwidthKiBps } = label;
  return { iops, bandwidthKiBps };
}

/**
 * The limits that a volume comes with from the host that had it, where somebody set any at the array: they hold on the next host, too.
 * Undefined where it comes from nobody, or from several. No limits at all tell nothing, because that is how every attachment begins.
 */
export function carriedLimits(
  volume: Pick<ArrayVolume, 'attachments'>,
  ownHostId: string,
): VolumeLimits | undefined {
  const [other, ...more] = volume.attachments;
  if (other === undefined || more.length > 0 || other.hostId === ownHostId || other.hostKind !== 'sdc')
    return undefined;
  const limits = limitsOf(other);
  return areNone(limits) ? undefined : limits;
}
