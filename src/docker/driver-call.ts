/** What a driver is told about the call it serves. */
export interface CallContext {
  /** Aborts when the call's deadline passes (rule 8), and for no other reason. */
  readonly signal: AbortSignal;
  /**
   * Aborts when the client will not have the answer: it hung up before the answer was written, or the call was
   * answered as failed because it outlived its deadline. May fire shortly after the method resolved, so whoever keeps
   * something for the client (a Mount ID) stays subscribed to it.
   */
  readonly clientGone: AbortSignal;
  /** The same id as in the log lines of the request. */
  readonly requestId: string;
}
