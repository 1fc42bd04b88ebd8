/** An expected failure of the simulator; the message says what was attempted, why it failed and what to do, in a sentence or two. */
export class SimulatorError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SimulatorError';
  }
}

/** The simulator was asked wrongly, by a flag or in a file. */
export class SimulatorUsageError extends SimulatorError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SimulatorUsageError';
  }
}

/** The system's own word for a failure, such as EADDRINUSE; undefined for what is none of the system's. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
