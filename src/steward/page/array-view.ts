import type { SdcReading, VolumeReading } from '../../inventory/ports.ts';
import { dockerNameOf, isOurs } from '../../volumes/naming.ts';
import type { SdcId, StoragePoolId, VolumeId } from '../../volumes/volume.ts';

/** A host that has a volume mapped. */
export interface Holder {
  readonly sdcId: SdcId;
  readonly ip: string | null;
  readonly limitIops: number;
  readonly limitBwKiBs: number;
  /** Ms since 1970 of the reading that first had it; null: it was so at the first reading of all. */
  readonly since: number | null;
}

/** A volume of ours in one reading. */
export interface SeenVolume {
  readonly id: VolumeId;
  readonly name: string;
  readonly poolId: StoragePoolId;
  readonly sizeKiB: number;
  /** Seconds since 1970; null where the array does not say. */
  readonly createdAt: number | null;
  readonly isReadOnly: boolean;
  readonly isSnapshot: boolean;
  /** Every SDC may use it; `holders` are then not all. */
  readonly isMappedToAll: boolean;
  readonly holders: readonly Holder[];
}

/** Our volumes and the array's hosts as one reading had them. */
export interface RepeatedFinding {
  /** Ms since 1970. */
  readonly at: number;
  /** By name, numbers in them counted as numbers. */
  readonly volumes: ReadonlyMap<VolumeId, SeenVolume>;
  readonly hosts: ReadonlyMap<SdcId, SdcReading>;
}

/**
 * What a reading says about the volumes whose names begin with the prefix; provisional ones have none yet, so they are left
 * out. A mapping keeps the time from which the sighting before knew it.
 */
export function sightingOf(
  prefix: string,
  readings: { readonly volumes: readonly VolumeReading[]; readonly sdcs: readonly SdcReading[] },
  at: number,
  before: RepeatedFinding | undefined,
): RepeatedFinding {
  const ours = readings.volumes
    .map((reading) => seen(prefix, reading, at, before))
    .filter((volume) => volume !== undefined)
    .map((volume) => ({ volume, key: sortKeyOf(volume.name) }))
    .sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  return {
    at,
    volumes: new Map(ours.map(({ volume }) => [volume.id, volume])),
    hosts: new Map(readings.sdcs.map((sdc) => [sdc.id, sdc])),
  };
}

/** Of names in the order of these keys, db9 stands before db10. Sorting 100,000 so takes half the time that Intl.Collator takes. */
function sortKeyOf(name: string): string {
  return name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(16, '0'));
}

/** What people call a host: its SDC's name, else its address, else its id. */
export function labelOf(
  sdcId: SdcId,
  hosts: ReadonlyMap<SdcId, SdcReading>,
  ip: string | null = null,
): string {
  const host = hosts.get(sdcId);
  return host?.name ?? host?.ip ?? ip ?? `SDC ${sdcId}`;
}

/** The same, and where the array does not say that now. */
export function describedHost(
  sdcId: SdcId,
  hosts: ReadonlyMap<SdcId, SdcReading>,
  ip: string | null = null,
): string {
  const label = labelOf(sdcId, hosts, ip);
  const field = lastKnownLabel(hosts.get(sdcId));
  if (field === undefined) return label;
  return `${label} (last known ${field === 'ip' ? 'address' : 'name'})`;
}

/** Which field the label comes from, where the array does not say it now. */
export function lastKnownLabel(host: SdcReading | undefined): 'name' | 'ip' | undefined {
  const field = host?.name == null ? 'ip' : 'name';
  return host?.lastKnown?.includes(field) === true ? field : undefined;
}

function seen(
  prefix: string,
  reading: VolumeReading,
  at: number,
  before: RepeatedFinding | undefined,
): SeenVolume | undefined {
  const { id, name: arrayName, mappings } = reading;
  if (arrayName === null || !isOurs(prefix, arrayName)) return undefined;
  const known = before?.volumes.get(id);
  const holders = mappings.map(({ sdcId, sdcIp: ip, limitIops, limitBwKiBs }): Holder => {
    const same = known?.holders.find((holder) => holder.sdcId === sdcId);
    const since = same === undefined && before !== undefined ? at : (same?.since ?? null);
    return { sdcId, ip, limitIops, limitBwKiBs, since };
  });
  const name = dockerNameOf(prefix, arrayName) ?? arrayName.slice(prefix.length);
  const { poolId, sizeKiB, createdAt, isReadOnly, isSnapshot, isMappedToAll } = reading;
  return { id, name, poolId, sizeKiB, createdAt, isReadOnly, isSnapshot, isMappedToAll, holders };
}
