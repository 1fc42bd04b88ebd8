import * as z from 'zod';
import type { VolumeIo } from '../../array/copies.ts';
import type { ArrayHost } from '../../array/host.ts';
import type { PoolId } from '../../array/ids.ts';
import type { ArrayVolume } from '../../array/volume.ts';
import { volumeNameOf } from '../../volumes/naming.ts';
import type { TrashedVolume } from '../../volumes/trash/list-trash.ts';
import { poolView } from '../page/pool-view.ts';
import type { PoolView } from '../page/page-data.ts';
import type { StewardSnapshot } from '../steward.ts';

/* What is read through the API. Sizes are KiB, times ISO 8601; null: the array does not say. */

const time = () => z.string().nullable();

export const volumeSchema = z
  .object({
    name: z
      .string()
      .nullable()
      .describe('null: too long for the array, which has only its beginning and a hash'),
    arrayName: z.string(),
    id: z.string(),
    pool: z.string().describe('domain/pool; its id until pools have been read'),
    sizeKiB: z.int(),
    createdAt: time(),
    isReadOnly: z.boolean(),
    isSnapshot: z.boolean(),
    isMappedToAll: z.boolean().describe('every host may use it; holders are then not all'),
    holders: z.array(
      z.object({
        hostId: z.string(),
        name: z.string().nullable(),
        address: z.string().nullable(),
        limitIops: z.int().describe('0: no limit'),
        limitBandwidthKiBps: z.int().describe('0: no limit'),
      }),
    ),
  })
  .meta({ id: 'Volume' });
export type VolumeOfApi = z.output<typeof volumeSchema>;

const rateSchema = z.object({
  iops: z.number().nullable(),
  kibPerSecond: z.number().nullable(),
  latencyMicroseconds: z
    .number()
    .nullable()
    .describe('mean, as hosts see it; null also where there was no I/O'),
});

const ioSchema = z
  .object({ read: rateSchema, write: rateSchema })
  .meta({ id: 'Io', description: "of the array's last measuring interval, some seconds" });

/** One volume, looked at by itself. */
export const shownVolumeSchema = volumeSchema
  .extend({ io: ioSchema.nullable().describe('null: the array does not say') })
  .meta({ id: 'ShownVolume' });

const progressSchema = z
  .object({
    leftKiB: z.number(),
    percent: z.number().describe('done, of the most that was left since this steward saw it begin'),
  })
  .meta({ id: 'Progress' });

export const trashedSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable().describe('null: only its beginning is known'),
    shown: z.string(),
    removedAt: time(),
    sizeKiB: z.int(),
    pool: z.string(),
    isBeingErased: z.boolean(),
  })
  .meta({ id: 'TrashedVolume' });

export const poolSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    domain: z.string(),
    limitKiB: z.number(),
    usedKiB: z.number(),
    spareKiB: z.number(),
    unusedKiB: z.number(),
    committedKiB: z.number().describe('provisioned size of thin volumes, written or not'),
    usedPercent: z.number().describe('of what is not spare'),
    level: z.enum(['ok', 'warn', 'critical', 'unknown']),
    contradiction: z.string().nullable(),
    watched: z.object({ warn: z.number(), critical: z.number() }).nullable(),
    health: z.array(z.string()),
    forecast: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('unknown'), why: z.string() }),
      z.object({ kind: z.literal('steady') }),
      z.object({ kind: z.literal('full'), at: z.string(), kibPerDay: z.number() }),
    ]),
    devices: z.int(),
    growth: z.string().nullable().describe('what the steward would add next, or why it adds nothing now'),
    trash: z
      .object({ volumes: z.int(), sizeKiB: z.int() })
      .nullable()
      .describe('what removed volumes hold; null: not watched'),
    rebuild: progressSchema.nullable().describe('null: none goes on'),
    rebalance: progressSchema
      .nullable()
      .describe('moving data until the devices are used evenly, as after growth; null: none goes on'),
    io: ioSchema
      .nullable()
      .describe(
        'of all its volumes, asked for every 30 s; null: not known, as where the steward serves no page',
      ),
  })
  .meta({ id: 'Pool' });

export const poolsSchema = z.object({
  readAt: time().describe('when the array last said so'),
  reachable: z.boolean().describe('false: what is shown is what the array last said'),
  failure: z.string().nullable(),
  acts: z.boolean().describe('false: the steward decides and changes nothing by itself'),
  pools: z.array(poolSchema),
});

export const hostSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    kind: z.enum(['sdc', 'nvme']),
    guid: z.string().nullable(),
    address: z.string().nullable(),
    state: z.enum(['connected', 'disconnected', 'unknown']),
    isApproved: z.boolean(),
    version: z.string().nullable(),
  })
  .meta({ id: 'Host' });

/** What people call pools, by id. */
export function poolNames({ pools }: Pick<StewardSnapshot, 'pools'>): ReadonlyMap<string, string> {
  return new Map(pools.map(({ reading }) => [reading.id, `${reading.domainName}/${reading.name}`]));
}

/** `name`: as its users write it, where it is known from elsewhere. */
export function volumeOfApi(
  volume: ArrayVolume,
  { prefix, pools, name }: { prefix: string; pools: ReadonlyMap<string, string>; name?: string },
): VolumeOfApi {
  const { id, poolId, sizeKiB, createdAtSeconds, accessModeLimit, kind, attachedToAll, attachments } = volume;
  const arrayName = volume.name ?? '';
  return {
    id,
    arrayName,
    sizeKiB,
    name: name ?? volumeNameOf(prefix, arrayName) ?? null,
    pool: pools.get(poolId) ?? poolId,
    createdAt: iso(createdAtSeconds === null ? null : createdAtSeconds * 1000),
    isReadOnly: accessModeLimit === 'ReadOnly',
    isSnapshot: kind === 'snapshot',
    isMappedToAll: attachedToAll,
    holders: attachments.map(({ hostId, hostName, hostAddress, limitIops, limitBandwidthKiBps }) => {
      return { hostId, name: hostName, address: hostAddress, limitIops, limitBandwidthKiBps };
    }),
  };
}

export function trashedOfApi(
  { volumeId: id, name, shown, removedAtMs, sizeKiB, poolId, isBeingErased }: TrashedVolume,
  pools: ReadonlyMap<string, string>,
): z.output<typeof trashedSchema> {
  const removedAt = iso(removedAtMs);
  return { id, name, shown, removedAt, sizeKiB, isBeingErased, pool: pools.get(poolId) ?? poolId };
}

/** `io`: what each pool did when it was last asked. */
export function poolsOfApi(
  snapshot: StewardSnapshot,
  io: ReadonlyMap<PoolId, VolumeIo>,
): z.output<typeof poolsSchema> {
  const { readAt, reachable, failure, acts, trash } = snapshot;
  const pools = snapshot.pools.map((pool) => {
    const { health, ...view }: PoolView = poolView(pool, trash, Date.parse(readAt ?? ''));
    return { ...view, health: [...health], io: io.get(pool.reading.id) ?? null };
  });
  return { readAt, reachable, failure, acts, pools };
}

export function hostOfApi(host: ArrayHost): z.output<typeof hostSchema> {
  const { id, name, kind, guid, address, state, isApproved, version } = host;
  return { id, name, kind, guid, address, state, isApproved, version };
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
