import type { Refusal } from '../../errors.ts';

/** What a refusal means to us: what a caller can go by, or how the call goes on. */
export type Meaning =
  | Exclude<Refusal, 'call-unknown' | 'other'>
  /** It will be refused again until somebody changes something. */
  | 'rejected'
  /** The pool or a limit of the array is full. */
  | 'capacity'
  /** User, password or role. */
  | 'auth'
  /** Our token is no longer good. */
  | 'session'
  /** Not done now; the same request may succeed soon. */
  | 'busy'
  /** The gateway lost its MDM on the way: it may or may not have been done. */
  | 'doubtful';

/** Number, the MDM's own name (composite errors carry it), text, meaning, advice. */
export type ErrorEntry = readonly [number | null, string | null, string, Meaning, string?];
