import { isPluginError, UsageError, type ErrorCode } from '../errors.ts';

/** Thrown by a command that has said everything, to end with a status of its own. */
export class ExitStatus extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit status ${status}`);
    this.name = 'ExitStatus';
    this.status = status;
  }
}

/** By what the caller can do about it, so that a script need not read messages; docs/commands.md holds the table. */
export const EXIT_STATUSES: Readonly<Record<ErrorCode, number>> = {
  CONFIG: 1,
  WEBHOOK: 1,
  INVALID_REQUEST: 2,
  VOLUME_NOT_FOUND: 3,
  VOLUME_CONFLICT: 4,
  VOLUME_IN_USE: 5,
  NO_CAPACITY: 6,
  GATEWAY_UNAVAILABLE: 7,
  CANCELLED: 7,
  NOT_NOW: 7,
  GATEWAY_AUTH: 8,
  GATEWAY_REJECTED: 8,
  SDC: 9,
  FILESYSTEM: 9,
  NEWER_VERSION: 9,
  PLUGIN: 9,
  HOST_NEEDED: 9,
};

/** The exit status for what a command failed with; 1 for a mistake of the program. */
export function statusOf(error: unknown): number {
  if (error instanceof UsageError) return 2;
  return isPluginError(error) ? EXIT_STATUSES[error.code] : 1;
}
