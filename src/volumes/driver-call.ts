/** What a driver's caller tells about one call. */
export interface CallContext {
  /** Fires at the call's own deadline (rule 8), never because the client left. */
  readonly signal: AbortSignal;
  /** Fires when the client hung up before it was answered. */
  readonly clientGone: AbortSignal;
  readonly requestId: string;
}
