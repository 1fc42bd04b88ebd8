import * as z from 'zod';
import { ERROR_CODES } from '../errors.ts';
import { schemaOf } from '../volumes/action-schemas.ts';
import type { ActionName, Result, Wanted } from '../volumes/operator-actions.ts';

/** The door's socket in the state directory: not among the engine's plugins, because an engine activates whatever lies there. */
export const DOOR_SOCKET = 'operator.sock';

/** The calls of the door: POST of a JSON object, answered with `{"result": …}`, or with a DoorFailure and another status. */
const PATHS: Readonly<Record<ActionName, string>> = {
  forceRelease: '/v1/force-release',
  changeFailover: '/v1/failover',
  release: '/v1/release',
  endUnfinishedLook: '/v1/anonymous/end-look',
  lookIntoAnonymous: '/v1/anonymous/look',
  removeAnonymous: '/v1/anonymous/remove',
  grow: '/v1/grow',
  limit: '/v1/limit',
  remove: '/v1/remove',
  undelete: '/v1/trash/undelete',
  eraseTrashed: '/v1/trash/erase',
  takeSnapshots: '/v1/snapshots/take',
  listSnapshots: '/v1/snapshots/list',
  removeSnapshot: '/v1/snapshots/remove',
  snapshotPolicy: '/v1/snapshot-policy',
  restore: '/v1/restore',
  create: '/v1/create',
  rename: '/v1/rename',
  seal: '/v1/seal',
  adopt: '/v1/adopt',
  lookAtRoom: '/v1/room',
  listClasses: '/v1/classes',
};

/** One call of the door: where, with what, and what comes back with status 200. */
export interface DoorCall<A extends ActionName> {
  readonly path: string;
  readonly request: z.ZodType<Wanted<A>>;
  readonly answer: z.ZodType<{ readonly result: Result<A> }>;
}

export function doorCall<A extends ActionName>(action: A): DoorCall<A> {
  const { wanted, result } = schemaOf(action);
  return { path: PATHS[action], request: wanted, answer: z.object({ result }) };
}

/** Body of an answer that says why not; a code that only another version knows reads as PLUGIN. */
export const doorFailure = z.object({
  code: z.enum(ERROR_CODES).catch('PLUGIN'),
  message: z.string(),
  retryable: z.boolean(),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type DoorFailure = z.output<typeof doorFailure>;
