import * as z from 'zod';
import type { HostId, VolumeId } from '../array/ids.ts';
import type { ActionName, Result, Wanted } from './operator-actions.ts';
import { fenceRecordSchema } from './takeover/fence-record.ts';
import { POLICY_CHOICES } from './volume.ts';

/** What an action is asked with, and what it answers, as every door reads and describes them. */
export interface ActionSchema<A extends ActionName> {
  readonly wanted: z.ZodType<Wanted<A>>;
  readonly result: z.ZodType<Result<A>>;
}

// A plain string to whoever reads the schema: what is transformed has no JSON Schema.
const volumeId = z.string() as unknown as z.ZodType<VolumeId>;
const hostId = z.string() as unknown as z.ZodType<HostId>;
const shown = { name: z.string(), volumeId };
const nameless = z.strictObject({ volumeId, arrayName: z.string() });
const policy = z.enum(POLICY_CHOICES);
const how = z.enum(['none', 'rename', 'stand-in', 'snapshot', 'drop']);
const moment = z.string().nullable();
const limit = z.int().nonnegative().nullable();
/** JSON has null for what is not there. */
const nothing = z.null().transform(() => undefined);

/** Each held against its own action. */
export const ACTION_SCHEMAS = {
  forceRelease: {
    wanted: z.strictObject({ ...shown, hostId, by: z.string() }),
    result: fenceRecordSchema.nullable().transform((fence) => fence ?? undefined),
  },
  changeFailover: { wanted: z.strictObject({ ...shown, before: policy, policy, how }), result: nothing },
  release: { wanted: z.strictObject(shown), result: nothing },
  endUnfinishedLook: { wanted: z.strictObject({}), result: nothing },
  lookIntoAnonymous: {
    wanted: nameless,
    result: z
      .string()
      .nullable()
      .transform((name) => name ?? undefined),
  },
  removeAnonymous: { wanted: nameless, result: nothing },
  grow: {
    wanted: z.strictObject({ name: z.string(), sizeKiB: z.int().positive() }),
    result: z.object({
      beforeKiB: z.number(),
      sizeKiB: z.number(),
      holder: z.string().nullable(),
      filesystem: z.enum(['here', 'later', 'holder', 'mount']),
      why: z.string().nullable(),
    }),
  },
  limit: {
    wanted: z.strictObject({ name: z.string(), iops: limit, bandwidthKiBps: limit }),
    result: z.object({
      iops: z.number(),
      bandwidthKiBps: z.number(),
      holders: z.array(z.string()),
      keptBy: z.enum(['label', 'holder', 'nobody']),
    }),
  },
  remove: { wanted: z.strictObject({ name: z.string(), now: z.boolean() }), result: nothing },
  undelete: {
    wanted: z.strictObject({ wanted: z.string(), as: z.string().nullable() }),
    result: z.object(shown),
  },
  eraseTrashed: {
    wanted: z.strictObject({ volumeId, arrayName: z.string(), withSnapshots: z.boolean() }),
    result: z.object({ snapshots: z.int().nonnegative() }),
  },
  takeSnapshots: {
    wanted: z.strictObject({
      names: z.array(z.string()),
      snapshot: z.string().nullable(),
      expireMs: z.number().positive().nullable(),
      secureForMinutes: z.int().positive().nullable(),
    }),
    result: z.array(
      z.object({
        volume: z.string(),
        snapshot: z.string(),
        id: volumeId,
        consistency: z.enum(['frozen', 'crash-consistent', 'idle']),
      }),
    ),
  },
  listSnapshots: {
    wanted: z.strictObject({ name: z.string() }),
    result: z.object({
      snapshots: z.array(
        z.object({
          snapshot: z.string(),
          id: volumeId,
          takenAt: moment,
          expiresAt: moment,
          secureUntil: moment,
          consistency: z.enum(['frozen', 'crash-consistent']),
          sizeKiB: z.number(),
          isInUse: z.boolean(),
        }),
      ),
      most: z.number(),
      heldKiB: z.number().nullable(),
    }),
  },
  removeSnapshot: { wanted: z.strictObject({ name: z.string(), snapshot: z.string() }), result: nothing },
  snapshotPolicy: {
    wanted: z.strictObject({
      name: z.string(),
      set: z.strictObject({ policy: z.string().nullable() }).nullable(),
    }),
    result: z.object({
      policy: z.string().nullable(),
      isActive: z.boolean().nullable(),
      before: z.string().nullable(),
    }),
  },
  restore: {
    wanted: z.strictObject({
      name: z.string(),
      snapshot: z.string(),
      keepMs: z.number().positive().nullable(),
    }),
    result: z.object({
      volume: z.string(),
      snapshot: z.string(),
      keptAs: z.string(),
      keptUntil: moment,
      lacks: z.string().nullable(),
    }),
  },
  create: {
    wanted: z.strictObject({ name: z.string(), options: z.record(z.string(), z.string()) }),
    result: z.object({ name: z.string(), volumeId: volumeId.nullable(), warnings: z.array(z.string()) }),
  },
  rename: { wanted: z.strictObject({ name: z.string(), to: z.string() }), result: z.object(shown) },
  seal: { wanted: z.strictObject({ name: z.string() }), result: z.object({ isChanged: z.boolean() }) },
  adopt: {
    wanted: z.strictObject({
      arrayName: z.string(),
      name: z.string().nullable(),
      inPlace: z.boolean(),
      subpath: z.string().nullable(),
    }),
    result: z.object({
      ...shown,
      arrayName: z.string(),
      sizeKiB: z.number(),
      content: z.enum(['ext4', 'xfs', 'btrfs', 'blank']),
      label: z.enum(['written', 'kept', 'none']),
    }),
  },
  lookAtRoom: {
    wanted: z.strictObject({ volumeId }),
    result: z.object({ sizeBytes: z.number(), usedBytes: z.number(), availableBytes: z.number() }).nullable(),
  },
  listClasses: {
    wanted: z.strictObject({}),
    result: z.array(z.object({ name: z.string(), options: z.record(z.string(), z.string()) })),
  },
} satisfies { readonly [A in ActionName]: ActionSchema<A> };

export function schemaOf<A extends ActionName>(action: A): ActionSchema<A> {
  // Each entry is held against its own action above, which no index by a name can say.
  return ACTION_SCHEMAS[action] as unknown as ActionSchema<A>;
}
