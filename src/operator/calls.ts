import * as z from 'zod';
import { asHostId, asVolumeId } from '../array/ids.ts';
import { ERROR_CODES } from '../errors.ts';
import type { ActionName, Result, Wanted } from '../volumes/operator-actions.ts';
import { fenceRecordSchema } from '../volumes/takeover/fence-record.ts';
import { POLICY_CHOICES } from '../volumes/volume.ts';

/** The door's socket in the state directory: not among the engine's plugins, because an engine activates whatever lies there. */
export const DOOR_SOCKET = 'operator.sock';

const volumeId = z.string().transform(asVolumeId);
const shown = { name: z.string(), volumeId };
const nameless = z.strictObject({ volumeId, arrayName: z.string() });
const policy = z.enum(POLICY_CHOICES);
const how = z.enum(['none', 'rename', 'stand-in', 'snapshot', 'drop']);
const moment = z.string().nullable();
const limit = z.int().nonnegative().nullable();
const nothing = z.null().transform(() => undefined);

/** Body of every answer with status 200. */
const answering = <T extends z.ZodType>(result: T) => z.object({ result });

/** The calls of the door: POST of a JSON object, answered with `{"result": …}`, or with a DoorFailure and another status. */
const CALLS = {
  forceRelease: {
    path: '/v1/force-release',
    request: z.strictObject({ ...shown, hostId: z.string().transform(asHostId), by: z.string() }),
    answer: answering(fenceRecordSchema.nullable().transform((fence) => fence ?? undefined)),
  },
  changeFailover: {
    path: '/v1/failover',
    request: z.strictObject({ ...shown, before: policy, policy, how }),
    answer: answering(nothing),
  },
  release: { path: '/v1/release', request: z.strictObject(shown), answer: answering(nothing) },
  endUnfinishedLook: {
    path: '/v1/anonymous/end-look',
    request: z.strictObject({}),
    answer: answering(nothing),
  },
  lookIntoAnonymous: {
    path: '/v1/anonymous/look',
    request: nameless,
    answer: answering(
      z
        .string()
        .nullable()
        .transform((name) => name ?? undefined),
    ),
  },
  removeAnonymous: { path: '/v1/anonymous/remove', request: nameless, answer: answering(nothing) },
  grow: {
    path: '/v1/grow',
    request: z.strictObject({ name: z.string(), sizeKiB: z.int().positive() }),
    answer: answering(
      z.object({
        beforeKiB: z.number(),
        sizeKiB: z.number(),
        holder: z.string().nullable(),
        filesystem: z.enum(['here', 'later', 'holder', 'mount']),
        why: z.string().nullable(),
      }),
    ),
  },
  limit: {
    path: '/v1/limit',
    request: z.strictObject({ name: z.string(), iops: limit, bandwidthKiBps: limit }),
    answer: answering(
      z.object({
        iops: z.number(),
        bandwidthKiBps: z.number(),
        holders: z.array(z.string()),
        keptBy: z.enum(['label', 'holder', 'nobody']),
      }),
    ),
  },
  remove: {
    path: '/v1/remove',
    request: z.strictObject({ name: z.string(), now: z.boolean() }),
    answer: answering(nothing),
  },
  undelete: {
    path: '/v1/trash/undelete',
    request: z.strictObject({ wanted: z.string(), as: z.string().nullable() }),
    answer: answering(z.object(shown)),
  },
  eraseTrashed: {
    path: '/v1/trash/erase',
    request: z.strictObject({ volumeId, arrayName: z.string(), withSnapshots: z.boolean() }),
    answer: answering(z.object({ snapshots: z.int().nonnegative() })),
  },
  takeSnapshots: {
    path: '/v1/snapshots/take',
    request: z.strictObject({
      names: z.array(z.string()),
      snapshot: z.string().nullable(),
      expireMs: z.number().positive().nullable(),
      secureForMinutes: z.int().positive().nullable(),
    }),
    answer: answering(
      z.array(
        z.object({
          volume: z.string(),
          snapshot: z.string(),
          id: volumeId,
          consistency: z.enum(['frozen', 'crash-consistent', 'idle']),
        }),
      ),
    ),
  },
  listSnapshots: {
    path: '/v1/snapshots/list',
    request: z.strictObject({ name: z.string() }),
    answer: answering(
      z.object({
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
    ),
  },
  removeSnapshot: {
    path: '/v1/snapshots/remove',
    request: z.strictObject({ name: z.string(), snapshot: z.string() }),
    answer: answering(nothing),
  },
} satisfies { readonly [A in ActionName]: DoorCall<A> };

/** One call of the door: where, with what, and what comes back. */
export interface DoorCall<A extends ActionName> {
  readonly path: string;
  readonly request: z.ZodType<Wanted<A>>;
  readonly answer: z.ZodType<{ readonly result: Result<A> }>;
}

export function doorCall<A extends ActionName>(action: A): DoorCall<A> {
  // Each entry is held against its own action above, which no index by a name can say.
  return CALLS[action] as unknown as DoorCall<A>;
}

/** Body of an answer that says why not; a code that only another version knows reads as PLUGIN. */
export const doorFailure = z.object({
  code: z.enum(ERROR_CODES).catch('PLUGIN'),
  message: z.string(),
  retryable: z.boolean(),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type DoorFailure = z.output<typeof doorFailure>;
