import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { InvalidRequestError, isPluginError } from '../errors.ts';
import type { Log } from '../runtime/log.ts';
import {
  ACTION_NAMES,
  type ActionName,
  type OperatorActions,
  type Result,
  type Wanted,
} from '../volumes/operator-actions.ts';
import { doorCall, type DoorFailure } from './calls.ts';

export interface DoorOptions {
  readonly actions: OperatorActions;
  readonly log: Log;
  /** Unique within a log. */
  readonly newRequestId: () => string;
  /** Runs the rest of a call so that all it sets off bears its id. */
  readonly inRequest: (id: string, rest: () => void) => void;
  /** For one call, ms; whoever asks waits a little longer. */
  readonly limitMs: number;
}

/**
 * The operator's door over HTTP, not listening yet: what `docker-volume-scaleio volume …` asks of the running plugin. Only root may
 * open the socket, so nobody is asked who he is. A call goes on to its end also when who asked hangs up: half of a fence is worse
 * than one that nobody waits for.
 */
export function createDoor({ actions, log, newRequestId, inRequest, limitMs }: DoorOptions): FastifyInstance {
  const door = Fastify({ logger: false, genReqId: newRequestId, forceCloseConnections: 'idle' });
  door.addHook('onRequest', (request, reply, next) => {
    reply.header('x-request-id', request.id);
    inRequest(request.id, next);
  });
  const serve = (action: ActionName): void => {
    const { path, request } = doorCall(action);
    door.post(path, async ({ id, body }) => {
      const { data, error } = request.safeParse(body);
      if (error !== undefined)
        throw new InvalidRequestError(
          `${path} was asked for something else than this plugin knows; use the command of the plugin's own version`,
          { cause: error },
        );
      log.info({ call: path, requestId: id, ...data }, 'operator asks');
      return {
        result: (await asked(actions, { action, wanted: data }, AbortSignal.timeout(limitMs))) ?? null,
      };
    });
  };
  for (const action of ACTION_NAMES) serve(action);
  door.setErrorHandler((error, request, reply) => refuse(log, { error, requestId: request.id, reply }));
  door.setNotFoundHandler((request, reply) => {
    const error = new InvalidRequestError(
      `this plugin knows no ${request.method} ${request.url}; use the command of the plugin's own version`,
    );
    return refuse(log, { error, requestId: request.id, reply });
  });
  return door;
}

function asked<A extends ActionName>(
  actions: OperatorActions,
  { action, wanted }: { readonly action: A; readonly wanted: Wanted<A> },
  signal: AbortSignal,
): Promise<Result<A>> {
  return actions[action](wanted, signal);
}

function refuse(
  log: Log,
  { error, requestId, reply }: { error: unknown; requestId: string; reply: FastifyReply },
): FastifyReply {
  const refusal = isFrameworkRefusal(error)
    ? new InvalidRequestError(error.message, { cause: error })
    : error;
  if (isPluginError(refusal)) {
    const { code, message, retryable, context } = refusal;
    log.warn({ requestId, code, reason: message, context }, 'refused what an operator asked');
    return reply.code(409).send({ code, message, retryable, context } satisfies DoorFailure);
  }
  log.error({ requestId, err: error }, 'what an operator asked failed');
  const message = `internal error, see the plugin's log for request ${requestId}`;
  return reply
    .code(500)
    .send({ code: 'PLUGIN', message, retryable: false, context: {} } satisfies DoorFailure);
}

/** What was sent is no JSON, or too long. */
function isFrameworkRefusal(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('FST_');
}
