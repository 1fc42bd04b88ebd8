import * as z from 'zod';
import type { IoRate, SnapshotPolicy, VolumeIo } from '../../array/copies.ts';
import { asPolicyId, asVolumeId, type VolumeId } from '../../array/ids.ts';
import { unclear } from '../wire/bodies.ts';
import { boolean, id, name, number } from '../wire/fields.ts';

const ID = /^[0-9a-f]{16}$/;

/** Ids of new snapshots in the order of the request [cinder, gsio]; rule 15: as many as were asked for, each another. */
export const snapshotsSchema = z
  .object({ volumeIdList: z.array(z.string().regex(ID)) })
  .transform(({ volumeIdList }) => volumeIdList.map(asVolumeId));

/** The ids, which must answer a request for so many snapshots. */
export function asManyAs(ids: readonly VolumeId[], wanted: number): readonly VolumeId[] {
  if (ids.length !== wanted || new Set(ids).size !== wanted)
    throw unclear(`names ${ids.length} new snapshots, ${wanted} were asked for`);
  return ids;
}

/** Of one type the array says how many there may be; values come as text [array description of 4.5]. */
export const systemLimitsSchema = z.object({
  systemLimitEntryList: z.array(z.object({ type: name, maxVal: number.nullish().catch(null) })),
});

/** What the array lets a family hold beside its root; undefined when it does not say. */
export function familyLimitIn({
  systemLimitEntryList: entries,
}: z.output<typeof systemLimitsSchema>): number | undefined {
  const limitOf = (type: string): number | undefined =>
    entries.find((entry) => entry.type === type)?.maxVal ?? undefined;
  const volumes = limitOf('volumePerVtree');
  const limit = limitOf('snapshotsPerVtree') ?? (volumes === undefined ? undefined : volumes - 1);
  return limit === undefined || limit < 1 ? undefined : limit;
}

const seconds = number.nullish().transform((value) => (value === undefined || value === 0 ? null : value));

function accessOf(text: string | null): SnapshotPolicy['access'] {
  return text === 'ReadOnly' || text === 'ReadWrite' || text === 'NoAccess' ? text : null;
}

export const snapshotPolicySchema = z
  .object({
    id,
    name,
    snapshotPolicyState: name,
    autoSnapshotCreationCadenceInMin: number.nullish(),
    numOfRetainedSnapshotsPerLevel: z.array(number).nullish(),
    snapshotAccessMode: name,
    secureSnapshots: boolean.nullish(),
    timeOfLastAutoSnapshot: seconds,
    nextAutoSnapshotCreationTime: seconds,
  })
  .transform((wire): SnapshotPolicy => ({
    id: asPolicyId(wire.id),
    name: wire.name,
    isActive: wire.snapshotPolicyState === 'Active',
    cadenceMinutes: wire.autoSnapshotCreationCadenceInMin ?? null,
    retained: wire.numOfRetainedSnapshotsPerLevel ?? [],
    access: accessOf(wire.snapshotAccessMode),
    isSecure: wire.secureSnapshots ?? null,
    lastTakenAtSeconds: wire.timeOfLastAutoSnapshot,
    nextAtSeconds: wire.nextAutoSnapshotCreationTime,
  }));

const counter = z.object({ numSeconds: number, totalWeightInKb: number, numOccured: number });
type Counter = z.output<typeof counter>;

export const IO_PROPERTIES = ['userDataReadBwc', 'userDataWriteBwc'] as const;
/** From 3.0 on. */
export const LATENCY_PROPERTIES = ['userDataSdcReadLatency', 'userDataSdcWriteLatency'] as const;

/** By volume. */
export const volumeIoSchema = z.record(
  z.string(),
  z
    .object({
      userDataReadBwc: counter.nullish(),
      userDataWriteBwc: counter.nullish(),
      userDataSdcReadLatency: counter.nullish(),
      userDataSdcWriteLatency: counter.nullish(),
    })
    .transform((wire): VolumeIo => ({
      read: rateOf(wire.userDataReadBwc, wire.userDataSdcReadLatency),
      write: rateOf(wire.userDataWriteBwc, wire.userDataSdcWriteLatency),
    })),
);

/** A latency counter's "weight" is time in units of 1/1024 ms [karavi]. */
const MICROSECONDS_PER_WEIGHT = 1000 / 1024;

function rateOf(io: Counter | null | undefined, latency: Counter | null | undefined): IoRate {
  return {
    iops: io ? perSecond(io.numOccured, io.numSeconds) : null,
    kibPerSecond: io ? perSecond(io.totalWeightInKb, io.numSeconds) : null,
    latencyMicroseconds:
      latency && latency.numOccured > 0
        ? (latency.totalWeightInKb / latency.numOccured) * MICROSECONDS_PER_WEIGHT
        : null,
  };
}

/** An idle counter has no interval, and a counter of something without an interval says nothing. */
function perSecond(amount: number, overSeconds: number): number | null {
  if (overSeconds > 0) return amount / overSeconds;
  return amount === 0 ? 0 : null;
}

export const USAGE_PROPERTIES = ['baseNetCapacityInUseInKb', 'snapNetCapacityInUseInKb'] as const;

/** Of a family. */
export const familyUsageSchema = z
  .object({ baseNetCapacityInUseInKb: number.nullish(), snapNetCapacityInUseInKb: number.nullish() })
  .transform((wire) => ({
    baseKiB: wire.baseNetCapacityInUseInKb ?? null,
    snapshotsKiB: wire.snapNetCapacityInUseInKb ?? null,
  }));

/** By family. */
export const familyUsagesSchema = z.record(z.string(), familyUsageSchema);
