import { InvalidRequestError, VolumeNotFoundError } from '../../errors.ts';
import type { StorageArray } from '../../array/storage-array.ts';
import type { ArrayVolume, Attachment } from '../../array/volume.ts';
import { describeHolder } from '../takeover/holders.ts';
import type { VolumeName } from '../volume.ts';
import { limitsOf, type VolumeLimits } from './limits.ts';

/** What is asked for; null: that one stays as it is. */
export interface LimitChange {
  readonly name: VolumeName;
  readonly iops: number | null;
  readonly bandwidthKiBps: number | null;
}

/** Where limits are set: on attachments at once, and in the volume's label for every later host. */
export interface LimitingHost {
  readonly array: Pick<StorageArray, 'limitAttachment'>;
  readonly find: (name: VolumeName, signal: AbortSignal) => Promise<ArrayVolume | undefined>;
  /** Writes them into the volume's label; undefined: it has not the volume, so whoever has it does that. */
  readonly keep: (
    volume: ArrayVolume,
    name: VolumeName,
    change: (before: VolumeLimits) => VolumeLimits,
    signal: AbortSignal,
  ) => Promise<VolumeLimits | undefined>;
}

export interface ChangedLimits extends VolumeLimits {
  /** Whose attachment has them now. */
  readonly holders: readonly string[];
  /** label: they stand in the volume. holder: the host that has it writes them there, soon. nobody: they end with its attachments. */
  readonly keptBy: 'label' | 'holder' | 'nobody';
}

/**
 * Limits the volume at once on every host that has it, and for every later one. Two calls while a host has it, three where both limits go.
 * Rejects with VolumeNotFoundError, with InvalidRequestError for a volume that every host may use or that an NVMe host has, and as array
 * and `keep` do; limits that were set at the array then may stay.
 */
export async function changeLimits(
  { array, find, keep }: LimitingHost,
  wanted: LimitChange,
  signal: AbortSignal,
): Promise<ChangedLimits> {
  const { name } = wanted;
  const volume = await find(name, signal);
  if (volume === undefined)
    throw new VolumeNotFoundError(`limiting volume "${name}" failed: the array has no such volume`);
  const { attachments, id } = volume;
  assertLimitable(name, volume);
  const changed = (before: VolumeLimits): VolumeLimits => ({
    iops: wanted.iops ?? before.iops,
    bandwidthKiBps: wanted.bandwidthKiBps ?? before.bandwidthKiBps,
  });
  const asked = { iops: wanted.iops ?? undefined, bandwidthKiBps: wanted.bandwidthKiBps ?? undefined };
  for (const attachment of attachments)
    await array.limitAttachment({ volumeId: id, hostId: attachment.hostId }, asked, signal);
  const kept = await keep(volume, name, changed, signal);
  if (kept === undefined && attachments.length === 0)
    throw new InvalidRequestError(
      `limiting volume "${name}" failed: no host has it, and it is limited to reading, so nothing can be written into it; limit it while a host has it`,
      { context: { volumeId: id } },
    );
  return reportOf(volume, kept, changed);
}

function reportOf(
  { attachments, accessModeLimit }: ArrayVolume,
  kept: VolumeLimits | undefined,
  changed: (before: VolumeLimits) => VolumeLimits,
): ChangedLimits {
  const now = kept ?? changed(limitsOf(attachments[0] ?? NOBODY));
  const keptByHolder = accessModeLimit === 'ReadWrite' ? 'holder' : 'nobody';
  return {
    ...now,
    holders: attachments.map(describeHolder),
    keptBy: kept === undefined ? keptByHolder : 'label',
  };
}

const NOBODY: Pick<Attachment, 'limitIops' | 'limitBandwidthKiBps'> = {
  limitIops: 0,
  limitBandwidthKiBps: 0,
};

function assertLimitable(name: string, { attachments, attachedToAll, id }: ArrayVolume): void {
  const context = { volumeId: id };
  if (attachedToAll)
    throw new InvalidRequestError(
      `limiting volume "${name}" failed: every host may use it, and limits are for one host each`,
      { context },
    );
  const nvme = attachments.find(({ hostKind }) => hostKind === 'nvme');
  if (nvme === undefined) return;
  throw new InvalidRequestError(
    `limiting volume "${name}" failed: host ${describeHolder(nvme)} has it over NVMe/TCP, for which the array knows no limits`,
    { context },
  );
}
