import { CancelledError, ConfigError, PluginError, RunningPluginError, type ErrorCode } from '../errors.ts';
import {
  actionsFrom,
  type ActionName,
  type OperatorActions,
  type Result,
  type Wanted,
} from '../volumes/operator-actions.ts';
import { doorCall, doorFailure, type DoorFailure } from './calls.ts';

/**
 * Sends a JSON body to a path of the door, and answers status and body. Rejects with the socket's error, which bears its code, or with
 * NotAskedError.
 */
export type PostToDoor = (
  path: string,
  body: unknown,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly body: unknown }>;

/** Nobody listens at the door: no plugin works with this state directory, or one that is only just starting. Nothing was asked. */
export class DoorClosedError extends RunningPluginError {}

/** What a PostToDoor may reject with where nothing was asked; the message says why, as it follows the door. */
export class NotAskedError extends Error {}

/** The plugin's own error, in its own words. */
class RefusedByPlugin extends PluginError {
  readonly code: ErrorCode;
  override readonly retryable: boolean;

  constructor({ code, message, retryable, context }: DoorFailure) {
    super(message, { context });
    this.code = code;
    this.retryable = retryable;
  }
}

/** Asks the running plugin to do it. The actions reject with DoorClosedError when it does not run, and else as the plugin says. */
export function doorClient(socket: string, post: PostToDoor): OperatorActions {
  const client = new DoorClient(socket, post);
  return actionsFrom((action, wanted, signal) => client.ask(action, wanted, signal));
}

class DoorClient {
  readonly #socket: string;
  readonly #post: PostToDoor;

  constructor(socket: string, post: PostToDoor) {
    this.#socket = socket;
    this.#post = post;
  }

  async ask<A extends ActionName>(action: A, wanted: Wanted<A>, signal: AbortSignal): Promise<Result<A>> {
    const call = doorCall(action);
    const { status, body } = await this.#post(call.path, wanted, signal).catch((error: unknown) => {
      throw this.#unanswered(error, signal);
    });
    if (status === 200) {
      const answer = call.answer.safeParse(body);
      if (answer.success) return answer.data.result;
    } else {
      const failure = doorFailure.safeParse(body);
      if (failure.success) throw new RefusedByPlugin(failure.data);
    }
    throw new RunningPluginError(
      `the plugin that listens on "${this.#socket}" answered ${call.path} with something that this version does not understand; whether it was done is not known: look with docker-volume-scaleio volume show, and use the command of the plugin's own version`,
    );
  }

  #unanswered(cause: unknown, signal: AbortSignal): PluginError {
    if (cause instanceof NotAskedError) return new DoorClosedError(cause.message, { cause });
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR')
      return new DoorClosedError(`no plugin listens on "${this.#socket}"`, { cause });
    if (code === 'EACCES')
      return new ConfigError(
        `the plugin's socket "${this.#socket}" may not be opened (${code}); run this command as root`,
        { cause },
      );
    if (signal.aborted)
      return new CancelledError(
        `the plugin that listens on "${this.#socket}" did not answer in time and may still do it: look with docker-volume-scaleio volume show`,
        { cause },
      );
    return new RunningPluginError(
      `the plugin that listens on "${this.#socket}" broke off (${String(cause)}); whether it was done is not known: look with docker-volume-scaleio volume show`,
      { cause },
    );
  }
}
