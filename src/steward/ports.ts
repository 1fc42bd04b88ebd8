import type { PoolId } from '../array/ids.ts';
import type { TrashHeld } from '../volumes/trash/trash-held.ts';

/* What the parts of the steward know of one another. */

/** What the steward decides by itself. */
export type OwnAction = 'alert' | 'grow' | 'remove-volume' | 'unmap';

/** What applications and people have done through the API. */
export type AskedAction =
  | 'grow-volume'
  | 'limit-volume'
  | 'trash-volume'
  | 'undelete-volume'
  | 'take-snapshot'
  | 'remove-snapshot'
  | 'create-volume'
  | 'rename-volume'
  | 'restore-volume'
  | 'add-disk';

/** What was decided about whom, and what came of it. One shape for all actions, in the log and in memory. */
export interface AuditRecord {
  /** ISO 8601. */
  readonly at: string;
  readonly action: OwnAction | AskedAction;
  /** Name of the API's token that asked for it; not there: the steward decided it by itself. */
  readonly by?: string;
  /** The volumes that were asked for, by their names; not there: it says nothing of volumes, or not by their users' names. */
  readonly volumes?: readonly string[];
  /** What it was done to, for people: 'pool "pd1/sp1"'. */
  readonly target: string;
  /** planned: the policy does not let the steward act (dry run). blocked: it would be wrong now. */
  readonly outcome: 'planned' | 'done' | 'failed' | 'blocked';
  readonly why: string;
}

/** What was to be told, whether or not anybody is told. */
export interface News {
  /** ISO 8601. */
  readonly at: string;
  /** level: of a pool. sight: the array cannot be read for long, or can again. */
  readonly kind: 'level' | 'sight';
  readonly level: 'ok' | 'warn' | 'critical' | 'unknown';
  /** For people. */
  readonly text: string;
}

/** One thing that hosts which are gone have left on the array. */
export interface CleanupFinding {
  readonly action: 'remove-volume' | 'unmap';
  /** For people: 'volume "~new.…" (…)'. */
  readonly target: string;
  /** watched: not seen often and long enough. due: next, or only told in a dry run. kept: something speaks against it. */
  readonly state: 'watched' | 'due' | 'kept' | 'set aside';
  readonly why: string;
}

export interface CleanupStatus {
  /** Why nothing can be concluded now; the findings are the last ones. */
  readonly problem: string | null;
  readonly findings: readonly CleanupFinding[];
}

/** What else a round of the steward does. Implemented by cleanup/. */
export interface Cleaning {
  readonly status: CleanupStatus;
  /** One step at most. Never rejects for anything the array does, or for the signal: that is a state. */
  round(signal: AbortSignal): Promise<void>;
  /** The array cannot be read, so nothing is seen in a row any more. */
  lostSight(): void;
}

/** How full a pool is now. */
export interface PoolLevel {
  readonly id: PoolId;
  readonly usedPercent: number;
}

/** What the trash holds of a pool. */
export interface TrashOfPool extends TrashHeld {
  readonly poolId: PoolId;
}

/** What removed volumes take, and the end of those whose time is over. Implemented by cleanup/. */
export interface TrashKeeping {
  /** As last read; undefined: not yet. Pools of which it holds nothing are not in it. */
  readonly held: readonly TrashOfPool[] | undefined;
  /** Never rejects for anything the array does: that is a state. */
  round(pools: readonly PoolLevel[], signal: AbortSignal): Promise<void>;
}

/** Where a signed request goes. */
export interface WebhookTarget {
  readonly url: string;
  /** File with the key that requests are signed with; read each time, so that a changed key takes effect. */
  readonly secretFile: string;
  /** For the whole exchange, ms. */
  readonly timeoutMs: number;
}

/** Sends signed requests. Implemented by webhook/. */
export interface Webhooks {
  /**
   * Posts the payload as JSON once and hands back what was answered. Rejects with WebhookError for anything but a 2xx in time,
   * and with CancelledError at the signal. `id` is the message's: the same when it is sent again because that failed, and no other
   * message has it; default: one that nobody has had.
   */
  post(target: WebhookTarget, payload: object, signal: AbortSignal, id?: string): Promise<string>;
}
