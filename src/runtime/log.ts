/** Where the program reports what it does. Implemented by observe/logging over pino. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** Whose work it is that goes on, so that its log lines can be told from all others. Implemented by observe/logging. */
export interface Trace {
  /** Runs work that no single call owns (a round of the reconciler, a look-up for many calls) under an id of its own. */
  apart<T>(what: string, work: () => Promise<T>): Promise<T>;
  /** A way to run work as part of the call that is running now, whoever sets it off later. */
  here(): <T>(work: () => T) => T;
}
