import { isPluginError, type ErrorCode } from '../../errors.ts';

/** Longer texts are cut: a terminal shows them in one piece, a log line keeps all of it. */
const LONGEST_TEXT = 4000;

/** Only these say for certain that a volume does not exist. */
const CERTAINLY_ABSENT: ReadonlySet<ErrorCode> = new Set(['VOLUME_NOT_FOUND', 'INVALID_REQUEST']);

/**
 * What the user is told: the message of a PluginError as one line; for a bug only where to look, since its text is not
 * meant for users and could hold anything.
 */
export function failureText(error: unknown, requestId: string): string {
  if (!isPluginError(error)) return `internal error, see the plugin's log for request ${requestId}`;
  const line = error.message.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  if (line === '') return `failed: ${error.code}`;
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
}

/** What the log is told: everything, with the stack when it is a bug of ours. */
export function failureFacts(error: unknown): object {
  if (!isPluginError(error)) return { err: error };
  const cause = error.cause instanceof Error ? { cause: error.cause.message } : {};
  return { code: error.code, reason: error.message, context: error.context, ...cause };
}

/**
 * True when a failed Get may be answered. The engine reads every answer to Get that holds no volume as "there is no
 * such volume" and forgets what it knew of it (labels, options, the driver), but keeps all of that when the
 * connection breaks [moby store.go lookupVolume]. So a Get that cannot tell is not answered.
 */
export function provesAbsence(error: unknown): boolean {
  return isPluginError(error) && CERTAINLY_ABSENT.has(error.code);
}
